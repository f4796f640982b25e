"""The package h2 as the peer: it holds whole conversations with our server and our client, and judges what we write."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.http2.ends import Asking, Serving, Taker

from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, Fields, RequestHead, ResponseHead, ServerStream

PSEUDO = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"catalog:8080"), (b":path", b"/a/b?c=d")]
NAMES = st.sampled_from((b"x-a", b"x-a.b~c", b"accept", b"x-" + b"l" * 90))
VALUES = st.sampled_from((b"", b"1", b"a\t b", b"\xff", b"v" * 300)) | st.integers().map(b"%d".__mod__)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=5)
SIZES = st.lists(st.sampled_from((0, 1, 5, 200, 16_384, 16_385, 40_000)), max_size=4)


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says on one stream."""

    fields: Fields = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    trailers: Fields = field(default_factory=list)

    @property
    def pieces(self) -> list[bytes]:
        return [bytes((65 + at,)) * size for at, size in enumerate(self.sizes)]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Told:
    """What one side was told on one stream."""

    fields: Fields = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    trailers: Fields = field(default_factory=list)
    is_ended: bool = False


MESSAGES = st.builds(Message, FIELDS, SIZES, FIELDS)
EXCHANGES = st.lists(st.tuples(MESSAGES, MESSAGES), min_size=1, max_size=3)
STEPS = st.sampled_from((0, 0, 97, 1000))


class Peer:
    """An h2 connection that keeps what it was told, and sends bodies as its windows allow."""

    def __init__(self, *, is_client: bool) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=is_client, header_encoding=None))
        self.h2.initiate_connection()
        self.told: dict[int, Told] = {}
        self.events: list[Event] = []
        self._sending: dict[int, tuple[bytearray, Fields]] = {}

    def say(self, number: int, head: Fields, message: Message) -> None:
        self.h2.send_headers(number, head + message.fields)
        self._sending[number] = (bytearray(message.body), message.trailers)
        self.pump()

    def pump(self) -> None:
        for number, (body, trailers) in list(self._sending.items()):
            while body and (
                size := min(len(body), self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            ):
                self.h2.send_data(number, bytes(body[:size]))
                del body[:size]
            if not body:
                del self._sending[number]
                if trailers:
                    self.h2.send_headers(number, trailers, end_stream=True)
                else:
                    self.h2.end_stream(number)

    def hear(self, written: bytearray) -> None:
        data = bytes(written)
        written.clear()
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, DataReceived):
                self.told[event.stream_id].body += event.data
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, RequestReceived | ResponseReceived):
                self.told[event.stream_id] = Told(_plain(event.headers))
            elif isinstance(event, TrailersReceived):
                self.told[event.stream_id].trailers = _plain(event.headers)
            elif isinstance(event, StreamEnded):
                self.told[event.stream_id].is_ended = True
        self.pump()


def _plain(headers: object) -> Fields:
    assert isinstance(headers, list)
    return [(bytes(name), bytes(value)) for name, value in headers]


def _talk(peer: Peer, end: Serving | Asking, step: int = 0) -> None:
    """Carry bytes between the two until both are silent."""
    while True:
        end.turn.run()
        peer.hear(end.wire.written)
        data = peer.h2.data_to_send()
        if not data and not end.wire.written:
            return
        end.feed(data, step)


def _server() -> tuple[Peer, Serving]:
    serving, peer = Serving(is_open=False), Peer(is_client=True)
    _talk(peer, serving)
    return peer, serving


def _client() -> tuple[Peer, Asking]:
    asking, peer = Asking(is_open=False), Peer(is_client=False)
    _talk(peer, asking)
    return peer, asking


def _say(stream: ServerStream, message: Message) -> None:
    stream.response(ResponseHead(200, list(message.fields)))
    for piece in message.pieces:
        stream.data(piece, is_end=False)
    if message.trailers:
        stream.trailers(list(message.trailers))
    else:
        stream.data(b"", is_end=True)


def _heard(taker: Taker, message: Message) -> None:
    assert taker.body == message.body
    ends = [call for call in taker.calls if call[0] == "trailers" or (call[0] == "data" and call[2])]
    assert ends == [taker.calls[-1]]
    if message.trailers:
        assert taker.calls[-1] == ("trailers", message.trailers)


@given(EXCHANGES, STEPS)
def test_h2_asks_our_server(exchanges: list[tuple[Message, Message]], step: int) -> None:
    peer, serving = _server()
    numbers = range(1, 2 * len(exchanges), 2)
    for number, (asked, _) in zip(numbers, exchanges, strict=True):
        peer.say(number, PSEUDO, asked)
    _talk(peer, serving, step)
    for (asked, _), head, taker in zip(exchanges, serving.heads, serving.takers, strict=True):
        assert (head.method, head.target, head.authority) == ("POST", "/a/b?c=d", "catalog:8080")
        assert head.fields == asked.fields
        assert (head.length, head.is_end) == (None, False)
        _heard(taker, asked)
    for (_, answered), stream in zip(exchanges, serving.streams, strict=True):
        _say(stream, answered)
    _talk(peer, serving, step)

    for number, (_, answered) in zip(numbers, exchanges, strict=True):
        told = peer.told[number]
        assert told.fields == [(b":status", b"200"), *answered.fields]
        assert (bytes(told.body), told.trailers, told.is_ended) == (answered.body, answered.trailers, True)
    assert serving.codec.is_idle
    assert serving.turn.faults == []


