"""Claims, test lines and findings as test cases, in the XML that servers of continuous integration read."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from meshproof.compiler.report.honesty import remarks
from meshproof.compiler.report.located import located
from meshproof.compiler.report.look import harmless
from meshproof.compiler.report.model import ClaimVerdict, TestOutcome
from meshproof.compiler.report.order import in_order
from meshproof.compiler.report.request_text import request_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import ClaimResult, Finding, Report, TestResult
    from meshproof.dsl.diagnostic import Severity

_TOLD_ALREADY = ("MP601", "MP604")
"""A claim that is refuted and a test line that failed are cases of their own."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case. `kind` is `failure`, `error` or `skipped`, or empty if it passed."""

    group: str
    name: str
    kind: str = ""
    message: str = ""
    details: str = ""


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  XML looks the same everywhere
    """Three suites. A finding fails from the level on that fails a run; what is not known is an error, no failure."""
    # The name is what servers show of a suite that passed.
    how = "".join(f" ({one})" for one in remarks(report.judgement))
    suites = (
        (f"claims{how}", tuple(_claim(one, report) for one in report.claims)),
        (f"tests{how}", tuple(_test(one, report) for one in report.tests)),
        ("findings", tuple(_findings(report, fail_level))),
    )
    body = "".join(_suite(name, cases) for name, cases in suites)
    every = [case for _, cases in suites for case in cases]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="meshproof"{_counts(every)}>\n{body}</testsuites>\n'
    )


def _suite(name: str, cases: Sequence[_Case]) -> str:
    lines = "".join(map(_case, cases))
    return f'  <testsuite name="{name}"{_counts(cases)}>\n{lines}  </testsuite>\n'


def _counts(cases: Sequence[_Case]) -> str:
    kinds = [case.kind for case in cases]
    failures, errors, skipped = (kinds.count(kind) for kind in ("failure", "error", "skipped"))
    return f' tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}"'


def _case(case: _Case) -> str:
    head = f'    <testcase classname="{_text(case.group)}" name="{_text(case.name)}"'
    if not case.kind:
        return f"{head}/>\n"
    if case.kind == "skipped":
        return f'{head}>\n      <skipped message="{_text(case.message)}"/>\n    </testcase>\n'
    inner = f'<{case.kind} type="{case.kind}" message="{_text(case.message)}">{_text(case.details)}</{case.kind}>'
    return f"{head}>\n      {inner}\n    </testcase>\n"


def _claim(claim: ClaimResult, report: Report) -> _Case:
    name = f"{claim.text}{_where(claim.environments, report)}"
    if claim.is_waived:
        return _Case(claim.name, name, "skipped", "refuted, and accepted by a waiver")
    match claim.verdict:
        case ClaimVerdict.PROVED:
            return _Case(claim.name, name)
        case ClaimVerdict.REFUTED:
            return _Case(claim.name, name, "failure", "refuted", _requests(claim.witness, report))
        case ClaimVerdict.UNKNOWN:
            return _Case(claim.name, name, "error", f"unknown: {claim.reason}")


def _test(test: TestResult, report: Report) -> _Case:
    name = f"{test.text}{_where(test.environments, report)}"
    if test.is_waived:
        return _Case(test.name, name, "skipped", "failed, and accepted by a waiver")
    message = f"expected {test.expected}, but it is {test.actual}"
    match test.outcome:
        case TestOutcome.PASSED:
            return _Case(test.name, name)
        case TestOutcome.FAILED:
            return _Case(test.name, name, "failure", message, _requests(test.requests, report))
        case TestOutcome.UNDECIDED:
            return _Case(test.name, name, "error", message)


def _findings(report: Report, fail_level: Severity) -> Iterator[_Case]:
    for finding in in_order(report.findings):
        if finding.diagnostic.code not in _TOLD_ALREADY or not (report.claims or report.tests):
            yield _finding(finding, report, fail_level)
    if not report.is_complete:
        yield _Case("meshproof", "the whole policy is judged", "error", "stopped before the end")


def _finding(finding: Finding, report: Report, fail_level: Severity) -> _Case:
    diagnostic = finding.diagnostic
    place = located(diagnostic.primary, report)
    at = f" ({place.path}:{place.line})" if place else ""
    name = f"{diagnostic.message}{at}{_where(finding.environments, report)}"
    if diagnostic.is_waived:
        return _Case(diagnostic.code, name, "skipped", "waived")
    if diagnostic.severity.rank < fail_level.rank:
        return _Case(diagnostic.code, name)
    details = "\n".join((*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])))
    return _Case(diagnostic.code, name, "failure", diagnostic.message, details)


def _requests(requests: Sequence[Request], report: Report) -> str:
    return "\n".join(request_text(request, report.identities) for request in requests)


def _where(environments: Sequence[str], report: Report) -> str:
    return f" (in {', '.join(environments)})" if environments and tuple(environments) != report.environments else ""


def _text(text: str) -> str:
    """The text as XML 1.0 takes it, which has no way to write most control characters."""
    return escape("\n".join(map(harmless, text.split("\n"))))
