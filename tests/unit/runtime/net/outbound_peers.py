"""Servers that do what a test says, and what telemetry was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from meshproof.runtime.core.exchange import Surroundings
from meshproof.runtime.core.http1_server import Http1Server, ServerRules
from meshproof.runtime.core.http2 import sending
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import (
    Answer,
    ClientStream,
    ConnectionRecord,
    Failure,
    Fields,
    Forward,
    Record,
    RequestHead,
    Respond,
    ResponseHead,
    ResponseListener,
    Side,
)
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.outbound_link import Link
from meshproof.runtime.net.process.places import place_of
from meshproof.runtime.settings_run import Place


@dataclass
class Told:
    """What telemetry was told."""

    requests: list[Record] = field(default_factory=list)
    connections: list[ConnectionRecord] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def request(self, record: Record) -> None:
        self.requests.append(record)

    def opened(self, connection: ConnectionRecord) -> None:
        self.connections.append(connection)

    def closed(self, connection: ConnectionRecord) -> None:
        assert connection in self.connections
        self.ended.set()

    def fault(self, what: str) -> None:
        self.faults.append(what)

    def event(self, destination: str, what: str) -> None:
        self.events.append((destination, what))


Script = Callable[[RequestHead], Respond | None]


class Peer:
    """A server of HTTP. It answers by its script, or not at all where that says None; `seen` are the heads."""

    def __init__(self, identities: Identities | None, script: Script, *alpn: str) -> None:
        self._identities = identities
        self._alpn = alpn or ("h2", "http/1.1")
        self.script = script
        self.seen: asyncio.Queue[RequestHead] = asyncio.Queue()
        self.heads: list[RequestHead] = []
        self.versions: list[str] = []
        self.links: list[Link] = []
        self.sizes: list[int] = []
        self.held: list[_Application] = []
        self.resets: list[Failure] = []
        self.told = Told()
        self.server: asyncio.Server | None = None
        self.place = Place()

    async def start(self, place: Place | None = None) -> Peer:
        """Listen, where it did before if it did."""
        loop = asyncio.get_running_loop()
        context = None if self._identities is None else self._identities.server(self._alpn)
        asked = place or self.place
        self.server = await loop.create_server(
            lambda: Link(_Ends(self)), asked.address, asked.port, ssl=context, reuse_address=True
        )
        self.place = place_of(self.server.sockets[0])
        return self

    def stop(self) -> None:
        """Die."""
        assert self.server is not None
        self.server.close()
        for link in self.links:
            link.abort()

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer | None:
        """As a desk."""
        del record, later
        self.heads.append(head)
        self.versions.append(head.version)
        return Forward(_Application(self), head)

    @property
    def address(self) -> Place:
        return self.place


class _Application:
    """Reads a request whole, and answers it by the script of its peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._size = 0

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        self._head = head
        self._listener = listener
        if head.is_end:
            asyncio.get_running_loop().call_soon(self._done)
        return self

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self._size += len(payload)
        if is_end:
            self._done()

    def trailers(self, fields: Fields) -> None:
        assert fields
        self._done()

    def _done(self) -> None:
        peer = self._peer
        peer.sizes.append(self._size)
        peer.seen.put_nowait(self._head)
        answer = peer.script(self._head)
        if answer is None:
            peer.held.append(self)
        else:
            self.answer(answer)

    def answer(self, answer: Respond) -> None:
        listener, body = self._listener, answer.body
        listener.response(ResponseHead(answer.status, list(answer.fields), len(body), is_end=not body))
        if body:
            listener.data(body, is_end=True)

    def reset(self, failure: Failure) -> None:
        self._peer.resets.append(failure)

    def pause(self) -> None:
        assert self not in self._peer.held

    def resume(self) -> None:
        assert self not in self._peer.held


class _Ends:
    """One connection of a peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def made(self, link: Link) -> Http1Server | Http2Server:
        peer = self._peer
        peer.links.append(link)
        record = ConnectionRecord(Side.INBOUND, "", "back", 8080)
        loop = asyncio.get_running_loop()
        around = Surroundings(record, peer, peer.told, loop.time, loop.call_later)
        secured = link.known("ssl_object")
        if secured is not None and secured.selected_alpn_protocol() == "h2":  # type: ignore[attr-defined]
            shared = sending.Surroundings(link, loop.time, loop.call_soon, peer.told.fault)
            return Http2Server(shared, Http2Limits(), around.open)
        return Http1Server(link, ServerRules(loop.time, peer.told.fault), around.open)

    def lost(self, link: Link) -> None:
        if link in self._peer.links:
            self._peer.links.remove(link)


def ok(head: RequestHead) -> Respond:
    return Respond(200, head.target.encode("ascii"))


def always(status: int) -> Script:
    return lambda _: Respond(status, b"%d" % status)


def never(head: RequestHead) -> None:
    assert head.target
