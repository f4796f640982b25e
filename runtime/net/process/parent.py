"""A sidecar from its start to its last signal, as its parent: it carries no request, and listens for probes alone."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path

from meshproof.compiler.ir.json_text import Json
from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.admin import Admin
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.material.agent import follow
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.material.keys import IssuerKeys, check_files
from meshproof.runtime.net.process.descriptors import shortage
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.net.process.pages import SidecarPages
from meshproof.runtime.net.process.readiness import Readiness
from meshproof.runtime.net.process.supervisor import Supervisor
from meshproof.runtime.net.process.telling import Telling
from meshproof.runtime.net.process.worker import SIDECAR, Worker
from meshproof.runtime.settings_run import Place, RunSettings, WorkloadApi
from meshproof.runtime.telemetry.making import refuse_unwritable
from meshproof.runtime.telemetry.pushing import Pusher, pushers, refuse_what_is_missing

_REPORT_SECONDS = 2.0
"""How long workers may take to say how they are before metrics are pushed."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, with the bytes that they were read from: workers read the same."""

    settings: RunSettings
    content: bytes
    path: Path


class Parent:
    """`make` names what makes the work of a worker."""

    def __init__(self, config: Config, journal: Journal, make: str = SIDECAR) -> None:
        settings = config.settings
        self._config = config
        self._journal = journal
        self._telling = Telling(journal)
        self._given = Given(settings, self._telling, self._swap)
        self._keys = IssuerKeys(settings.tokens, self._swap, self._keys_refused)
        self._supervisor = Supervisor(
            settings.process.workers, journal, self._frames, self._told, self._telling.exited, make
        )
        self._pages = SidecarPages(self._given, self._keys, self._supervisor, self._telling)
        self._admin = Admin(self._pages.page)
        self._readiness = Readiness()
        self._places: tuple[Place, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_started = False
        self._pushers: tuple[Pusher, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Where workers listen: of each `inbound`, then of each `outbound`."""
        return self._places

    async def start(self) -> None:
        """Start whole, or raise `RefusedError` and leave nothing behind."""
        settings = self._config.settings
        admin: dict[str, str] = {}
        try:
            self._given.load()
            self._pages.shortage = _shortage(settings, self._telling)
            self._pushers = pushers(settings.telemetry, settings.service, time.time())
            self._places = self._supervisor.reserve(_listened(settings))
            if settings.admin is not None:
                admin = {"admin": str(await self._admin.start(settings.admin))}
            await self._keys.start()
            await self._supervisor.start()
        except RefusedError:
            await self._stop(0)
            raise
        if isinstance(settings.identity, WorkloadApi):
            self._begin(follow(settings.identity, self._given))
        if settings.process.watch_seconds:
            self._begin(self._watch(settings.process.watch_seconds))
        for pusher in self._pushers:
            self._begin(self._push(pusher))
        self._has_started = True
        policy = self._given.policy.taken
        assert policy is not None
        self._journal.tell("started", policy=policy.name, listen=" ".join(map(str, self._places)), **admin)
        self._readiness.ready()

    async def reload(self) -> None:
        """Take all files as they are now; what is not good is told, and changes nothing."""
        self._readiness.reloading()
        await self._given.reload()
        await self._keys.refresh()
        self._readiness.ready()

    async def drain(self) -> None:
        """End after what has begun."""
        self._pages.is_draining = True
        self._readiness.stopping()
        self._journal.tell("draining", workers=len(self._supervisor.workers))
        await self._stop(self._config.settings.process.drain_seconds)
        self._journal.tell("stopped")

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; SIGHUP reloads. Raises `RefusedError` if it cannot start."""
        loop = asyncio.get_running_loop()
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        starting = loop.create_task(self.start())
        waiting = loop.create_task(ending.wait())
        await asyncio.wait((starting, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await self._stop(0)
            return
        try:
            starting.result()
            await waiting
        finally:
            waiting.cancel()
        await self.drain()

    def _reload_soon(self) -> None:
        if self._has_started:
            self._begin(self.reload())

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, seconds: int) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._given.look()
                await self._keys.look()
            except Exception as error:  # noqa: BLE001  whatever it is, it must not be the last look
                self._journal.tell("look-failed", why=f"{type(error).__name__}: {error}")

    async def _push(self, pusher: Pusher) -> None:
        """Tell metrics to who does not ask, in a thread that nobody waits for; a failure is told when it begins."""
        was_taken = True
        while True:
            await asyncio.sleep(pusher.seconds)
            workers = await self._supervisor.reports(_REPORT_SECONDS)
            snapshot = self._telling.snapshot(workers, self._given)
            is_taken = await asyncio.to_thread(pusher.push, snapshot, time.time())
            if was_taken and not is_taken:
                self._journal.tell("metrics-not-taken", by=pusher.name)
            was_taken = is_taken

    async def _stop(self, seconds: int) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await self._supervisor.drain(seconds)
        await self._keys.stop()
        self._given.close()
        self._admin.stop()
        for pusher in self._pushers:
            pusher.close()
        self._pushers = ()

    def _frames(self, number: int) -> Iterable[Frame]:
        config = self._config
        fields: dict[str, Json] = {
            "number": number,
            "path": str(config.path.absolute()),
            "places": [*map(str, self._places)],
        }
        yield Frame("start", fields, (config.content,))
        yield from self._given.frames
        yield from self._keys.frames
        yield Frame("serve")

    def _swap(self, frame: Frame) -> None:
        self._supervisor.say(frame)

    def _told(self, worker: Worker, frame: Frame) -> None:
        match frame.kind:
            case "want":
                self._keys.want(IssuerName(frame.text("issuer")))
            case "serving":
                self._journal.tell("worker-serving", worker=worker.number, pid=worker.pid)
            case "refused":
                self._journal.tell("worker-refused", worker=worker.number, why=frame.text("why"))
            case _:
                return

    def _keys_refused(self, issuer: str, why: str) -> None:
        self._telling.refused(f"keys of {issuer}", why)


def _listened(settings: RunSettings) -> tuple[Place, ...]:
    return (*(one.listen for one in settings.inbound), *(one.listen for one in settings.outbound))


def _shortage(settings: RunSettings, telling: Telling) -> str:
    """Have the descriptors that are needed, or say that there are too few. Workers have the same."""
    found = shortage(settings)
    if found:
        telling.gap(found)
    return found


def check(config: Config, journal: Journal) -> None:
    """Load all that the settings name, and listen nowhere; what does not fit is told.

    Keys at URLs are not fetched, and agents are not asked. Raises `RefusedError`, and `SettingError` where a log could
    not be written.
    """
    telling = Telling(journal)
    Given(config.settings, telling, lambda _: None, is_trial=True).load()
    _shortage(config.settings, telling)
    check_files(config.settings.tokens)
    refuse_what_is_missing(config.settings.telemetry)
    refuse_unwritable(config.settings.telemetry)
