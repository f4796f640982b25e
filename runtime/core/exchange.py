"""One request from its head to the end of its answer: what is between a client's codec and a server's (ADR 0202)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from meshproof.runtime.core.http2.grpc_messages import Messages
from meshproof.runtime.core.http2.grpc_reply import grpc_reply, is_grpc
from meshproof.runtime.core.messages import (
    Answer,
    ClientStream,
    ConnectionRecord,
    Desk,
    Failure,
    Fields,
    Forward,
    Record,
    RequestHead,
    RequestListener,
    Respond,
    ResponseHead,
    ServerStream,
    Telemetry,
    begun,
)
from meshproof.runtime.core.trailers import may_follow

_OK = 200
_SWITCHING = 101


class Timer(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """It will not."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What exchanges of one connection share. `later` calls back after so many seconds."""

    connection: ConnectionRecord
    desk: Desk
    telemetry: Telemetry
    clock: Callable[[], float]
    later: Callable[[float, Callable[[], None]], Timer]

    def open(self, stream: ServerStream, head: RequestHead) -> RequestListener:
        """An `OpenExchange`."""
        return Exchange(self, stream, head)


def failed(status: int, flags: str, what: str) -> Respond:
    """The answer of the proxy itself to what went wrong."""
    body = b'{"error":"%b","status":%d}' % (what.encode("ascii"), status)
    return Respond(status, body, ((b"content-type", b"application/json"),), flags)


_FAILED = {
    Failure.CONNECT: failed(503, "UF", "no connection"),
    Failure.REFUSED: failed(503, "UR", "refused"),
    Failure.RESET: failed(503, "UC", "reset"),
    Failure.OVERFLOW: failed(503, "UO", "overflow"),
    Failure.TIMEOUT: failed(504, "UT", "timeout"),
    Failure.PROTOCOL: failed(502, "UPE", "protocol"),
    Failure.CANCELLED: failed(503, "UC", "reset"),
}
"""By what went wrong upstream: the statuses and flags are Envoy's."""

_CLIENT_FLAGS = {Failure.PROTOCOL: "DPE", Failure.TIMEOUT: "RT"}


