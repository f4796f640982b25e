"""Copies of requests: fire and forget, and never more at once than a bound."""

from __future__ import annotations

from meshproof.runtime.core.traffic.breaker import Gate

MOST_COPIES = 128


class Mirroring:
    """The copies of one cluster. One that finds no room is not sent: whoever calls never notices, and never waits."""

    __slots__ = ("_gate", "dropped")

    def __init__(self, most: int = MOST_COPIES) -> None:
        self._gate = Gate(most)
        self.dropped = 0

    @property
    def active(self) -> int:
        """The copies on their way."""
        return self._gate.count

    def begin(self) -> bool:
        """Whether there is room for a copy; then it ends once."""
        if self._gate.enter():
            return True
        self.dropped += 1
        return False

    def end(self) -> None:
        """A copy was answered, failed, or took too long: all the same."""
        self._gate.leave()
