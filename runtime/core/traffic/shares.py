"""Shares in whole percents: which of several things a draw falls on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

_WHOLE = 100
_T = TypeVar("_T")


class Shares(Generic[_T]):
    """Things that share all traffic. Of the hundred equal parts of `[0, 1)` each gets as many as its percents."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[tuple[_T, int]]) -> None:
        """Raises `ValueError` where the shares are not all of it."""
        if sum(share for _, share in parts) != _WHOLE or any(share < 0 for _, share in parts):
            raise ValueError("the shares of a route do not sum to 100")
        self._parts = tuple(thing for thing, share in parts for _ in range(share))

    def at(self, draw: float) -> _T:
        """What a draw from `[0, 1)` falls on; nothing that has no share is ever it."""
        return self._parts[int(draw * _WHOLE)]


def is_hit(percent: int, draw: float) -> bool:
    """Whether a draw from `[0, 1)` falls within so many percents: never at 0, always at 100."""
    return int(draw * _WHOLE) < percent
