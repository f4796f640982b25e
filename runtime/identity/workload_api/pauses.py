"""How long to wait before an agent is asked again: pure, times and chance are passed in."""

from __future__ import annotations

_FIRST, _LONGEST = 0.5, 30.0
_GOOD_AFTER = 60.0


class Pauses:
    """Twice as long each time that an agent has given nothing good, and soon again after it has."""

    def __init__(self) -> None:
        self._failures = 0

    def ended(self, lived: float, chance: float, *, was_good: bool) -> float:
        """A stream has ended after so many seconds: how many to wait.

        `chance`, from 0 to 1, spreads the proxies of a machine whose agent starts again. `was_good`: something was
        taken from it. One that gives and ends at once is asked as seldom as one that is not there.
        """
        self._failures = 1 if was_good and lived >= _GOOD_AFTER else self._failures + 1
        longest = min(_LONGEST, _FIRST * 2.0 ** (min(self._failures, 32) - 1))
        return float(longest * (0.5 + chance / 2))
