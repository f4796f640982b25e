"""What a run left open, and why: whatever keeps its exit code from saying that all is well or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from meshproof.compiler.report.model import ClaimVerdict, TestOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.model import Report
    from meshproof.dsl.source import Span

UNDECIDED_CODES = ("MP318", "MP605", "MP606", "MP710")
"""Findings that say that something is not known. No setting hides them: what is not known never passes a gate."""


class OpenKind(StrEnum):
    """What kind of thing was left open."""

    RUN = "run"
    FINDING = "finding"
    CLAIM = "claim"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that is not known: `subject` names it as people do, `reason` says why."""

    kind: OpenKind
    subject: str
    reason: str
    code: str | None = None
    span: Span | None = None


def left_open(report: Report) -> tuple[Open, ...]:
    """Everything in a report that is not known, waived or not; empty exactly if all was decided."""
    return tuple(_left_open(report))


def _left_open(report: Report) -> Iterator[Open]:
    if not report.is_complete:
        yield Open(OpenKind.RUN, report.command, "stopped before the end: what is missing here is not known")
    for finding in report.findings:
        found = finding.diagnostic
        if found.code in UNDECIDED_CODES:
            yield Open(OpenKind.FINDING, found.subject or found.code, found.message, found.code, found.primary)
    for claim in report.claims:
        if claim.verdict is ClaimVerdict.UNKNOWN:
            yield Open(OpenKind.CLAIM, claim.name, claim.reason, span=claim.span)
    for test in report.tests:
        if test.outcome is TestOutcome.UNDECIDED:
            yield Open(OpenKind.TEST, test.name, test.actual, span=test.span)
