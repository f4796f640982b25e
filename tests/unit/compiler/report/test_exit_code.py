"""What the process says: worst first, and what is not known is never clean."""

from __future__ import annotations

import pytest
from tests.unit.compiler.report.samples import claim, diagnostic, line_of_test

from meshproof.compiler.report.exit_code import exit_code
from meshproof.compiler.report.model import ClaimVerdict, Finding, Report, TestOutcome
from meshproof.compiler.report.undecided import UNDECIDED_CODES
from meshproof.dsl.diagnostic import Severity

WARNING = Finding(diagnostic("MP305", Severity.WARNING))
ERROR = Finding(diagnostic("MP301"))
WAIVED = Finding(diagnostic("MP301", is_waived=True))
UNKNOWN = claim(ClaimVerdict.UNKNOWN)
REFUTED = claim(ClaimVerdict.REFUTED)


def of(**parts: object) -> Report:
    return Report("check", **parts)  # type: ignore[arg-type]  # of the fields' types


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (of(), 0),
        (of(claims=(claim(ClaimVerdict.PROVED),), tests=(line_of_test(TestOutcome.PASSED),)), 0),
        (of(findings=(WARNING,)), 0),
        (of(findings=(WAIVED,)), 0),
        (of(claims=(claim(ClaimVerdict.REFUTED, is_waived=True),)), 0),
        (of(tests=(line_of_test(TestOutcome.FAILED, is_waived=True),)), 0),
        (of(findings=(ERROR,)), 1),
        (of(claims=(REFUTED,)), 1),
        (of(tests=(line_of_test(TestOutcome.FAILED),)), 1),
        (of(claims=(UNKNOWN, REFUTED)), 1),
        (of(findings=(ERROR,), is_complete=False), 1),
        (of(is_judged=False), 2),
        (of(is_judged=False, claims=(REFUTED,)), 2),
        (of(claims=(UNKNOWN,)), 3),
        (of(tests=(line_of_test(TestOutcome.UNDECIDED),)), 3),
        (of(is_complete=False), 3),
    ],
)
def test_each_outcome_has_its_code(report: Report, code: int) -> None:
    assert exit_code(report, Severity.ERROR) == code


@pytest.mark.parametrize("code", UNDECIDED_CODES)
def test_a_finding_that_something_is_not_known_ends_with_3_unless_it_fails(code: str) -> None:
    report = of(findings=(Finding(diagnostic(code, Severity.WARNING)),))

    assert exit_code(report, Severity.ERROR) == 3
    assert exit_code(report, Severity.WARNING) == 1


@pytest.mark.parametrize(
    ("level", "codes"),
    [(Severity.ERROR, [0, 0, 1]), (Severity.WARNING, [0, 1, 1]), (Severity.INFO, [1, 1, 1])],
)
def test_the_level_that_fails(level: Severity, codes: list[int]) -> None:
    order = (Severity.INFO, Severity.WARNING, Severity.ERROR)

    assert [exit_code(of(findings=(Finding(diagnostic("MP305", one)),)), level) for one in order] == codes
