"""What `check` finds in the applications of the corpus, as a table in docs/targets/istio-audit.md.

`python -m tools.istio_audit CORPUS` writes the table, `--check` only says whether it is what it would write. Of the
corpus itself the table has names of folders and files, and lines.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import read_policy
from meshproof.dsl.problems import problem

PAGE = Path(__file__).parent.parent / "docs" / "targets" / "istio-audit.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
DAY = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: where it was made, and at which file and line."""

    application: str
    code: str
    severity: str
    place: str


def applications(corpus: Path) -> Iterator[tuple[str, Path]]:
    """The folders of the corpus with manifests, and each rendering of the chart by itself."""
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = folder / "files"
        yield folder.name, files if files.is_dir() else folder
        for rendered in sorted((folder / "rendered").glob("*.yaml")):
            yield f"{folder.name}/rendered/{rendered.name}", rendered


def rows(corpus: Path) -> Iterator[Row]:
    """Every finding in every application, in the order of the report."""
    for name, path in applications(corpus):
        policy = read_policy([path])
        for finding in judge(policy, JudgeOptions(day=DAY)).findings:
            diagnostic = finding.diagnostic
            span = diagnostic.primary
            assert span is not None
            line = policy.sources[span.file].position(span.start).line
            yield Row(name, diagnostic.code, str(diagnostic.severity), f"{span.file}:{line}")


def table(corpus: Path) -> str:
    """The table as Markdown: a line for each application and code."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {name: defaultdict(list) for name, _ in applications(corpus)}
    for row in rows(corpus):
        found[row.application][row.code, row.severity].append(row.place)
    lines = ["| application | finding | severity | where |", "|---|---|---|---|"]
    for name, codes in found.items():
        if not codes:
            lines.append(f"| {name} | none | | |")
        for (code, severity), places in sorted(codes.items()):
            where = "<br>".join(f"`{place}`" for place in sorted(places))
            lines.append(f"| {name} | {code} {problem(code).slug} | {severity} | {where} |")
    return "\n".join(lines) + "\n"


def page_with(text: str, body: str) -> str:
    """The page with another table."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{body}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the table; with `--check` 1 if it is another one."""
    (corpus,) = (Path(one) for one in arguments if not one.startswith("-"))
    there = PAGE.read_text(encoding="utf-8")
    computed = page_with(there, table(corpus))
    if "--check" in arguments:
        return int(there != computed)
    PAGE.write_text(computed, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
