"""Running the tests of a policy: every request of a line must have the outcome that the line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.driver.outcome_text import decision_text, expectation_text, route_text
from meshproof.compiler.ir.assertions import ExpectDecision, ExpectRoute
from meshproof.compiler.report.model import TestOutcome, TestResult
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide, route

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from meshproof.compiler.ir.assertions import TestLine
    from meshproof.compiler.ir.decision import Decision, RouteOutcome
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request


@dataclass(frozen=True, slots=True)
class _Answer:
    outcome: TestOutcome
    text: str


def test_results(mesh: Mesh, day: date) -> Iterator[TestResult]:
    """The outcome of every line, in the order of the blocks."""
    for block in mesh.tests:
        for line in block.lines:
            yield _result(mesh, block.name, line, day)


def _result(mesh: Mesh, name: str, line: TestLine, day: date) -> TestResult:
    expected = expectation_text(line.expected)
    answers = [(request, _answer(mesh, request, line, day)) for request in line.requests]
    order = (TestOutcome.FAILED, TestOutcome.UNDECIDED)
    for outcome in order:
        against = [(request, answer) for request, answer in answers if answer.outcome is outcome]
        if against:
            actual = "; ".join(sorted({answer.text for _, answer in against}))
            requests = tuple(request for request, _ in against)
            return TestResult(name, line.text, line.origin.span, outcome, expected, actual, requests)
    actual = "; ".join(sorted({answer.text for _, answer in answers}))
    return TestResult(name, line.text, line.origin.span, TestOutcome.PASSED, expected, actual, line.requests)


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
