"""Decisions and routes as the outcome of a test line has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.assertions import ExpectDecision, ExpectRoute
from meshproof.compiler.ir.decision import Reason

if TYPE_CHECKING:
    from meshproof.compiler.ir.decision import Decision, RouteOutcome


def expectation_text(expected: ExpectDecision | ExpectRoute) -> str:
    """What a test line asks for, such as `allow by charge` or `route v1 95%, v2 5%`."""
    match expected:
        case ExpectDecision(is_allowed, at, by):
            parts = ["allow" if is_allowed else "deny", *(["at", at] if at else []), *(["by", by] if by else [])]
            return " ".join(parts)
        case ExpectRoute(destinations):
            return f"route {_shares(destinations)}"


def decision_text(decision: Decision) -> str:
    """A decision, with the rules that made it or the step that refused."""
    word = "allow" if decision.is_allowed else "deny"
    if decision.determined_by:
        word += f" by {', '.join(decision.determined_by)}"
    elif not decision.is_allowed or decision.reason is not Reason.DEFAULT:
        word += f" at {decision.reason.value}"
    return word + (" (observed: refused in the log alone)" if decision.is_observed else "")


def route_text(outcome: RouteOutcome | None) -> str:
    """Where a request is sent."""
    if outcome is None:
        return "no branch takes it"
    if outcome.redirect is not None:
        return f"redirect {outcome.redirect.status}"
    if outcome.answer is not None:
        return f"answer {outcome.answer}"
    return f"route {_shares(outcome.destinations)}"


def _shares(destinations: tuple[tuple[str, int], ...]) -> str:
    if len(destinations) == 1:
        return destinations[0][0]
    return ", ".join(f"{name} {percent}%" for name, percent in destinations)
