"""What a run left open: whatever ends with 3 says why, in the line that sums up and in JSON."""

from __future__ import annotations

import json

import pytest
from tests.unit.compiler.report.samples import SOURCE, claim, diagnostic, line_of_test
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.report.exit_code import ExitCode, exit_code
from meshproof.compiler.report.json import render
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import ClaimVerdict, Finding, Report, TestOutcome
from meshproof.compiler.report.summary_text import summary_lines
from meshproof.compiler.report.undecided import UNDECIDED_CODES, left_open
from meshproof.dsl.diagnostic import Severity


def finding(code: str, *, is_waived: bool = False) -> Finding:
    found = diagnostic(code, Severity.WARNING, message="what `x` does is not known", is_waived=is_waived)
    return Finding(found)


OPEN = {
    **{code: Report("check", findings=(finding(code),)) for code in UNDECIDED_CODES},
    "waived": Report("check", findings=(finding("MP318", is_waived=True),)),
    "claim": Report("check", claims=(claim(ClaimVerdict.UNKNOWN, reason="it depends on `x`"),)),
    "test": Report("check", tests=(line_of_test(TestOutcome.UNDECIDED),)),
    "stopped": Report("check", is_complete=False),
}


@pytest.mark.parametrize("report", OPEN.values(), ids=OPEN.keys())
def test_whatever_ends_with_3_says_why_in_json_and_in_words(report: Report) -> None:
    assert exit_code(report, Severity.ERROR) is ExitCode.UNDECIDED
    document = json.loads(render(report, Look(), Severity.ERROR))

    assert fits("report-v1", document)
    (why,) = document["summary"]["undecided_because"]
    assert why["reason"]
    assert any(word in " ".join(summary_lines(report, Look())) for word in ("undecided", "unknown", "not known"))


def test_a_finding_that_something_is_not_known_is_told_with_its_place() -> None:
    report = Report("check", findings=(finding("MP318"), finding("MP318")), sources={SOURCE.path: SOURCE})
    (why, _) = json.loads(render(report, Look(), Severity.ERROR))["summary"]["undecided_because"]

    assert (why["kind"], why["code"], why["reason"]) == ("finding", "MP318", "what `x` does is not known")
    assert (why["path"], why["line"]) == ("shop.mesh", 5)
    assert list(summary_lines(report, Look()))[-1] == (
        "undecided: something about a rule could not be decided, in 2 findings MP318"
    )


def test_what_is_decided_leaves_nothing_open() -> None:
    report = Report(
        "check",
        findings=(Finding(diagnostic()),),
        claims=(claim(ClaimVerdict.PROVED), claim(ClaimVerdict.REFUTED)),
        tests=(line_of_test(TestOutcome.PASSED), line_of_test(TestOutcome.FAILED)),
    )

    assert left_open(report) == ()
    assert not any("undecided" in line for line in summary_lines(report, Look()))
