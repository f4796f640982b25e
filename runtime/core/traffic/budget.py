"""The budget of retries: however a destination fails, retries are a share of its load and no multiple of it."""

from __future__ import annotations

_SHARE = 0.2
_LEAST = 3


class RetryBudget:
    """Retries on their way at once: at most a fifth of the requests on their way, and three in any case.

    Without it, `retry 3` makes four times the load of a destination that fails because it has too much of it.
    """

    __slots__ = ("_least", "_share", "active", "retries")

    def __init__(self, share: float = _SHARE, least: int = _LEAST) -> None:
        self._share = share
        self._least = least
        self.active = 0
        self.retries = 0

    def begin(self) -> None:
        """A request is on its way (all of its attempts are one)."""
        self.active += 1

    def end(self) -> None:
        """It is over."""
        assert self.active > 0, "a request ends that never began"
        self.active -= 1

    def take(self) -> bool:
        """Whether one more retry may be on its way; it is given back once."""
        if self.retries >= max(self._least, int(self._share * self.active)):
            return False
        self.retries += 1
        return True

    def give_back(self) -> None:
        """That retry is over."""
        assert self.retries > 0, "a retry ends that never began"
        self.retries -= 1
