"""What is answered to an Envoy, whichever protocol it asks over."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.decision import Decision, Reason

_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `decision` is `allow`, `deny` or `observe` (refused, and let through because observed).

    `reason` is the step that decided, or why there was no decision: `destination`, `caller`, `ambiguous`, `undecided`.
    `audited` are audited rules that the request meets, which decide nothing.
    """

    status: int
    decision: str
    reason: str
    rules: tuple[str, ...] = ()
    audited: tuple[str, ...] = ()


def decided(decision: Decision, audited: tuple[str, ...] = ()) -> Answer:
    """The answer that a decision is."""
    rules = tuple(str(rule) for rule in decision.determined_by)
    if decision.is_observed:
        return Answer(_OK, "observe", decision.reason, rules, audited)
    if decision.is_allowed:
        return Answer(_OK, "allow", decision.reason, rules, audited)
    status = _UNAUTHORIZED if decision.reason is Reason.TOKEN else _FORBIDDEN
    return Answer(status, "deny", decision.reason, rules, audited)


def refused(reason: str) -> Answer:
    """A refusal without a decision. Never a status of 500 and above, which an Envoy may be told to let through."""
    return Answer(_FORBIDDEN, "deny", reason)
