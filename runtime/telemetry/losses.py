"""Logs that lose lines: it is told when that begins, and when it is over."""

from __future__ import annotations

from meshproof.runtime.telemetry.repeating import Tell


class Loss:
    """What was lost of one log: up to the last look, and up to what was told."""

    __slots__ = ("_is_going_on", "_name", "_seen", "_told")

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen = self._told = 0
        self._is_going_on = False

    def look(self, lost: int, tell: Tell) -> None:
        """So many lines are lost by now."""
        if lost > self._seen and not self._is_going_on:
            tell("log-loses-lines", log=self._name)
        elif lost == self._seen and self._is_going_on:
            tell("log-lost-lines", log=self._name, lines=lost - self._told)
            self._told = lost
        self._is_going_on, self._seen = lost > self._seen, lost
