"""The exit code of a run: the same whatever the format."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from meshproof.compiler.report.model import ClaimVerdict, TestOutcome
from meshproof.compiler.report.undecided import left_open

if TYPE_CHECKING:
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.diagnostic import Severity


class ExitCode(IntEnum):
    """What the process says to whoever started it."""

    CLEAN = 0
    FOUND = 1
    """A finding at or above the level that fails, a refuted claim or a failed test."""
    NOT_JUDGED = 2
    """Usage, something unreadable, an error of syntax or names, a malformed request."""
    UNDECIDED = 3
    """Nothing was refuted, but something is not known."""
    INTERNAL = 4


def exit_code(report: Report, fail_level: Severity) -> ExitCode:
    """The code of a report. What is waived does not count; what is not known is never clean."""
    if not report.is_judged:
        return ExitCode.NOT_JUDGED
    findings = tuple(finding.diagnostic for finding in report.findings)
    if (
        any(not finding.is_waived and finding.severity.rank >= fail_level.rank for finding in findings)
        or any(claim.verdict is ClaimVerdict.REFUTED and not claim.is_waived for claim in report.claims)
        or any(test.outcome is TestOutcome.FAILED and not test.is_waived for test in report.tests)
    ):
        return ExitCode.FOUND
    return ExitCode.UNDECIDED if left_open(report) else ExitCode.CLEAN
