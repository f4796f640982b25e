"""The exit code of a comparison: the same whatever the format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report.exit_code import ExitCode

if TYPE_CHECKING:
    from meshproof.compiler.report.model_diff import DiffReport, FailOn


def diff_exit_code(report: DiffReport, fail_on: FailOn | None) -> ExitCode:
    """A difference is no failure unless it was said to be; what is not known is never clean."""
    if report.is_failed(fail_on):
        return ExitCode.FOUND
    return ExitCode.CLEAN if report.is_complete else ExitCode.UNDECIDED
