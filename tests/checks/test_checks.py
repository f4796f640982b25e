"""What each check finds, and how it looks: `MP301.md` is about the check of that code (see README.md).

`--update-golden` writes the fences `text`; read the difference before you commit it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from tests.checks.judging import DAY, codes, findings_of, lines_of, policy_of, rendered

FILES = sorted(Path(__file__).parent.glob("MP*.md"))
POLICY = re.compile(
    r"^```(?:mesh|yaml)(?: at=(?P<day>\S+))?\n(?P<policy>.*?)^```\n(?P<shown>\n```text\n.*?^```\n)?",
    re.MULTILINE | re.DOTALL,
)
MARKS = re.compile(r"#((?:\s*MP\d{3})+)\s*$")


@dataclass(frozen=True)
class Case:
    code: str
    text: str
    day: date

    @property
    def marked(self) -> list[int]:
        """The lines with a mark, as often as they have it."""
        return [number for number, line in enumerate(self.text.splitlines(), 1) for _ in range(self._marks(line))]

    def _marks(self, line: str) -> int:
        found = MARKS.search(line)
        return found[1].split().count(self.code) if found else 0


def _cases(path: Path) -> list[Case]:
    text = path.read_text(encoding="utf-8")
    return [
        Case(path.stem, found["policy"], date.fromisoformat(found["day"]) if found["day"] else DAY)
        for found in POLICY.finditer(text)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_found_where_it_is_marked(path: Path) -> None:
    found, marked = [], []
    for case in _cases(path):
        policy = policy_of(case.text)
        found.append(lines_of(policy, findings_of(policy, case.code, case.day)))
        marked.append(case.marked)

    assert found == marked
    assert any(marked), "no policy of the file has a finding"
    assert not all(marked), "no policy of the file is without one"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_how_it_looks(path: Path, *, update_golden: bool) -> None:
    there = path.read_text(encoding="utf-8")
    cases = iter(_cases(path))

    def with_what_is_shown(found: re.Match[str]) -> str:
        case = next(cases)
        policy = policy_of(case.text)
        shown = rendered(policy, findings_of(policy, case.code, case.day))
        fence = found[0].removesuffix(found["shown"] or "")
        return f"{fence}\n```text\n{shown}```\n" if shown else fence

    computed = POLICY.sub(with_what_is_shown, there)
    if update_golden:
        path.write_text(computed, encoding="utf-8")

    assert there.count("```mesh") + there.count("```yaml") == len(_cases(path)), "a fence has an option that is none"
    assert path.read_text(encoding="utf-8") == computed


def test_every_check_has_a_file_and_every_file_a_check() -> None:
    assert [path.stem for path in FILES] == codes()
