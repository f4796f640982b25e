"""A worker as its parent sees it: one process, one channel to it, and what it told last."""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum

from meshproof.runtime.net.process.channel import Channel
from meshproof.runtime.net.process.frames import Frame

_SECONDS = 1.0
"""How long what a worker said last may take after its end."""
_CHILD = "meshproof.runtime.net.process.child"

SIDECAR = "meshproof.runtime.net.sidecar:make_sidecar"
"""What makes the work of a sidecar; it is a `child.Make`. Named and not imported: the parent has no use for it."""


class State(StrEnum):
    """How far a worker is."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    ENDED = "ended"


class Worker:
    """`refused` is why it cannot start, where it says so. `report` is the last one that came."""

    def __init__(self, number: int, make: str, tell: Callable[[Worker, Frame], None], started: float) -> None:
        """`make`: the `MODULE:NAME` of what makes its work."""
        self.number = number
        self._make = make
        self.started = started
        self.state = State.STARTING
        self.refused = ""
        self.report = Frame("report", {}, (b"",))
        self.reported = started
        self.settled = asyncio.Event()
        self._over = asyncio.Event()
        self._tell = tell
        self._process: Process | None = None
        self._channel: Channel | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def pid(self) -> int:
        """The number of its process."""
        return 0 if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether its process is there no more."""
        return self.state is State.ENDED

    async def start(self, frames: Callable[[int], Iterable[Frame]]) -> None:
        """Start the process and tell it what it needs to know, as it is then. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-P", "-m", _CHILD, str(theirs.fileno()), self._make)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),)
                )
            except OSError:
                ours.close()
                raise
        self._channel = await Channel.over(ours, self._heard, self._gone)
        for frame in frames(self.number):
            self._channel.send(frame)

    def fail(self, why: str) -> None:
        """It could not be started at all."""
        self.refused = why
        self.state = State.ENDED
        self._settle()

    def say(self, frame: Frame) -> None:
        """Tell it something."""
        if self._channel is not None:
            self._channel.send(frame)

    def drain(self, seconds: int) -> None:
        """Ask it to end after what has begun."""
        if self.state is not State.ENDED:
            self.state = State.DRAINING
            self.say(Frame("drain", {"seconds": seconds}))

    def kill(self) -> None:
        """End it now, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> int:
        """Its exit code, when it has ended; negative for a signal."""
        assert self._process is not None
        code = await self._process.wait()
        if self._channel is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _SECONDS)  # what it said last counts
            self._channel.close()
        self.state = State.ENDED
        self._settle()
        return code

    async def fresh_report(self, seconds: float) -> bool:
        """Ask for a report; whether one comes within that time. The last one stays where it is else."""
        if self._channel is None or self.has_ended:
            return False
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._channel.say("report")
        try:
            await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return False
        return not self.has_ended

    def _heard(self, frame: Frame) -> None:
        match frame.kind:
            case "serving":
                if self.state is State.STARTING:
                    self.state = State.SERVING
                self.settled.set()
                self._tell(self, frame)
            case "refused":
                self.refused = frame.text("why")
                self._tell(self, frame)
            case "report":
                self.report = frame
                self.reported = asyncio.get_running_loop().time()
                self._release()
            case _:
                self._tell(self, frame)

    def _gone(self) -> None:
        self._over.set()
        self._settle()

    def _settle(self) -> None:
        self.settled.set()
        self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)
