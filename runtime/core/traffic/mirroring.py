"""Copies of requests: fire and forget, and never more at once than a bound."""

from __future__ import annotations

from meshproof.runtime.core.traffic.breaker import Gate
from meshproof.runtime.core.traffic.shares import is_hit

MOST_COPIES = 128
MOST_BODY = 65_536


class Mirroring:
    """Who is copied. A copy that cannot be sent is not sent: whoever calls never notices, and never waits.

    Bodies are copied whole or not at all: of one larger than `MOST_BODY` there is no copy.
    """

    __slots__ = ("_gate", "dropped")

    def __init__(self, most: int = MOST_COPIES) -> None:
        self._gate = Gate(most)
        self.dropped = 0

    @property
    def active(self) -> int:
        """The copies on their way."""
        return self._gate.count

    def begin(self, percent: int, draw: float) -> bool:
        """Whether this request is copied; then the copy ends once."""
        if not is_hit(percent, draw):
            return False
        if self._gate.enter():
            return True
        self.dropped += 1
        return False

    def end(self) -> None:
        """A copy was answered, failed, or took too long: all the same."""
        self._gate.leave()
