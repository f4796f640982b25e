"""The last line of a report for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.report.look import Look, Style, harmless, wrapped
from meshproof.compiler.report.undecided import OpenKind, left_open
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.model import Report


def summary_lines(report: Report, look: Look) -> Iterator[str]:
    """What was looked at, and the counts that are not zero."""
    if not report.is_judged:
        errors = report.summary.errors
        yield look.paint(f"nothing was judged: {_count(errors, 'error')}", Style.ERROR)
        return
    where = f" in {', '.join(report.environments)}" if report.environments else ""
    day = f" as of {report.day.isoformat()}" if report.day else ""
    how = ", cooperatively" if report.judgement is Judgement.COOPERATIVE else ""
    text = f"{harmless(report.policy) or 'policy'}{where}{day}{how}: {', '.join(_counts(report))}"
    yield wrapped(text, look.width, "  ")
    for line in _open_lines(report):
        yield look.paint(line, Style.WARNING)


def _open_lines(report: Report) -> Iterator[str]:
    """What is not known and no count says."""
    found: dict[str, int] = {}
    for one in left_open(report):
        if one.kind is OpenKind.RUN:
            yield one.reason
        elif one.code is not None:
            found[one.code] = found.get(one.code, 0) + 1
    for code, number in sorted(found.items()):
        yield f"undecided: {problem(code).summary}, in {_count(number, 'finding')} {code}"


def _counts(report: Report) -> Iterator[str]:
    summary = report.summary
    found = [
        _count(number, noun)
        for number, noun in ((summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "note"))
        if number
    ]
    yield from found or ["no findings"]
    if summary.waived:
        yield f"{summary.waived} waived"
    claims = ((summary.proved, "proved"), (summary.refuted, "refuted"), (summary.unknown, "unknown"))
    yield from (f"{_count(number, 'claim')} {verdict}" for number, verdict in claims if number)
    tests = ((summary.passed, "passed"), (summary.failed, "failed"), (summary.undecided, "undecided"))
    yield from (f"{_count(number, 'test')} {outcome}" for number, outcome in tests if number)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
