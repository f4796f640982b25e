"""What is told again and again: at once when it begins, and then once in a while with how often it was meanwhile."""

from __future__ import annotations

from math import inf
from typing import Protocol

_SECONDS = 60.0
_MOST = 256


class Tell(Protocol):
    """Writes a line of the process's own log."""

    def __call__(self, event: str, **said: str | int) -> None:
        """One event and what is said of it."""


class _Kind:
    __slots__ = ("count", "told_at")

    def __init__(self) -> None:
        self.count = 0
        self.told_at = -inf


class Repeating:
    """Events of one name, by kind: words of a fixed set, so that a peer cannot make more of them."""

    def __init__(self, event: str, tell: Tell, seconds: float = _SECONDS) -> None:
        self._event = event
        self._tell = tell
        self._seconds = seconds
        self._now = 0.0
        self._kinds: dict[str, _Kind] = {}

    def add(self, what: str) -> None:
        """It has happened once more."""
        kind = self._kinds.get(what)
        if kind is None:
            if len(self._kinds) >= _MOST:
                return  # the metrics still count it
            kind = self._kinds[what] = _Kind()
        kind.count += 1
        if self._now - kind.told_at >= self._seconds:
            self._say(what, kind)

    def tick(self, now: float) -> None:
        """The monotonic clock says so: tell what was held back long enough."""
        self._now = now
        for what, kind in self._kinds.items():
            if kind.count and now - kind.told_at >= self._seconds:
                self._say(what, kind)

    def close(self) -> None:
        """Tell what is held back."""
        for what, kind in self._kinds.items():
            if kind.count:
                self._say(what, kind)

    def _say(self, what: str, kind: _Kind) -> None:
        self._tell(self._event, what=what, times=kind.count)
        kind.count = 0
        kind.told_at = self._now
