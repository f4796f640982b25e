"""What a peer may do that costs us and moves nothing: so much at once, so much a second, and more where work is done.

Each kind of frame that asks for no request has a budget of its own, filled again by time that is passed in and by the
work that makes such frames needed: a reader of much data sends many credits, and it may. Who goes past it is told to
calm down (`ENHANCE_YOUR_CALM`), and its connection ends. Numbers: docs/adr/0222.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.runtime.core.http2.frames import Code, ConnectionFault


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and so many a second after that."""

    at_once: int
    per_second: float


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """The budgets of one connection."""

    resets: Allowance = Allowance(500, 100.0)
    settings: Allowance = Allowance(20, 1.0)
    pings: Allowance = Allowance(500, 50.0)
    priorities: Allowance = Allowance(500, 20.0)
    credits: Allowance = Allowance(1000, 100.0)
    empties: Allowance = Allowance(100, 10.0)
    strays: Allowance = Allowance(500, 50.0)


class Budget:
    """What is left of an allowance."""

    __slots__ = ("_at", "_left", "_most", "_per_second", "_what")

    def __init__(self, allowance: Allowance, what: str, now: float) -> None:
        self._most = allowance.at_once
        self._per_second = allowance.per_second
        self._left = float(allowance.at_once)
        self._at = now
        self._what = what

    def spend(self, now: float) -> None:
        """Take one. Raises `ConnectionFault` when nothing is left. A clock that jumps back gives nothing."""
        elapsed = now - self._at
        if elapsed > 0.0:
            self._at = now
            self._left += elapsed * self._per_second
        left = min(self._left, self._most) - 1.0
        if left < 0.0:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, f"it sends too many {self._what}")
        self._left = left

    def earn(self, amount: int) -> None:
        """Give some for work that was done. What is past the allowance at once is lost when it is spent."""
        self._left += amount


class Floods:
    """All budgets of a connection, by the names of `FloodLimits`."""

    __slots__ = ("credits", "empties", "pings", "priorities", "resets", "settings", "strays")

    def __init__(self, limits: FloodLimits, now: float) -> None:
        self.resets = Budget(limits.resets, "requests that it ends at once", now)
        self.settings = Budget(limits.settings, "settings", now)
        self.pings = Budget(limits.pings, "pings", now)
        self.priorities = Budget(limits.priorities, "priorities", now)
        self.credits = Budget(limits.credits, "window updates", now)
        self.empties = Budget(limits.empties, "frames with nothing in them", now)
        self.strays = Budget(limits.strays, "frames that mean nothing", now)
