"""Time and chance as the runtime hands them to what is pure: an event loop is such a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will happen, unless it is called off."""

    def cancel(self) -> None:
        """It will not."""


class Timers(Protocol):
    """A clock that only goes forward, and calls back."""

    def time(self) -> float:
        """Seconds since some moment."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call it once, after so many seconds and never before this has returned."""
