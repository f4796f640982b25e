"""Names of destinations, looked up off the path of requests: the last good answer holds (ADR 0213)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.timers import Timer, Timers

MOST_ADDRESSES = 256
"""Addresses of one name that are used; of more, the first ones by number, so that all processes use the same."""
_LEAST_SECONDS = 1.0
_THREADS = 4

Lookup = Callable[[str, int], Awaitable[Sequence[Address]]]
"""All addresses of a name and a port. Raises `OSError` where there are none, or nobody to ask."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Whom to tell of what."""

    name: str
    port: int
    changed: Callable[[tuple[Address, ...]], None]
    failed: Callable[[str], None]


class Resolver:
    """Looks up a name again and again, one question at a time; after a failure sooner, then less and less soon."""

    def __init__(self, watched: Watched, lookup: Lookup, timers: Timers, seconds: float) -> None:
        self._watched = watched
        self._lookup = lookup
        self._timers = timers
        self._seconds = seconds
        self._wait = _LEAST_SECONDS
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._known: tuple[Address, ...] = ()
        self._is_stopped = False
        self.answered = asyncio.Event()

    def start(self) -> None:
        """Ask for the first time."""
        self._timer = None
        if not self._is_stopped:
            self._task = asyncio.get_running_loop().create_task(self._ask())

    def stop(self) -> None:
        """Ask no more."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def _ask(self) -> None:
        watched = self._watched
        try:
            found = tuple(sorted(set(await self._lookup(watched.name, watched.port))))[:MOST_ADDRESSES]
        except (OSError, UnicodeError):
            found = ()
        if found:
            wait, self._wait = self._seconds, _LEAST_SECONDS
            if found != self._known:
                self._known = found
                watched.changed(found)
        else:
            wait = min(self._wait, self._seconds)
            self._wait = min(self._wait * 2, self._seconds)
            watched.failed(watched.name)
        self.answered.set()
        if not self._is_stopped:
            self._timer = self._timers.call_later(wait, self.start)


class SystemLookup:
    """The resolver of the system, on a few threads of its own: one that hangs holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "dns")

    async def __call__(self, name: str, port: int) -> Sequence[Address]:
        """Its addresses."""
        ask = partial(socket.getaddrinfo, name, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [Address(str(place[0]), port) for family, _, _, _, place in found if family in _FAMILIES]

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


_FAMILIES = frozenset((socket.AF_INET, socket.AF_INET6))