@given(EXCHANGES, STEPS)
def test_our_client_asks_h2(exchanges: list[tuple[Message, Message]], step: int) -> None:
    peer, asking = _client()
    for asked, _ in exchanges:
        stream, _ = asking.ask(RequestHead("POST", "/a/b?c=d", "catalog:8080", list(asked.fields), None, is_end=False))
        for piece in asked.pieces:
            stream.data(piece, is_end=False)
        if asked.trailers:
            stream.trailers(list(asked.trailers))
        else:
            stream.data(b"", is_end=True)
    _talk(peer, asking, step)
    numbers = range(1, 2 * len(exchanges), 2)
    for number, (asked, answered) in zip(numbers, exchanges, strict=True):
        told = peer.told[number]
        assert dict(told.fields[:4]) == {**dict(PSEUDO), b":scheme": b"http"}
        assert told.fields[4:] == asked.fields
        assert (bytes(told.body), told.trailers, told.is_ended) == (asked.body, asked.trailers, True)
        peer.say(number, [(b":status", b"200")], answered)
    _talk(peer, asking, step)

    for (_, answered), taker in zip(exchanges, asking.takers, strict=True):
        said = [call for call in taker.calls if call[0] not in {"pause", "resume"}]
        assert said[0] == ("response", 200, answered.fields, None, False)
        _heard(taker, answered)
    assert asking.codec.is_idle
    assert asking.turn.faults == []


def test_informational_answers_come_before_the_answer() -> None:
    peer, asking = _client()
    stream, taker = asking.ask(RequestHead("PUT", "/a", "b", [(b"expect", b"100-continue")], 4, is_end=False))
    _talk(peer, asking)
    peer.h2.send_headers(1, [(b":status", b"100")])
    _talk(peer, asking)
    stream.data(b"body", is_end=True)
    _talk(peer, asking)
    peer.say(1, [(b":status", b"201")], Message())
    _talk(peer, asking)

    assert (b"content-length", b"4") in peer.told[1].fields
    assert taker.calls == [
        ("response", 100, [], None, False),
        ("response", 201, [], None, False),
        ("data", b"", True),
    ]


def test_our_server_tells_informational_answers() -> None:
    peer, serving = _server()
    peer.h2.send_headers(1, [*PSEUDO, (b"expect", b"100-continue")])
    _talk(peer, serving)
    serving.streams[0].response(ResponseHead(100, []))
    _talk(peer, serving)
    assert any(isinstance(event, InformationalResponseReceived) for event in peer.events)
    peer.h2.send_data(1, b"body", end_stream=True)
    _talk(peer, serving)
    _say(serving.streams[0], Message(sizes=[2]))
    _talk(peer, serving)

    assert (b"expect", b"100-continue") in serving.heads[0].fields
    assert serving.takers[0].body == b"body"
    assert bytes(peer.told[1].body) == b"AA"


@pytest.mark.parametrize(("failure", "code"), [(Failure.CANCELLED, 8), (Failure.RESET, 2), (Failure.REFUSED, 7)])
def test_a_reset_of_ours_is_seen(failure: Failure, code: int) -> None:
    peer, serving = _server()
    peer.h2.send_headers(1, PSEUDO, end_stream=True)
    _talk(peer, serving)
    serving.streams[0].reset(failure)
    _talk(peer, serving)

    assert [event.error_code for event in peer.events if isinstance(event, StreamReset)] == [code]
    assert serving.codec.is_idle


def test_headers_that_take_many_frames_arrive() -> None:
    peer, serving = _server()
    large = [(b"x-%d" % number, b"v" * 3000) for number in range(18)]
    peer.h2.send_headers(1, PSEUDO + large, end_stream=True)
    _talk(peer, serving)
    serving.streams[0].response(ResponseHead(200, large, 0, is_end=True))
    _talk(peer, serving)

    assert serving.heads[0].fields == large
    assert peer.told[1].fields == [(b":status", b"200"), (b"content-length", b"0"), *large]


def test_a_peer_of_small_frames_and_windows_gets_all() -> None:
    serving = Serving(Http2Limits(), is_open=False)
    peer = Peer(is_client=True)
    peer.h2.update_settings({4: 10})
    _talk(peer, serving)
    peer.h2.send_headers(1, PSEUDO, end_stream=True)
    _talk(peer, serving)
    _say(serving.streams[0], Message(sizes=[500], trailers=[(b"grpc-status", b"0")]))
    _talk(peer, serving)

    assert bytes(peer.told[1].body) == b"A" * 500
    assert peer.told[1].trailers == [(b"grpc-status", b"0")]
    assert [call for call in serving.takers[0].calls if call[0] in {"pause", "resume"}] == [("pause",)]
