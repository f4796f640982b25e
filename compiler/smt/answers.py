"""What one question to a solver may cost, and that it may have no answer."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.smt.search import MOST_STEPS


class Undecided(Exception):  # noqa: N818  it is an outcome, not a fault
    """There is no answer: a limit was reached, or something is outside of what can be encoded exactly."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost: steps of search, then wall-clock milliseconds of the solver, 0 being no bound."""

    timeout_ms: int = 10_000
    most_steps: int = MOST_STEPS
