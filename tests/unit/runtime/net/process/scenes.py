"""A parent with small workers, on loopback. Nothing here waits for a time: what is waited for is an event or a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.runtime.net.material.given_files import Files

from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.process.parent import Config, Parent
from meshproof.runtime.settings_run_file import read_run_settings

PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[5]
SMALL = "tests.unit.runtime.net.process.small_work:SmallWork"


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, however it is."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@dataclass
class Lines:
    """The lines of a journal."""

    found: list[dict[str, object]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, line: str) -> None:
        """One more."""
        self.found.append(json.loads(line))
        self._news.set()

    def of(self, event: str) -> list[dict[str, object]]:
        """Those of an event."""
        return [line for line in self.found if line["event"] == event]

    async def until(self, event: str, count: int = 1) -> dict[str, object]:
        """The line of an event, when there are so many."""
        while len(self.of(event)) < count:
            self._news.clear()
            await self._news.wait()
        return self.of(event)[count - 1]


@dataclass
class Line:
    """A connection to a worker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, text: str = "who") -> list[str]:
        """What it answers; nothing if it is gone."""
        try:
            self.writer.write(f"{text}\n".encode("ascii"))
            return (await self.reader.readline()).decode("ascii").split()
        except ConnectionError:
            return []


@dataclass
class Running:
    """A parent that runs."""

    parent: Parent
    lines: Lines
    files: Files
    opened: list[Line] = field(default_factory=list)

    async def open(self) -> Line:
        """A new connection to one of the workers."""
        place = self.parent.places[0]
        line = Line(*await asyncio.open_connection(place.address, place.port))
        self.opened.append(line)
        return line

    async def ask(self, text: str = "who") -> list[str]:
        """What a worker answers on a new connection."""
        return await (await self.open()).ask(text)

    async def page(self, path: str) -> tuple[int, str]:
        """Status and body of a page at the admin address."""
        host, port = str(self.lines.of("started")[0]["admin"]).split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: admin\r\n\r\n".encode("ascii"))
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            await closed(writer)
        return int(head.split(b" ")[1]), body.decode("utf-8")


def parent_of(files: Files, lines: Lines, make: str = SMALL) -> Parent:
    """A parent that has not started."""
    settings = read_run_settings(files.config)
    return Parent(Config(settings, files.config.read_bytes(), files.config), Journal(lines.write), make)


@asynccontextmanager
async def running(files: Files) -> AsyncIterator[Running]:
    """A parent that runs, and is drained in the end."""
    lines = Lines()
    found = Running(parent_of(files, lines), lines, files)
    await found.parent.start()
    try:
        yield found
    finally:
        for line in found.opened:
            await closed(line.writer)
        await found.parent.drain()


def run(body: Coroutine[None, None, None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run to the end, in time."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    asyncio.run(asyncio.wait_for(body, PATIENCE))


def run_with(files: Files, body: Callable[[Running], Coroutine[None, None, None]], patch: pytest.MonkeyPatch) -> None:
    """Run something with a parent that runs."""

    async def all_of_it() -> None:
        async with running(files) as found:
            await body(found)

    run(all_of_it(), patch)
