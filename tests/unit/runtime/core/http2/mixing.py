"""A caller, a proxy and a service in memory, each pair speaking HTTP/1.1 or HTTP/2: real codecs, a real exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.runtime.core.http2.ends import Taker, Turn

from meshproof.runtime.core.codec import ClientCodec, Codec, OpenExchange, ServerCodec
from meshproof.runtime.core.exchange import Surroundings
from meshproof.runtime.core.http1_client import ClientRules, Http1Client
from meshproof.runtime.core.http1_server import Http1Server, ServerRules
from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings as Http2Surroundings
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import (
    Answer,
    ClientStream,
    ConnectionRecord,
    Forward,
    Record,
    RequestHead,
    RequestListener,
    ResponseListener,
    ServerStream,
    Side,
)


@dataclass
class Pipe:
    """A wire to the other end, through which bytes go when the loop turns. `most` is what fits into it."""

    turn: Turn
    held: bytearray = field(default_factory=bytearray)
    all: bytearray = field(default_factory=bytearray)
    most: int = 200_000
    own: Codec | None = None
    other: Codec | None = None
    back: Pipe | None = None
    is_stopped: bool = False
    is_full: bool = False
    is_closed: bool = False

    def write(self, data: bytes) -> None:
        if self.is_closed:
            return
        self.held += data
        self.all += data
        if len(self.held) > self.most and not self.is_full and self.own is not None:
            self.is_full = True
            self.own.pause_writing()
        self.turn.calls.append(self._move)

    def _move(self) -> None:
        if self.is_stopped or not self.held or self.other is None:
            return
        data, self.held = bytes(self.held[:30_000]), self.held[30_000:]
        self.other.receive(data)
        if self.held:
            self.turn.calls.append(self._move)
        if self.is_full and len(self.held) <= self.most // 2 and self.own is not None:
            self.is_full = False
            self.own.resume_writing()

    def pause_reading(self) -> None:
        assert self.back is not None
        self.back.is_stopped = True

    def resume_reading(self) -> None:
        assert self.back is not None
        self.back.is_stopped = False
        self.turn.calls.append(self.back._move)

    def end_writing(self) -> None:
        assert not self.is_closed  # its end is what follows

    def close(self) -> None:
        self._end()

    def abort(self) -> None:
        self.held.clear()
        self._end()

    def _end(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.turn.calls.append(self._gone)

    def _gone(self) -> None:
        if self.held and not self.is_stopped:
            self._move()
            self.turn.calls.append(self._gone)
            return
        for codec in (self.own, self.other):
            if codec is not None:
                codec.lost()
        if self.back is not None:
            self.back.is_closed = True


class Nowhere:
    """Takes what telemetry is told."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def request(self, record: Record) -> None:
        self.records.append(record)

    def opened(self, connection: ConnectionRecord) -> None: ...

    def closed(self, connection: ConnectionRecord) -> None: ...

    def fault(self, what: str) -> None: ...


class Heard(Taker):
    """What the service was asked, and by which stream it answers."""

    def __init__(self, stream: ServerStream, head: RequestHead) -> None:
        super().__init__()
        self.stream = stream
        self.head = head


class Owner:
    """Of one connection of HTTP/1.1."""

    def ready(self, codec: ClientCodec) -> None: ...

    def again(self, head: RequestHead, listener: ResponseListener) -> ClientStream | None:
        del head, listener
        return None


class Timer:
    def cancel(self) -> None: ...


@dataclass
class Mix:
    """All three, connected. `caller` and `service` are the versions on either side of the proxy."""

    caller: int
    service: int
    turn: Turn = field(default_factory=Turn)
    heard: list[Heard] = field(default_factory=list)
    telemetry: Nowhere = field(default_factory=Nowhere)

    def __post_init__(self) -> None:
        record = ConnectionRecord(Side.INBOUND, "127.0.0.1:1", "catalog", 80)
        around = Surroundings(record, self, self.telemetry, self.turn.clock, self._later)
        self.calling, _, self.to_proxy = self._connected(self.caller, around.open)
        self.passing, self.serving, self.to_service = self._connected(self.service, self._hear)
        self.turn.run()

    def ask(self, head: RequestHead) -> tuple[ClientStream, Taker]:
        taker = Taker()
        return self.calling.request(head, taker), taker

    def run(self) -> None:
        self.turn.run()

    # A desk and an upstream.

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer:
        del record, later
        return Forward(self, head)

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        return self.passing.request(head, listener)

    def _hear(self, stream: ServerStream, head: RequestHead) -> RequestListener:
        self.heard.append(Heard(stream, head))
        return self.heard[-1]

    def _later(self, seconds: float, call: Callable[[], None]) -> Timer:
        del seconds, call
        return Timer()

    def _connected(self, version: int, opens: OpenExchange) -> tuple[ClientCodec, ServerCodec, Pipe]:
        there, back = Pipe(self.turn), Pipe(self.turn)
        there.back, back.back = back, there
        client: Any = self._client(version, there)
        server: Any = self._server(version, back, opens)
        there.own, there.other = client, server
        back.own, back.other = server, client
        return client, server, there

    def _client(self, version: int, wire: Pipe) -> ClientCodec:
        if version == 1:
            return Http1Client(wire, ClientRules(self.turn.clock), Owner())
        return Http2Client(self._around(wire), Http2Limits(), scheme=b"http")

    def _server(self, version: int, wire: Pipe, opens: OpenExchange) -> ServerCodec:
        if version == 1:
            return Http1Server(wire, ServerRules(self.turn.clock, self.turn.faults.append), opens)
        return Http2Server(self._around(wire), Http2Limits(), opens)

    def _around(self, wire: Pipe) -> Http2Surroundings:
        return Http2Surroundings(wire, self.turn.clock, self.turn.calls.append, self.turn.faults.append)
