"""When the keys of an issuer are fetched next: pure, by a clock and a draw that are passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds. `refresh`: after a success. `retry`, doubled to at most `most_retry`: after failures.

    `cooldown`: at least so long lies between two fetches, however many tokens name keys that nobody knows. `stale`: so
    long after the last success the keys are used on; then there are none.
    """

    refresh: float = 300.0
    retry: float = 1.0
    most_retry: float = 60.0
    cooldown: float = 10.0
    stale: float = 3600.0


class Schedule:
    """The times of one issuer. `draw` gives numbers from 0 to 1, so that a fleet does not ask all at once."""

    def __init__(self, pace: Pace, draw: Callable[[], float], now: float) -> None:
        self._pace = pace
        self._draw = draw
        self._failures = 0
        self._last = now
        self.next_at = now

    def succeeded(self, now: float) -> None:
        """Keys have come."""
        self._failures = 0
        self._last = now
        self.next_at = now + self._pace.refresh * (1 + _SPREAD * (2 * self._draw() - 1))

    def failed(self, now: float) -> None:
        """None have come: wait longer each time, by a time between half and whole."""
        wait = min(self._pace.most_retry, self._pace.retry * 2.0 ** min(self._failures, 32))
        self._failures += 1
        self._last = now
        self.next_at = now + wait * (1 + self._draw()) / 2

    def wanted(self, now: float) -> None:
        """Somebody misses a key. While fetching fails, nothing is gained by asking sooner."""
        if self._failures == 0:
            self.next_at = min(self.next_at, max(now, self._last + self._pace.cooldown))
