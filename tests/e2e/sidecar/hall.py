"""Sidecars of this process, on an event loop in a thread of its own, each with an application behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

from meshproof.runtime.core.codec import Codec
from meshproof.runtime.core.codec_choice import FirstBytes
from meshproof.runtime.core.exchange import Surroundings
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_server import Http1Server, ServerRules
from meshproof.runtime.core.http2 import sending
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import Answer, ConnectionRecord, Record, RequestHead, Respond, Side
from meshproof.runtime.net.outbound_link import Link
from meshproof.runtime.net.process.places import place_of
from meshproof.runtime.settings_run import Place

_T = TypeVar("_T")
_FREE = Place("127.0.0.1", 0)


class Nobody:
    """Telemetry that nobody reads."""

    def request(self, record: Record) -> None:
        assert record.status in {0, 200}

    def opened(self, connection: ConnectionRecord) -> None:
        assert connection.port == 0

    def closed(self, connection: ConnectionRecord) -> None:
        assert connection.port == 0

    def fault(self, what: str) -> None:
        assert what


NOBODY = Nobody()


class Application:
    """What stands behind sidecars: it answers 200 to all and says what it saw, in either version of HTTP."""

    def __init__(self, name: str = "") -> None:
        self._name = name

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer:
        del record, later
        seen = (("x-seen-path", head.target), ("x-seen-host", head.authority), ("x-seen-by", self._name))
        return Respond(200, b"", tuple((name.encode(), value.encode("latin-1")) for name, value in seen if value))

    def made(self, link: Link) -> Codec:
        loop = asyncio.get_running_loop()
        record = ConnectionRecord(Side.INBOUND, "", "", 0)
        around = Surroundings(record, self, NOBODY, loop.time, loop.call_later)

        def chosen(is_http2: bool) -> Http1Server | Http2Server:
            if is_http2:
                shared = sending.Surroundings(link, loop.time, loop.call_soon, NOBODY.fault)
                return Http2Server(shared, Http2Limits(takes_underscores=True), around.open)
            limits = Http1Limits(takes_underscores=True)
            return Http1Server(link, ServerRules(loop.time, NOBODY.fault, limits), around.open)

        return FirstBytes(link, loop.time, 10.0, chosen)

    def received(self, link: Link) -> None:
        assert isinstance(link, Link)

    def lost(self, link: Link) -> None:
        assert link.codec is None


class Echo(asyncio.Protocol):
    """Sends everything back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class Hall:
    """The loop, and what runs on it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.http = _FREE
        self.tcp = _FREE
        self._servers: list[asyncio.Server] = []
        self._named: dict[str, Place] = {}

    def do(self, work: Coroutine[None, None, _T]) -> _T:
        """Do something on the loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def serve(self, made: Callable[[], asyncio.BaseProtocol]) -> Place:
        """Listen somewhere, to the end."""
        server = await self.loop.create_server(made, _FREE.address, 0)
        self._servers.append(server)
        return place_of(server.sockets[0])

    async def application(self, name: str) -> Place:
        """One for HTTP that says its name."""
        if name not in self._named:
            self._named[name] = await self.serve(lambda: Link(Application(name)))
        return self._named[name]

    async def close(self) -> None:
        """End what listens."""
        for server in self._servers:
            server.close()
        await asyncio.sleep(0)


@contextmanager
def open_hall() -> Iterator[Hall]:
    """A hall with its applications: one for HTTP, one for TCP."""
    hall = Hall()
    hall.thread.start()
    try:
        hall.http = hall.do(hall.serve(lambda: Link(Application())))
        hall.tcp = hall.do(hall.serve(Echo))
        yield hall
    finally:
        hall.do(hall.close())
        hall.loop.call_soon_threadsafe(hall.loop.stop)
        hall.thread.join(10)
        hall.loop.close()
