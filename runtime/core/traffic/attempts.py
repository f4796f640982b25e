"""One request from its first attempt to what its caller gets: retries, their budget, and the time of each."""

from __future__ import annotations

from meshproof.runtime.core.messages import Failure
from meshproof.runtime.core.traffic.backoff import pause
from meshproof.runtime.core.traffic.budget import RetryBudget
from meshproof.runtime.core.traffic.retrying import RetryRule


class Attempts:
    """The attempts of one request. Whatever happens, `end` is called once.

    `is_replayable` says of the request that all of it is at hand to be sent again; it may become false while its
    body passes. `is_exhausted`: another attempt was due, and the route allows no more.
    """

    __slots__ = ("_budget", "_is_retrying", "_method", "_rule", "is_exhausted", "is_replayable", "made")

    def __init__(self, rule: RetryRule | None, method: str, budget: RetryBudget) -> None:
        self._rule = rule
        self._method = method
        self._budget = budget
        self._is_retrying = False
        self.is_replayable = rule is not None
        self.is_exhausted = False
        self.made = 0
        budget.begin()

    def begin(self) -> float | None:
        """An attempt begins: how many seconds it may take until there is an answer, None for as long as the request."""
        self.made += 1
        return None if self._rule is None else self._rule.within

    def failed(self, failure: Failure, draw: float) -> float | None:
        """An attempt ended without an answer: in how many seconds to make another one, None for not at all."""
        rule = self._rule
        if rule is None or not rule.is_after_failure(failure, self._method):
            return None
        return self._again(rule, draw)

    def answered(self, status: int, grpc_status: int | None, draw: float) -> float | None:
        """The head of an answer is there: in how many seconds to ask again, None to pass it on."""
        rule = self._rule
        if rule is None or not rule.is_after_answer(status, grpc_status, self._method):
            return None
        return self._again(rule, draw)

    def end(self) -> None:
        """The request is over, however."""
        self._settle()
        self._budget.end()

    def _again(self, rule: RetryRule, draw: float) -> float | None:
        self._settle()
        if self.made > rule.attempts:
            self.is_exhausted = True
            return None
        if not self.is_replayable or not self._budget.take():
            return None
        self._is_retrying = True
        return pause(self.made, draw)

    def _settle(self) -> None:
        if self._is_retrying:
            self._is_retrying = False
            self._budget.give_back()