class Exchange:
    """Takes the request, and hands it on when the desk has said where to. It asks the desk once, in its making.

    `_is_asked`: all of the request was told. `_is_over`: the answer has ended, or never will; nothing is told any more.
    """

    __slots__ = (
        "_client", "_is_asked", "_is_over", "_messages", "_record", "_stream", "_surroundings", "_timer", "_waiting",
    )  # fmt: skip

    def __init__(self, surroundings: Surroundings, stream: ServerStream, head: RequestHead) -> None:
        self._surroundings = surroundings
        self._stream = stream
        self._client: ClientStream | None = None
        self._timer: Timer | None = None
        self._waiting: list[tuple[bytes, Fields | None, bool]] | None = None
        self._is_asked = head.is_end
        self._is_over = False
        self._messages = Messages() if head.version == "HTTP/2" and is_grpc(head) else None
        self._record = record = begun(surroundings.connection, head, surroundings.clock())
        answer = surroundings.desk.answer(head, record, self._answered_later)
        if answer is None:
            self._waiting = []
            stream.pause()
        else:
            self._answered(answer)

    # What the desk says.

    def _answered_later(self, answer: Answer) -> None:
        """Go on, with what has come meanwhile."""
        waiting, self._waiting = self._waiting, None
        if self._is_over or waiting is None:
            return
        self._answered(answer)
        for payload, trailers, is_end in waiting:
            if self._client is None:
                break
            if trailers is not None:
                self._client.trailers(trailers)
            else:
                self._client.data(payload, is_end=is_end)
        self._record.asked = self._surroundings.clock()
        self._stream.resume()

    def _answered(self, answer: Answer) -> None:
        if isinstance(answer, Forward):
            if answer.timeout is not None:
                self._timer = self._surroundings.later(answer.timeout, self._timed_out)
            messages = None if self._messages is None else Messages()
            self._client = answer.upstream.open(answer.head, _Response(self, self._stream, self._record, messages))
        else:
            self._respond(answer)

    def _respond(self, answer: Respond) -> None:
        record = self._record
        if is_grpc(record.head):
            answer = grpc_reply(answer)
            record.trailers = list(answer.fields)
        record.status = answer.status
        if answer.flags:
            record.flags = f"{record.flags},{answer.flags}" if record.flags else answer.flags
        body = b"" if record.head.method == "HEAD" else answer.body
        record.sent = len(body)
        head = ResponseHead(answer.status, list(answer.fields), len(answer.body), is_end=True, body=body)
        stream = self._stream
        self._end()
        stream.response(head)

    # What the client says.

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the request."""
        if self._is_over:
            return
        self._record.received += len(payload)
        if self._messages is not None:
            self._record.messages_received += self._messages.feed(payload)
        if is_end:
            self._is_asked = True
            self._record.asked = self._surroundings.clock()
            if self._record.status == _SWITCHING:
                self._hung_up()
                return
        if self._client is not None:
            self._client.data(payload, is_end=is_end)
        elif self._waiting is not None:
            self._waiting.append((payload, None, is_end))

    def trailers(self, fields: Fields) -> None:
        """Its end, with trailers."""
        if self._is_over:
            return
        self._is_asked = True
        self._record.asked = self._surroundings.clock()
        fields = may_follow(fields)
        if self._client is not None:
            self._client.trailers(fields)
        elif self._waiting is not None:
            self._waiting.append((b"", fields, True))

    def reset(self, failure: Failure) -> None:
        """The client is gone, or is told by its codec what it did."""
        if not self._is_over:
            flags = _CLIENT_FLAGS.get(failure, "DC")
            self._record.flags = f"{self._record.flags},{flags}" if self._record.flags else flags
            client = self._client
            self._end()
            if client is not None:
                client.reset(Failure.CANCELLED)

    def pause_answer(self) -> None:
        """The client reads slowly."""
        if self._client is not None:
            self._client.pause()

    def resume_answer(self) -> None:
        """It reads again."""
        if self._client is not None:
            self._client.resume()

    # What comes of it.

    def answered(self, *, is_end: bool) -> None:
        """The head of the answer has come. How long that took is known if it waited for the whole request."""
        now = self._surroundings.clock()
        if self._is_asked:
            self._record.responded = now
        if is_end:
            self.ended(now)

    def ended(self, now: float | None = None) -> None:
        """The answer has been told to its end. What the client still sends is not wanted by the server either."""
        client = self._client
        is_asked = self._is_asked
        self._end(now)
        if client is not None and not is_asked:
            client.reset(Failure.CANCELLED)

    def failed(self, failure: Failure) -> None:
        """There will be no answer, or no more of it."""
        if self._record.status == 0:
            self._respond(_FAILED[failure])
        else:
            self._record.flags = f"{self._record.flags},{_FAILED[failure].flags}".lstrip(",")
            self._end()
            self._stream.reset(failure)

    def switched(self) -> None:
        """From now on both sides send bytes until one of them ends."""
        self._is_asked = False

    def _hung_up(self) -> None:
        """The client ends what is no HTTP any more: so does the server, because TLS knows no half of an end."""
        client = self._client
        self._end()
        if client is not None:
            client.reset(Failure.CANCELLED)
        self._stream.data(b"", is_end=True)

    def _timed_out(self) -> None:
        client = self._client
        self._timer = None
        if client is not None:
            client.reset(Failure.TIMEOUT)
        self.failed(Failure.TIMEOUT)

    def _end(self, now: float | None = None) -> None:
        self._is_over = True
        self._client = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        record = self._record
        surroundings = self._surroundings
        record.ended = now or surroundings.clock()
        surroundings.telemetry.request(record)


class _Response:
    """Takes the answer, and hands it to the client's codec."""

    __slots__ = ("_exchange", "_messages", "_record", "_stream")

    def __init__(self, exchange: Exchange, stream: ServerStream, record: Record, messages: Messages | None) -> None:
        self._exchange = exchange
        self._messages = messages
        self._stream = stream
        self._record = record

    def response(self, head: ResponseHead) -> None:
        """The head."""
        status = head.status
        if status >= _OK:
            record = self._record
            record.response = head
            record.status = status
            body = head.body
            if body:
                record.sent = len(body)
                if self._messages is not None:
                    record.messages_sent = self._messages.feed(body)
            self._exchange.answered(is_end=head.is_end)
        elif status == _SWITCHING:
            self._record.response = head
            self._record.status = status
            self._exchange.switched()
        self._stream.response(head)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the body."""
        self._record.sent += len(payload)
        if self._messages is not None:
            self._record.messages_sent += self._messages.feed(payload)
        if is_end:
            self._exchange.ended()
        self._stream.data(payload, is_end=is_end)

    def trailers(self, fields: Fields) -> None:
        """The end, with trailers."""
        self._record.trailers = fields
        self._exchange.ended()
        self._stream.trailers(fields)

    def reset(self, failure: Failure) -> None:
        """The end before the end."""
        self._exchange.failed(failure)

    def pause_request(self) -> None:
        """The server reads slowly."""
        self._stream.pause()

    def resume_request(self) -> None:
        """It reads again."""
        self._stream.resume()
