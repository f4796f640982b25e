"""The codes: in number order, once each, named, said in the house style, and documented."""

from __future__ import annotations

import re
from pathlib import Path

from meshproof.compiler.checks.documentation import documentation_of
from meshproof.compiler.checks.registry import all_checks
from meshproof.dsl.problems import BY_CODE, LEDGER

PROJECT = Path(__file__).parents[2]


def test_codes_stand_in_number_order_and_once() -> None:
    codes = [problem.code for problem in LEDGER]

    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"MP[0-8]\d\d", code) for code in codes)  # MP9 is for users' own packs


def test_names_are_unique_and_summaries_are_sentences_in_lower_case() -> None:
    names = [problem.slug for problem in LEDGER]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)] == []
    assert [p.code for p in LEDGER if p.summary.endswith(".") or "\n" in p.summary or p.summary[:2].istitle()] == []


def test_every_code_is_in_the_table_of_the_docs() -> None:
    table = (PROJECT / "docs/codes.md").read_text(encoding="utf-8")

    assert set(re.findall(r"MP\d{3}", table)) == set(BY_CODE)


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    pages = {path.stem for path in (PROJECT / "docs/checks").glob("*.md")}

    assert pages == {check.code for check in all_checks()}
    assert all(documentation_of(check).title for check in all_checks())


def test_every_code_that_the_product_names_is_in_the_ledger() -> None:
    named = {
        (code, str(path.relative_to(PROJECT)))
        for folder in ("dsl", "compiler", "targets", "policies")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".py", ".mesh"}
        for code in re.findall(r"\bMP\d{3}\b", path.read_text(encoding="utf-8"))
    }

    assert sorted(pair for pair in named if pair[0] not in BY_CODE and not pair[0].startswith("MP9")) == []


def test_every_code_in_the_ledger_is_reported_somewhere() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("dsl", "compiler", "targets")
        for path in (PROJECT / folder).rglob("*.py")
        if path.name != "problems.py"
    )

    assert [problem.code for problem in LEDGER if problem.code not in sources] == []
