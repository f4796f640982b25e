"""The parent: it keeps as many workers as it was told to, and tells all of them the same."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress

from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.process.backoff import Backoff
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.net.process.places import place_of, reserved
from meshproof.runtime.net.process.worker import SIDECAR, State, Worker
from meshproof.runtime.settings_run import Place

_BEAT = 5.0
"""Seconds between two questions to a worker how it is."""
_SILENT = 60.0
"""One that has not answered for so long does nothing any more, or nothing else."""
_GRACE = 5
"""Seconds that a worker may take for its own end, beside what drains."""


class Supervisor:
    """`frames` are what a new worker of a number is told; `told` is called with what workers say of other things.

    `departed` is called with a worker that has ended and how: its exit code, or the name of a signal.
    """

    def __init__(
        self,
        count: int,
        journal: Journal,
        frames: Callable[[int], Iterable[Frame]],
        told: Callable[[Worker, Frame], None],
        departed: Callable[[Worker, str], None],
        make: str = SIDECAR,
    ) -> None:
        self._count = count
        self._journal = journal
        self._frames = frames
        self._told = told
        self._departed = departed
        self._make = make
        self._reserved: list[socket.socket] = []
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._drain_seconds: int | None = None
        self.workers: dict[int, Worker] = {}

    def reserve(self, places: Iterable[Place]) -> tuple[Place, ...]:
        """Keep places for the workers, and say where they are. Raises `RefusedError`."""
        for place in places:
            self._reserved.append(reserved(place))
        return tuple(place_of(one) for one in self._reserved)

    @property
    def is_serving(self) -> bool:
        """Whether a worker takes connections."""
        return any(one.state is State.SERVING for one in self.workers.values())

    async def start(self) -> None:
        """Start all workers, and wait until they serve. Raises `RefusedError` if one of them cannot, and ends them."""
        now = asyncio.get_running_loop().time()
        first = tuple(Worker(number, self._make, self._told, now) for number in range(self._count))
        self._tasks += [asyncio.create_task(self._keep(worker)) for worker in first]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(worker.settled.wait() for worker in first)), _SILENT)
        for worker in first:
            if worker.state is not State.SERVING:
                why = worker.refused or (
                    "a worker ended before it served; it has said why"
                    if worker.settled.is_set()
                    else f"a worker does not serve after {_SILENT:g} seconds"
                )
                await self.drain(0)
                raise RefusedError(why)
        self._tasks.append(asyncio.create_task(self._watch()))

    def say(self, frame: Frame) -> None:
        """Tell all workers something. Those that start later are told by `frames`."""
        for worker in self.workers.values():
            worker.say(frame)

    async def reports(self, seconds: float) -> tuple[Worker, ...]:
        """All workers, those that answer within that time with a fresh report."""
        workers = tuple(self.workers.values())
        await asyncio.gather(*(one.fresh_report(seconds) for one in workers))
        return workers

    async def drain(self, seconds: int) -> None:
        """End all workers after what has begun, or after so many seconds; and keep no place any more."""
        self._drain_seconds = seconds
        self._ending.set()
        for worker in self.workers.values():
            worker.drain(seconds)
        await self._all_ended(seconds + _GRACE)
        self._cut()
        await self._all_ended(_GRACE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self._reserved:
            one.close()

    def _cut(self) -> None:
        """End all workers now."""
        for worker in self.workers.values():
            worker.kill()

    async def _all_ended(self, seconds: float) -> None:
        keepers = self._tasks[: self._count]
        if keepers:
            await asyncio.wait(keepers, timeout=seconds)

    async def _keep(self, worker: Worker) -> None:
        """One worker after the other, until the end."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while True:
            self.workers[worker.number] = worker
            code = await self._lived(worker)
            how = signal.Signals(-code).name if code < 0 else str(code)
            self._departed(worker, how)
            if self._ending.is_set():
                return
            wait = backoff.ended(loop.time() - worker.started)
            self._tell_end(worker, how, wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), wait)
            if self._ending.is_set():
                return
            worker = Worker(worker.number, self._make, self._told, loop.time())

    async def _lived(self, worker: Worker) -> int:
        """How it ended: its exit code, negative for a signal."""
        try:
            await worker.start(self._frames)
        except OSError as error:
            worker.fail(f"a worker cannot be started: {error.strerror}")
            return 1
        if self._drain_seconds is not None:
            worker.drain(self._drain_seconds)
        return await worker.ended()

    def _tell_end(self, worker: Worker, how: str, wait: float) -> None:
        why = {"why": worker.refused} if worker.refused else {}
        self._journal.tell("worker-ended", worker=worker.number, code=how, again_ms=round(wait * 1000), **why)

    async def _watch(self) -> None:
        """Ask workers how they are; end one that says nothing, so that it is started again."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_BEAT)
            for worker in await self.reports(_BEAT):
                is_silent = loop.time() - worker.reported > _SILENT
                if is_silent and worker.state in {State.STARTING, State.SERVING}:
                    self._journal.tell("worker-silent", worker=worker.number)
                    worker.kill()
