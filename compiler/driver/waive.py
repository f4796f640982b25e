"""Waivers: a finding that is accepted by name stays in the report, marked, and fails nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.checks.waivable import is_waivable

if TYPE_CHECKING:
    from datetime import date

    from meshproof.compiler.ir.assertions import Waiver
    from meshproof.compiler.report.model import ClaimResult, TestResult
    from meshproof.dsl.diagnostic import Diagnostic

CLAIM_REFUTED = "MP601"
TEST_FAILED = "MP604"


def is_waived(code: str, subject: str, waivers: tuple[Waiver, ...], day: date) -> bool:
    """Whether a waiver in force on `day` names the code and what the finding is about."""
    if not subject or not is_waivable(code):
        return False
    return any(
        waiver.code == code and waiver.subject == subject and (waiver.until is None or day <= waiver.until)
        for waiver in waivers
    )


def waived_diagnostic(diagnostic: Diagnostic, waivers: tuple[Waiver, ...], day: date) -> Diagnostic:
    """The diagnostic, marked if it is waived."""
    return replace(diagnostic, is_waived=is_waived(diagnostic.code, diagnostic.subject, waivers, day))


def waived_claim(result: ClaimResult, waivers: tuple[Waiver, ...], day: date) -> ClaimResult:
    """The claim, marked if its refutation is waived."""
    return replace(result, is_waived=is_waived(CLAIM_REFUTED, result.name, waivers, day))


def waived_test(result: TestResult, waivers: tuple[Waiver, ...], day: date) -> TestResult:
    """The line, marked if its failure is waived."""
    return replace(result, is_waived=is_waived(TEST_FAILED, result.name, waivers, day))
