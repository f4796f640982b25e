"""Running the tests of a policy: every request of a line must have the outcome that the line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.assertions import ExpectDecision, ExpectRoute
from meshproof.compiler.report.model import TestOutcome, TestResult
from meshproof.compiler.report.outcome_text import decision_text, expectation_text, route_text
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, as_sent, decide, route
from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from meshproof.compiler.ir.assertions import TestLine
    from meshproof.compiler.ir.decision import Decision, RouteOutcome
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request


FAILED = "MP604"
UNTESTED = "MP607"


@dataclass(frozen=True, slots=True)
class _Answer:
    outcome: TestOutcome
    text: str


def results_of_tests(mesh: Mesh, day: date) -> Iterator[TestResult]:
    """The outcome of every line, in the order of the blocks."""
    for block in mesh.tests:
        for line in block.lines:
            yield _result(mesh, block.name, line, day)


def _result(mesh: Mesh, name: str, line: TestLine, day: date) -> TestResult:
    expected = expectation_text(line.expected)
    requests = tuple(as_sent(mesh, request, day) for request in line.requests)
    answers = [(request, _answer(mesh, request, line, day)) for request in requests]
    order = (TestOutcome.FAILED, TestOutcome.UNDECIDED)
    for outcome in order:
        against = [(request, answer) for request, answer in answers if answer.outcome is outcome]
        if against:
            actual = "; ".join(sorted({answer.text for _, answer in against}))
            contrary = tuple(request for request, _ in against)
            return TestResult(name, line.text, line.origin.span, outcome, expected, actual, contrary)
    actual = "; ".join(sorted({answer.text for _, answer in answers}))
    return TestResult(name, line.text, line.origin.span, TestOutcome.PASSED, expected, actual, requests)


def _answer(mesh: Mesh, request: Request, line: TestLine, day: date) -> _Answer:
    try:
        match line.expected:
            case ExpectDecision() as expected:
                decision = decide(mesh, request, day)
                return _Answer(_passed(is_decision(expected, decision)), decision_text(decision))
            case ExpectRoute() as expected:
                outcome = route(mesh, request, day)
                return _Answer(_passed(is_route(expected, outcome)), route_text(outcome))
    except MalformedRequest as error:
        return _Answer(TestOutcome.FAILED, f"no request that can be: {error.reason}")
    except (MissingAnswer, NotModelled) as error:
        return _Answer(TestOutcome.UNDECIDED, f"undecided: {error}")


def is_decision(expected: ExpectDecision, decision: Decision) -> bool:
    """Whether a decision is what was expected; `by` names one of the rules that decided."""
    return (
        decision.is_allowed == expected.is_allowed
        and expected.at in {None, decision.reason.value}
        and (expected.by is None or expected.by in decision.determined_by)
    )


def is_route(expected: ExpectRoute, outcome: RouteOutcome | None) -> bool:
    """Whether a request is sent where it was expected, share for share."""
    return outcome is not None and sorted(outcome.destinations) == sorted(expected.destinations)


def _passed(is_met: bool) -> TestOutcome:  # noqa: FBT001  a plain conversion
    return TestOutcome.PASSED if is_met else TestOutcome.FAILED


def failures(mesh: Mesh, results: Iterable[TestResult], day: date) -> Iterator[Diagnostic]:
    """A finding for each line that failed, at the line, with a request that has another outcome and who decided it."""
    for result in results:
        if result.outcome is TestOutcome.FAILED:
            yield Diagnostic(
                code=FAILED,
                severity=problem(FAILED).severity,
                message=f"test `{result.name}` expects `{result.expected}`, but it is `{result.actual}`",
                labels=(Label(result.span, "expected otherwise", is_primary=True), *_deciders(mesh, result, day)),
                evidence=tuple(request_row(request) for request in result.requests[:1]),
                subject=result.name,
            )


def coverage_findings(mesh: Mesh, day: date) -> Iterator[Diagnostic]:
    """A finding for each rule in force that decides no request of any test."""
    tested = {
        rule
        for block in mesh.tests
        for line in block.lines
        for request in line.requests
        for rule in _determined_by(mesh, request, day)
    }
    for rule in mesh.rules:
        if rule.is_in_force(day) and rule.id not in tested:
            yield Diagnostic(
                code=UNTESTED,
                severity=problem(UNTESTED).severity,
                message=f"no test has a request that rule `{rule.id}` decides",
                labels=(Label(rule.origin.span, is_primary=True),),
                help="add a test line whose outcome names the rule with `by`",
                subject=rule.id,
            )


def _deciders(mesh: Mesh, result: TestResult, day: date) -> Iterator[Label]:
    decided = {rule for request in result.requests[:1] for rule in _determined_by(mesh, request, day)}
    for rule in mesh.rules:
        if rule.id in decided:
            yield Label(rule.origin.span, "decides it")


def _determined_by(mesh: Mesh, request: Request, day: date) -> tuple[str, ...]:
    try:
        return decide(mesh, as_sent(mesh, request, day), day).determined_by
    except (MalformedRequest, MissingAnswer, NotModelled):
        return ()
