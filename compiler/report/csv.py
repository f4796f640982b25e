"""One table of findings, claims and test lines (RFC 4180), for sheets and for whoever counts."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from meshproof.compiler.report.located import located
from meshproof.compiler.report.order import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.diagnostic import Severity
    from meshproof.dsl.source import Span

HEADS = (
    "kind",
    "result",
    "code",
    "name",
    "text",
    "path",
    "line",
    "column",
    "waived",
    "environments",
    "controls",
    "fingerprint",
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  a table looks the same everywhere
    """A row for each finding, claim and test line; `result` is a severity, a verdict or an outcome."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(HEADS)
    for row in _rows(report):
        table.writerow(map(_cell, row))
    return written.getvalue()


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    for finding in in_order(report.findings):
        one = finding.diagnostic
        place = _place(one.primary, report)
        last = (_word(is_so=one.is_waived), " ".join(finding.environments), "", one.fingerprint)
        yield "finding", one.severity.value, one.code, one.subject, one.message, *place, *last
    for claim in report.claims:
        place = _place(claim.span, report)
        controls = "; ".join(f"{control.framework} {control.control}" for control in claim.controls)
        last = (_word(is_so=claim.is_waived), " ".join(claim.environments), controls, "")
        yield "claim", claim.verdict.value, "", claim.name, claim.text, *place, *last
    for test in report.tests:
        place = _place(test.span, report)
        last = (_word(is_so=test.is_waived), " ".join(test.environments), "", "")
        yield "test", test.outcome.value, "", test.name, test.text, *place, *last


def _place(span: Span | None, report: Report) -> tuple[str, str, str]:
    place = located(span, report)
    return ("", "", "") if place is None else (place.path, str(place.line), str(place.column))


def _word(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def _cell(text: str) -> str:
    """The text, which no sheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
