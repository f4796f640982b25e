"""The main of a worker: `python -P -m meshproof.runtime.net.process.child NUMBER-OF-A-DESCRIPTOR MODULE:NAME`.

It is told who it is and what to do by its parent, in the order of what is told, and ends with it. What does the work
is made by what has that name, which is loaded after the signals are settled; `worker.SIDECAR` outside of tests.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from meshproof.compiler.ir.json_text import Json
from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.loop import loop_factory
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.framing import identity_of_frame, keys_of_frame, policy_of_frame
from meshproof.runtime.net.material.identity import IdentityMaterial
from meshproof.runtime.net.material.policy import PolicyMaterial
from meshproof.runtime.net.process.channel import Channel
from meshproof.runtime.net.process.frames import Frame, FrameError
from meshproof.runtime.net.process.places import place_of_text
from meshproof.runtime.settings_run import Place, RunSettings
from meshproof.runtime.settings_run_file import parse_run_settings
from meshproof.runtime.tables import SettingError

_REFUSED = 2
_SWITCH_SECONDS = 0.0005
"""After which the event loop, or the thread of a log, lets the other one in: while one waits, each call of the loop's
wakes it for nothing."""
_GARBAGE = 10_000
"""Objects that are made before cycles are looked for: requests make none, connections a few."""


class Work(Protocol):
    """What a worker does; a sidecar outside of tests. Whatever it cannot take it refuses by `RefusedError`.

    It is told a policy and an identity before `serve` (an identity from an agent may come later), and new ones after
    it; what it refuses then leaves what it has. All calls come from one event loop, one after the other; `report` and
    `drain` may come between the awaits of another.
    """

    async def take_policy(self, material: PolicyMaterial) -> None:
        """Decide by this policy from now on. The parent has checked it: `load_policy` is what makes an engine of it."""

    def take_identity(self, material: IdentityMaterial) -> None:
        """Be this, and trust these, in handshakes that begin from now on. `load_identity` makes credentials of it."""

    def take_keys(self, issuer: IssuerName, text: bytes, seconds: float) -> None:
        """Verify tokens of the issuer by these keys, for so many seconds."""

    async def serve(self) -> None:
        """Listen: `process.places.shared` binds a socket beside those of the other workers."""

    async def drain(self, seconds: float) -> None:
        """Take nothing new, end what has begun, and cut what is not over after so many seconds."""

    def report(self) -> tuple[dict[str, Json], bytes]:
        """How it is, for `/policy`, and its metrics as `telemetry.metrics.snapshot.dump` writes them."""


Make = Callable[[int, RunSettings, tuple[Place, ...], Callable[[IssuerName], None]], Work]
"""Makes the work of a worker of that number, which calls the last one to have the keys of an issuer fetched soon.

The places are where it listens, with port 0 settled: of each `inbound` and then of each `outbound`, in their order.
"""


class Child:
    """Does what the parent says: one thing after the other, but reports and the end at once."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._ending = asyncio.Event()
        self._seconds = 0.0
        self._work: Work | None = None
        self._is_serving = False
        self._channel: Channel | None = None
        self._is_asked = False

    async def run(self, pair: socket.socket) -> int:
        """The exit code, at the end."""
        self._channel = await Channel.over(pair, self._heard, self.end)
        if self._is_asked:
            self._report()
        following = asyncio.create_task(self._follow())
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait((following, ending), return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            code = following.result()
            ending.cancel()
        else:
            following.cancel()
            code = 0
            if self._work is not None:
                await self._work.drain(self._seconds)
                self._report()
        self._channel.close()
        await asyncio.sleep(0)
        return code

    def end(self) -> None:
        """Drain, as the parent would have it: it is gone, or somebody ends this worker alone."""
        self._ending.set()

    def _heard(self, frame: Frame) -> None:
        match frame.kind:
            case "report":
                self._report()
            case "drain":
                self._seconds = float(frame.number("seconds"))
                self._ending.set()
            case _:
                self._frames.put_nowait(frame)

    def _report(self) -> None:
        if self._channel is None:  # what the parent says may come before the channel is known here
            self._is_asked = True
            return
        fields, metrics = ({}, b"") if self._work is None else self._work.report()
        self._channel.send(Frame("report", fields, (metrics,)))

    async def _follow(self) -> int:
        assert self._channel is not None
        while True:
            frame = await self._frames.get()
            try:
                await self._do(frame)
            except (RefusedError, SettingError) as error:
                self._channel.say("refused", why=str(error))
                if not self._is_serving:
                    return _REFUSED

    async def _do(self, frame: Frame) -> None:
        if frame.kind == "start":
            settings = parse_run_settings(frame.blobs[0], Path(frame.text("path")))
            self._seconds = float(settings.process.drain_seconds)
            places = tuple(map(place_of_text, frame.texts("places")))
            self._work = self._make(frame.number("number"), settings, places, self._want)
            return
        assert self._work is not None
        assert self._channel is not None
        match frame.kind:
            case "policy":
                await self._work.take_policy(policy_of_frame(frame))
            case "identity":
                self._work.take_identity(identity_of_frame(frame))
            case "keys":
                self._work.take_keys(*keys_of_frame(frame))
            case "serve":
                await self._work.serve()
                gc.collect()
                gc.freeze()  # what is here stays, and need not be looked through again and again
                gc.set_threshold(_GARBAGE)
                sys.setswitchinterval(_SWITCH_SECONDS)
                self._is_serving = True
                self._channel.say("serving")
            case _:
                raise FrameError(f"`{frame.kind}` is nothing that a worker does")

    def _want(self, issuer: IssuerName) -> None:
        assert self._channel is not None
        self._channel.say("want", issuer=issuer)


async def live(pair: socket.socket, make: Make) -> int:
    """Be a worker, until the parent or SIGTERM ends it; signals that a terminal sends to all are the parent's."""
    child = Child(make)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, child.end)
    return await child.run(pair)


def main() -> None:
    """Be a worker of a sidecar."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    module, _, name = sys.argv[2].partition(":")
    make: Make = getattr(import_module(module), name)
    pair = socket.socket(fileno=int(sys.argv[1]))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.exit(runner.run(live(pair, make)))


if __name__ == "__main__":
    main()
