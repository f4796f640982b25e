"""The thirty ways in which Istio does something else than one thinks: `footguns/NN.md` is about the one of that number.

A fence is a set of manifests that is added to `footguns/BASE.yaml`, unless it is `yaml alone`. A mark `# MP301` at the
end of a line says that this is found there; of the codes that a file has, nothing else is found in its fences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.checks.judging import DAY

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_manifests

FOLDER = Path(__file__).parent / "footguns"
FILES = sorted(FOLDER.glob("*.md"))
PAGE = Path(__file__).parents[2] / "docs" / "targets" / "istio-audit.md"
FENCE = re.compile(r"^```yaml(?P<alone> alone)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"#((?: MP\d{3})+)$")
CODE = re.compile(r"MP\d{3}")
ROW = re.compile(r"^\| (\d+) \| [^|]* \| ([^|]*) \|$", re.MULTILINE)
BASE, CASE = "base.yaml", "case.yaml"


@dataclass(frozen=True)
class Case:
    """Some manifests, and what is marked in them: line and code."""

    text: str
    is_alone: bool

    @property
    def marked(self) -> list[tuple[int, str]]:
        lines = [(number, MARK.search(line)) for number, line in enumerate(self.text.splitlines(), 1)]
        return sorted((number, code) for number, found in lines if found for code in found[1].split())

    def found(self) -> list[tuple[int, str]]:
        """Line and code of every finding in the case itself."""
        base = {} if self.is_alone else {BASE: (FOLDER / "BASE.yaml").read_text(encoding="utf-8")}
        policy = policy_of_manifests({**base, CASE: self.text})
        assert policy.is_judgeable, policy.diagnostics
        places = []
        for finding in judge(policy, JudgeOptions(day=DAY)).findings:
            span = finding.diagnostic.primary
            assert span is not None
            if span.file == CASE:
                places.append((policy.sources[CASE].position(span.start).line, finding.diagnostic.code))
        return sorted(places)


def _cases(path: Path) -> list[Case]:
    return [Case(found["text"], bool(found["alone"])) for found in FENCE.finditer(path.read_text(encoding="utf-8"))]


def _codes(path: Path) -> set[str]:
    return {code for case in _cases(path) for _, code in case.marked}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_found_where_it_is_marked(path: Path) -> None:
    cases, codes = _cases(path), _codes(path)
    found = [[one for one in case.found() if one[1] in codes] for case in cases]

    assert found == [case.marked for case in cases]
    assert any(found)
    assert not all(found)


def test_nothing_is_wrong_with_what_they_are_added_to() -> None:
    policy = policy_of_manifests({BASE: (FOLDER / "BASE.yaml").read_text(encoding="utf-8")})

    assert [one.diagnostic.message for one in judge(policy, JudgeOptions(day=DAY)).findings] == []


def test_the_page_names_what_finds_each() -> None:
    rows = {int(number): set(CODE.findall(codes)) for number, codes in ROW.findall(PAGE.read_text(encoding="utf-8"))}

    assert sorted(rows) == list(range(1, 31)) == [int(path.stem) for path in FILES]
    assert {number for number, codes in rows.items() if not _codes(FOLDER / f"{number:02}.md") <= codes} == set()
