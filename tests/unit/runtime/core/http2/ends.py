"""Both ends of a connection as data: what was written, what was told, and a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseHead, ServerStream

Call = tuple[object, ...]
POST = RequestHead("POST", "/shop.Catalog/Get", "catalog:8080", [(b"te", b"trailers")], None, is_end=False)
GET = RequestHead("GET", "/items?x=1", "catalog", [(b"accept", b"*/*")])


@dataclass
class Wire:
    """A transport that keeps what is written."""

    written: bytearray = field(default_factory=bytearray)
    writes: int = 0
    is_closed: bool = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written += data
        self.writes += 1

    def pause_reading(self) -> None:
        raise AssertionError("windows hold a peer back, and no socket")

    def resume_reading(self) -> None:
        raise AssertionError("windows hold a peer back, and no socket")

    def end_writing(self) -> None:
        raise AssertionError("GOAWAY says it")

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True


@dataclass
class Turn:
    """An event loop and its clock."""

    now: float = 1000.0
    calls: list[Callable[[], None]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def run(self) -> None:
        while self.calls:
            self.calls.pop(0)()

    def around(self, wire: Wire) -> Surroundings:
        return Surroundings(wire, self.clock, self.calls.append, self.faults.append)


class Taker:
    """Takes the parts of a message, either way, and keeps the calls."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def response(self, head: ResponseHead) -> None:
        is_told = head.is_end and not head.body
        self.calls.append(("response", head.status, list(head.fields), head.length, is_told))
        if head.body:
            self.data(head.body, is_end=True)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self.calls.append(("data", payload, is_end))

    def trailers(self, fields: Fields) -> None:
        self.calls.append(("trailers", list(fields)))

    def reset(self, failure: Failure) -> None:
        self.calls.append(("reset", failure))

    def pause_answer(self) -> None:
        self.calls.append(("pause",))

    def resume_answer(self) -> None:
        self.calls.append(("resume",))

    pause_request = pause_answer
    resume_request = resume_answer

    @property
    def body(self) -> bytes:
        return b"".join(call[1] for call in self.calls if call[0] == "data" and isinstance(call[1], bytes))


class Serving:
    """A server codec, and what it was asked."""

    def __init__(self, limits: Http2Limits | None = None, *, is_open: bool = True) -> None:
        self.wire = Wire()
        self.turn = Turn()
        self.heads: list[RequestHead] = []
        self.streams: list[ServerStream] = []
        self.takers: list[Taker] = []
        self.answer: Callable[[ServerStream, RequestHead], None] | None = None
        self.codec = Http2Server(self.turn.around(self.wire), limits or Http2Limits(), self._open)
        if is_open:
            self.feed(f.PREFACE + f.write_settings(()) + f.write_frame(f.SETTINGS, f.ACK, 0))
            self.sent()

    def _open(self, stream: ServerStream, head: RequestHead) -> Taker:
        self.heads.append(head)
        self.streams.append(stream)
        self.takers.append(Taker())
        if self.answer is not None:
            self.answer(stream, head)
        return self.takers[-1]

    def feed(self, data: bytes, step: int = 0) -> None:
        for start in range(0, len(data), step or len(data) or 1):
            self.codec.receive(data[start : start + (step or len(data))])
        self.turn.run()

    def sent(self) -> list[f.Frame]:
        """The frames that were written since the last call."""
        self.turn.run()
        return frames_of(self.wire)


class Asking:
    """A client codec, and what it is told."""

    def __init__(self, limits: Http2Limits | None = None, *, is_open: bool = True) -> None:
        self.wire = Wire()
        self.turn = Turn()
        self.takers: list[Taker] = []
        self.codec = Http2Client(self.turn.around(self.wire), limits or Http2Limits(), scheme=b"http")
        self.turn.run()
        if is_open:
            assert self.wire.written.startswith(f.PREFACE)
            del self.wire.written[: len(f.PREFACE)]
            self.feed(f.write_settings(()) + f.write_frame(f.SETTINGS, f.ACK, 0))
            self.sent()

    def ask(self, head: RequestHead) -> tuple[ClientStream, Taker]:
        self.takers.append(Taker())
        return self.codec.request(head, self.takers[-1]), self.takers[-1]

    def feed(self, data: bytes, step: int = 0) -> None:
        for start in range(0, len(data), step or len(data) or 1):
            self.codec.receive(data[start : start + (step or len(data))])
        self.turn.run()

    def sent(self) -> list[f.Frame]:
        """The frames that were written since the last call."""
        self.turn.run()
        return frames_of(self.wire)


def frames_of(wire: Wire) -> list[f.Frame]:
    read, fault = f.FrameReader(f.MOST_FRAME_SIZE).feed(bytes(wire.written))
    assert fault is None
    wire.written.clear()
    return read


def headers(number: int, block: bytes, *, is_end: bool = False, flags: int = f.END_HEADERS) -> bytes:
    return f.write_frame(f.HEADERS, flags | (f.END_STREAM if is_end else 0), number, block)


def data(number: int, payload: bytes, *, is_end: bool = False) -> bytes:
    return f.write_frame(f.DATA, f.END_STREAM if is_end else 0, number, payload)
