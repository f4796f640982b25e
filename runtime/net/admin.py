"""The admin address: a small server for probes, Prometheus and people, apart from what carries requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from meshproof.runtime.core.http1 import Head, HeadLimits, RequestReader
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings_run import Place

_CONNECTIONS = 32
_SECONDS = 10.0
"""For one connection, from its begin to its end."""
_LIMITS = HeadLimits(8192, 64)
_REASONS = {200: b"OK", 404: b"Not Found", 405: b"Method Not Allowed", 503: b"Service Unavailable"}
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    kind: str = _TEXT


Pages = Callable[[str], Awaitable[Page | None]]
"""What is at a path; None: nothing. It ends in its own time."""


class Admin:
    """Answers GET and HEAD, one request a connection; whoever is slow, or is one too many, is cut."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._connections: Room[_Connection] = Room()

    async def start(self, place: Place) -> Place:
        """Listen, and say where. Raises `RefusedError`."""
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: _Connection(self._pages, self._connections), *_pair(place))
        except OSError as error:
            raise RefusedError(f"`{place}` cannot be listened at: {error.strerror}") from None
        self._server = server
        host, port = server.sockets[0].getsockname()[:2]
        return Place(str(host), int(port))

    def stop(self) -> None:
        """End it, and what is on its way."""
        if self._server is not None:
            self._server.close()
        for one in self._connections:
            one.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, pages: Pages, connections: Room[_Connection]) -> None:
        self._pages = pages
        self._connections = connections
        self._reader = RequestReader(_LIMITS)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._connections) >= _CONNECTIONS:
            transport.abort()
            return
        self._connections.add(self)
        self._timer = asyncio.get_running_loop().call_later(_SECONDS, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        if self._answering is not None:
            return
        heads, fault = self._reader.feed(data)
        if heads:
            self._answering = asyncio.get_running_loop().create_task(self._answer(heads[0]))
        elif fault is not None:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _answer(self, head: Head) -> None:
        page = Page(405, b"only GET and HEAD are answered\n")
        if head.method in {"GET", "HEAD"}:
            page = await self._pages(head.target.partition("?")[0]) or Page(404, b"nothing is here\n")
        if self._transport is not None:
            self._transport.write(_bytes(page, has_body=head.method != "HEAD"))
            self._transport.close()


def _bytes(page: Page, *, has_body: bool) -> bytes:
    lines = (
        b"HTTP/1.1 %d %b" % (page.status, _REASONS[page.status]),
        b"content-type: %b" % page.kind.encode("ascii"),
        b"content-length: %d" % len(page.body),
        b"cache-control: no-store",
        b"x-content-type-options: nosniff",
        b"connection: close",
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + (page.body if has_body else b"")


def _pair(place: Place) -> tuple[str, int]:
    return place.address, place.port
