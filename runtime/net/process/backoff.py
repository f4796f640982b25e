"""How long to wait before a worker that ended is started again: pure, times are passed in."""

from __future__ import annotations

_FIRST = 0.1
_LONGEST = 30.0
_GOOD_AFTER = 60.0


class Backoff:
    """Of one worker. The first restart comes soon; each that follows on a short life waits twice as long."""

    def __init__(self) -> None:
        self._failures = 0

    def ended(self, lived: float) -> float:
        """It ended after so many seconds: how many to wait."""
        self._failures = 1 if lived >= _GOOD_AFTER else self._failures + 1
        return float(min(_LONGEST, _FIRST * 2.0 ** (min(self._failures, 32) - 1)))
