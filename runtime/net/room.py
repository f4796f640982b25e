"""The connections that are there, and word of when the last one has left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Room(Generic[_T]):
    """Members of a set whose end can be waited for."""

    def __init__(self) -> None:
        self._members: set[_T] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[_T]:
        """Those that are there now, whoever leaves meanwhile."""
        return iter(tuple(self._members))

    def add(self, member: _T) -> None:
        """Let one in."""
        self._members.add(member)
        self._empty.clear()

    def discard(self, member: _T) -> None:
        """One leaves, if it was there."""
        self._members.discard(member)
        if not self._members:
            self._empty.set()

    async def emptied(self, seconds: float) -> bool:
        """Whether all have left within that time."""
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            return False
        return True
