"""One request from its first attempt to what its caller gets: time, retries and their budget."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.runtime.core.traffic.backoff import pause
from meshproof.runtime.core.traffic.budget import RetryBudget
from meshproof.runtime.core.traffic.flags import Flag
from meshproof.runtime.core.traffic.retrying import Failure, RetryRule

_ENDS: dict[Failure, tuple[int, Flag]] = {
    Failure.CONNECT: (503, Flag.CONNECT_FAILURE),
    Failure.REFUSED: (503, Flag.RESET),
    Failure.RESET: (503, Flag.CONNECTION_ENDED),
    Failure.PROTOCOL: (502, Flag.PROTOCOL_ERROR),
    Failure.TIMEOUT: (504, Flag.TIMEOUT),
}


@dataclass(frozen=True, slots=True)
class Again:
    """Make another attempt after so many seconds."""

    pause: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Answer with a status of the proxy's own."""

    status: int
    flags: tuple[Flag, ...]


class Attempts:
    """The attempts of one request. Whatever happens, `end` is called once.

    `deadline` is when all of it must be over, None for never. `is_replayable` says of the request that all of it is
    at hand to be sent again; it may become false while its body passes.
    """

    __slots__ = ("_budget", "_is_retrying", "_method", "_rule", "deadline", "is_replayable", "made")

    def __init__(self, rule: RetryRule | None, method: str, budget: RetryBudget, deadline: float | None) -> None:
        self._rule = rule
        self._method = method
        self._budget = budget
        self._is_retrying = False
        self.deadline = deadline
        self.is_replayable = rule is not None
        self.made = 0
        budget.begin()

    def begin(self, now: float) -> float | None:
        """An attempt begins: when it must be over."""
        self.made += 1
        within = None if self._rule is None else self._rule.within
        if within is None:
            return self.deadline
        return now + within if self.deadline is None else min(now + within, self.deadline)

    def failed(self, failure: Failure, now: float, draw: float, *, is_sent: bool) -> Again | GiveUp:
        """An attempt ended without an answer."""
        rule = self._rule
        is_wanted = rule is not None and rule.is_after_failure(failure, self._method, is_sent=is_sent)
        again = self._again(now, draw) if is_wanted and not self.is_over(now) else None
        if again is not None:
            return again
        status, flag = _ENDS[failure]
        return GiveUp(status, (flag, Flag.RETRIES_EXHAUSTED) if is_wanted and self._is_exhausted else (flag,))

    def answered(self, status: int, grpc_status: int | None, now: float, draw: float) -> Again | tuple[Flag, ...]:
        """The head of an answer is there: another attempt instead of it, or the flags with which it is passed on."""
        rule = self._rule
        if rule is None or not rule.is_after_answer(status, grpc_status, self._method):
            return ()
        again = self._again(now, draw)
        if again is not None:
            return again
        return (Flag.RETRIES_EXHAUSTED,) if self._is_exhausted else ()

    def is_over(self, now: float) -> bool:
        """Whether its time is."""
        return self.deadline is not None and now >= self.deadline

    def end(self) -> None:
        """The request is over, however."""
        self._settle()
        self._budget.end()

    @property
    def _is_exhausted(self) -> bool:
        return self._rule is not None and self.made > self._rule.attempts

    def _again(self, now: float, draw: float) -> Again | None:
        if self._rule is None or self._is_exhausted or not self.is_replayable:
            return None
        self._settle()
        wait = pause(self.made, draw)
        if self.deadline is not None and now + wait >= self.deadline:
            return None
        if not self._budget.take():
            return None
        self._is_retrying = True
        return Again(wait)

    def _settle(self) -> None:
        if self._is_retrying:
            self._is_retrying = False
            self._budget.give_back()
