"""What the frames and headers of one gRPC call cost, our codecs beside the package h2, which keeps to the same rules.

A unary call with the eleven header lines that grpcio and a mesh send, in memory, both ways: a server reads a request
with its body and writes a head, a body and trailers; a client writes the one and reads the other. The peer is h2 in all
cases, made before the clock starts; eight calls come with each read. h2 alone bounds no floods, so its rows are what it
takes without them. A case returns the seconds of CPU of one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import process_time

from benchmarks.case import Case
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, ResponseReceived, StreamEnded, TrailersReceived

from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import Failure, Fields, RequestHead, ResponseHead, ServerStream

CALLS, AT_ONCE = 4_000, 8
PSEUDO = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/shop.Catalog/Get"), (b":authority", b"catalog")]
ASKED = [
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"user-agent", b"grpc-python/1.85.3 grpc-c/53.0.0 (linux; chttp2)"),
    (b"grpc-accept-encoding", b"identity, deflate, gzip"),
    (b"x-forwarded-proto", b"https"),
]
ANSWERED = [(b"content-type", b"application/grpc"), (b"grpc-accept-encoding", b"identity, deflate, gzip")]
TRAILERS = [(b"grpc-status", b"0")]
MESSAGE = b"\0\0\0\0\x64" + b"m" * 100


def cases() -> Iterator[Case]:
    """Ours and h2 at both ends."""
    asked, answered = _asked(), _answered()
    yield Case("server", partial(_server, asked), goal=60e-6, is_own_time=True)
    yield Case("client", partial(_client, answered), goal=60e-6, is_own_time=True)
    yield Case("server by h2", partial(_h2_server, asked), is_own_time=True)
    yield Case("client by h2", partial(_h2_client, answered), is_own_time=True)


def _fresh(number: int) -> Fields:
    """What differs from call to call."""
    return [
        (b"x-request-id", b"c0ffee00-16cd-43dd-8448-%012x" % number),
        (b"traceparent", b"00-0af7651916cd43dd8448eb21%08x-b7ad6b7169203331-01" % number),
    ]


def _numbers() -> list[range]:
    return [range(first, first + 2 * AT_ONCE, 2) for first in range(1, 2 * CALLS, 2 * AT_ONCE)]


def _opened() -> H2Connection:
    asking = H2Connection(H2Configuration(client_side=True, validate_inbound_headers=False))
    asking.initiate_connection()
    asking.increment_flow_control_window(2**30)
    return asking


def _asked() -> list[bytes]:
    """What a client sends, read by read: its preface, then eight calls at once."""
    asking = _opened()
    sent = [asking.data_to_send()]
    serving = H2Connection(H2Configuration(client_side=False))
    serving.initiate_connection()
    serving.increment_flow_control_window(2**30)
    serving.receive_data(sent[0])
    asking.receive_data(serving.data_to_send())
    for numbers in _numbers():
        for number in numbers:
            asking.send_headers(number, PSEUDO + ASKED + _fresh(number))
            asking.send_data(number, MESSAGE, end_stream=True)
        sent.append(asking.data_to_send())
        serving.receive_data(sent[-1])
        for number in numbers:
            serving.send_headers(number, [(b":status", b"200")], end_stream=True)
        asking.receive_data(serving.data_to_send())
    return sent


def _answered() -> list[bytes]:
    """What a server answers to such calls."""
    serving = H2Connection(H2Configuration(client_side=False))
    serving.initiate_connection()
    asking = _opened()
    serving.receive_data(asking.data_to_send())
    sent = [serving.data_to_send()]
    for numbers in _numbers():
        for number in numbers:
            asking.send_headers(number, PSEUDO, end_stream=True)
        serving.receive_data(asking.data_to_send())
        for number in numbers:
            _answer(serving, number)
        sent.append(serving.data_to_send())
    return sent


def _answer(serving: H2Connection, number: int) -> None:
    serving.send_headers(number, [(b":status", b"200"), *ANSWERED])
    serving.send_data(number, MESSAGE)
    serving.send_headers(number, TRAILERS, end_stream=True)


class Sink:
    """A transport, and an event loop that does at once what is to be done soon after a read."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def write(self, data: bytes) -> None:
        """Drop it."""

    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self) -> None:
        """Nothing."""

    def end_writing(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def abort(self) -> None:
        """Nothing."""

    def around(self) -> Surroundings:
        """A connection's surroundings."""
        return Surroundings(self, process_time, self.calls.append, self._fault)

    def turn(self) -> None:
        """Do what is left."""
        for call in self.calls:
            call()
        self.calls.clear()

    def _fault(self, what: str) -> None:
        raise AssertionError(what)


class Answering:
    """An exchange that answers when the request has ended."""

    def __init__(self, stream: ServerStream, head: RequestHead) -> None:
        self._stream = stream
        assert head.method == "POST"

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """Answer."""
        assert is_end
        assert payload == MESSAGE
        self._stream.response(ResponseHead(200, list(ANSWERED)))
        self._stream.data(payload, is_end=False)
        self._stream.trailers(list(TRAILERS))

    def trailers(self, fields: Fields) -> None:
        """Nothing."""

    def reset(self, failure: Failure) -> None:
        """Nothing."""
        raise AssertionError(failure)

    def pause_answer(self) -> None:
        """Nothing."""

    def resume_answer(self) -> None:
        """Nothing."""


class Counting:
    """Takes answers."""

    def __init__(self) -> None:
        self.ended = 0

    def response(self, head: ResponseHead) -> None:
        """The head."""
        assert head.status == 200

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """The body."""
        assert payload == MESSAGE
        assert not is_end

    def trailers(self, fields: Fields) -> None:
        """The end."""
        assert fields == TRAILERS
        self.ended += 1

    def reset(self, failure: Failure) -> None:
        """Nothing."""
        raise AssertionError(failure)

    def pause_request(self) -> None:
        """Nothing."""

    def resume_request(self) -> None:
        """Nothing."""


def _server(asked: list[bytes]) -> float:
    sink = Sink()
    codec = Http2Server(sink.around(), Http2Limits(), Answering)
    codec.receive(asked[0])
    begin = process_time()
    for read in asked[1:]:
        codec.receive(read)
        sink.turn()
        codec.window = 2**30
    assert codec.is_idle
    assert not codec.is_over
    return (process_time() - begin) / CALLS


def _client(answered: list[bytes]) -> float:
    sink = Sink()
    codec = Http2Client(sink.around(), Http2Limits(), scheme=b"http")
    codec.receive(answered[0])
    counting = Counting()
    begin = process_time()
    for numbers, read in zip(_numbers(), answered[1:], strict=True):
        for number in numbers:
            head = RequestHead("POST", "/shop.Catalog/Get", "catalog", ASKED + _fresh(number), None, is_end=False)
            codec.request(head, counting).data(MESSAGE, is_end=True)
        sink.turn()
        codec.receive(read)
        codec.window = 2**30
    assert counting.ended == CALLS
    return (process_time() - begin) / CALLS


def _h2_server(asked: list[bytes]) -> float:
    serving = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    serving.initiate_connection()
    serving.receive_data(asked[0])
    heads: dict[int, object] = {}
    begin = process_time()
    for read in asked[1:]:
        for event in serving.receive_data(read):
            if isinstance(event, RequestReceived):
                heads[event.stream_id] = event.headers
            elif isinstance(event, DataReceived):
                serving.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                del heads[event.stream_id]
                _answer(serving, event.stream_id)
        serving.data_to_send()
        serving.outbound_flow_control_window = 2**30
    assert not heads
    return (process_time() - begin) / CALLS


def _h2_client(answered: list[bytes]) -> float:
    asking = _opened()
    asking.receive_data(answered[0])
    ended = responses = 0
    begin = process_time()
    for numbers, read in zip(_numbers(), answered[1:], strict=True):
        for number in numbers:
            asking.send_headers(number, PSEUDO + ASKED + _fresh(number))
            asking.send_data(number, MESSAGE, end_stream=True)
        asking.data_to_send()
        for event in asking.receive_data(read):
            if isinstance(event, ResponseReceived):
                responses += 1
            elif isinstance(event, DataReceived):
                asking.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, TrailersReceived):
                ended += 1
        asking.outbound_flow_control_window = 2**30
    assert ended == responses == CALLS
    return (process_time() - begin) / CALLS
