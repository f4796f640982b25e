"""Keeps the keys of issuers current: one fetch at a time for each, sooner where a key is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.tokens.fetch import FetchError
from meshproof.runtime.tokens.keys import KeysError, KeySet, key_set
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.schedule import Pace, Schedule

Fetch = Callable[[], Awaitable[bytes]]
"""What gets a key set's text; it raises `FetchError`, and ends in its own time."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """`monotonic` never goes back; `draw` gives numbers from 0 to 1."""

    monotonic: Callable[[], float]
    draw: Callable[[], float]


Tell = Callable[[IssuerName, KeySet | None, str], None]
"""Called after each fetch: with the keys, or with None and why there are none."""


class KeyRefresher:
    """The keys of all issuers that a process needs. Made and used in one event loop."""

    def __init__(self, sources: Mapping[IssuerName, Fetch], pace: Pace, clocks: Clocks, tell: Tell) -> None:
        self._keepers = {name: _Keeper(name, fetch, pace, clocks, tell) for name, fetch in sources.items()}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def rings(self) -> Mapping[IssuerName, KeyRing]:
        """For verifiers; they stay the same."""
        return {name: keeper.ring for name, keeper in self._keepers.items()}

    async def start(self) -> None:
        """Fetch all once, whether that succeeds or not, and go on by the clock until `stop`."""
        await self.refresh()
        self._tasks = [asyncio.create_task(keeper.run()) for keeper in self._keepers.values()]

    async def refresh(self) -> bool:
        """Fetch all now; whether all have come. What does not come leaves the keys that are there."""
        return all(await asyncio.gather(*(keeper.refresh() for keeper in self._keepers.values())))

    async def stop(self) -> None:
        """End. Keys stay as they are until they are too old."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []


class _Keeper:
    def __init__(self, name: IssuerName, fetch: Fetch, pace: Pace, clocks: Clocks, tell: Tell) -> None:
        self._name = name
        self._fetch = fetch
        self._pace = pace
        self._clock = clocks.monotonic
        self._tell = tell
        self._schedule = Schedule(pace, clocks.draw, clocks.monotonic())
        self._fetching = asyncio.Lock()
        self._sooner = asyncio.Event()
        self.ring = KeyRing(clocks.monotonic, self._want)

    async def run(self) -> None:
        """Fetch when it is time, until this is cancelled."""
        while True:
            await asyncio.sleep(0)  # a fetch that never waits, at no pace, would let nobody else run
            self._sooner.clear()
            wait = self._schedule.next_at - self._clock()
            if wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._sooner.wait(), wait)
            else:
                await self.refresh()

    async def refresh(self) -> bool:
        """Fetch now; if somebody does already, wait for that and fetch again."""
        async with self._fetching:
            try:
                keys = key_set(await self._fetch())
            except (FetchError, KeysError) as error:
                self._schedule.failed(self._clock())
                self._tell(self._name, None, str(error))
                return False
            now = self._clock()
            self.ring.put(keys, now + self._pace.stale)
            self._schedule.succeeded(now)
            self._tell(self._name, keys, "")
            return True

    def _want(self) -> None:
        before = self._schedule.next_at
        self._schedule.wanted(self._clock())
        if self._schedule.next_at < before:
            self._sooner.set()
