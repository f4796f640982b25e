"""The answering end of a connection: requests become exchanges, and what they answer becomes frames."""

from __future__ import annotations

from typing import Final

from meshproof.runtime.core.codec import OpenExchange
from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.connection import Connection
from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.heads import Refusal, StreamFault, request_head, trailer_fields
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.stream import Stream
from meshproof.runtime.core.messages import Failure, Fields, RequestHead, RequestListener, ResponseHead

_STATUS: Final = {status: (b":status", b"%d" % status) for status in range(100, 600)}


class Nobody:
    """Listens until there is an exchange, which may answer before it is there."""

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """Nothing comes."""

    def trailers(self, fields: Fields) -> None:
        """Nothing comes."""

    def reset(self, failure: Failure) -> None:
        """Nothing comes."""

    def pause_answer(self) -> None:
        """It is told when it is there."""

    def resume_answer(self) -> None:
        """It was not told."""


NOBODY: Final = Nobody()


class ServerHalf(Stream):
    """The answering half of a request (`ServerStream`)."""

    __slots__ = ("listener",)

    def __init__(self, connection: Http2Server, number: int, window: int, receivable: int) -> None:
        super().__init__(connection, number, window, receivable)
        self.listener: RequestListener = NOBODY

    def response(self, head: ResponseHead) -> None:
        """Write the head of an answer."""
        if self.is_sent:
            return
        lines = [_STATUS[head.status]]
        if head.length is not None and head.status >= 200 and head.status != 204:  # noqa: PLR2004
            lines.append((b"content-length", b"%d" % head.length))
        lines += head.fields
        body = head.body
        self._connection.put_headers(self.number, lines, is_end=head.is_end and not body)
        if body:
            self.data(body, is_end=True)
        elif head.is_end:
            self._end()

    def parts(self) -> RequestListener:
        """The exchange."""
        return self.listener

    def pause_source(self) -> None:
        """Hold the answer back."""
        self.listener.pause_answer()

    def resume_source(self) -> None:
        """Let it go on."""
        self.listener.resume_answer()

    def _end(self) -> None:
        """After a whole answer, what is still to come of the request is for nobody (RFC 9113, 8.1)."""
        self.is_sent = True
        if self.is_received:
            self._connection.ended(self)
        else:
            self._connection.stop(self)


class Http2Server(Connection):
    """A connection that somebody made to us (`ServerCodec`). Its preface is the first of what it receives."""

    is_server = True

    def __init__(self, around: Surroundings, limits: Http2Limits, open_exchange: OpenExchange) -> None:
        super().__init__(around, limits)
        self._open = open_exchange
        self._preface = f.PREFACE
        self._last = f.MOST_WINDOW
        self.put(
            f.write_settings(
                (
                    (f.MAX_CONCURRENT_STREAMS, limits.streams),
                    (f.INITIAL_WINDOW_SIZE, limits.stream_window),
                    (f.MAX_HEADER_LIST_SIZE, limits.header_bytes),
                    (f.NO_RFC7540_PRIORITIES, 1),
                )
            )
            + f.write_window_update(0, limits.connection_window - f.FIRST_WINDOW)
        )

    def drain(self) -> None:
        """Take no new requests: first those that are on their way, then none (RFC 9113, 6.8)."""
        if self.is_draining or self.is_over:
            return
        self.is_draining = True
        self._drained_by = self._around.clock() + self._limits.drain_seconds
        self.deadline = min(self.deadline, self._drained_by)
        self.put(f.write_goaway(f.MOST_WINDOW, Code.NO_ERROR) + f.write_frame(f.PING, 0, 0, f.DRAIN_PING))

    def drained(self) -> None:
        """From here on, requests are not looked at."""
        super().drained()
        self._last = self._highest
        self.put(f.write_goaway(self._last, Code.NO_ERROR))
        self._maybe_done()

    def tell(self, stream: Stream, failure: Failure) -> None:
        """The client is gone, or broke a rule."""
        assert isinstance(stream, ServerHalf)
        stream.listener.reset(failure)

    def _read(self, data: bytes) -> bool:
        if self._preface:
            size = min(len(self._preface), len(data))
            if data[:size] != self._preface[:size]:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "it does not begin as HTTP/2 does")
            self._preface = self._preface[size:]
            data = data[size:]
        return super()._read(data)

    def _on_lines(self, number: int, block: bytes, stream: Stream | None, *, is_end: bool) -> None:
        lines = self._blocks.lines(block)
        if stream is not None:
            self._on_trailers(stream, lines, is_end=is_end)
            return
        if number % 2 == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it numbers its streams as a server does")
        if number <= self._highest:
            self._stray(number)
            return
        self._highest = number
        self._floods.priorities.earn(2)
        self._floods.credits.earn(2)
        if number > self._last:
            self._remember(number, self._limits.stream_window)
            return
        if len(self._streams) >= self._limits.streams or self._held_size > self._limits.held_bytes:
            raise StreamFault(Code.REFUSED_STREAM, "it asks for too much at once")
        self._begin(number, lines, is_end=is_end)

    def _begin(self, number: int, lines: Fields | None, *, is_end: bool) -> None:
        if lines is None:
            self._answer(number, Refusal(431, "its headers are too large"), is_end=is_end)
            return
        try:
            head = request_head(lines, self._limits, is_end=is_end)
        except Refusal as refusal:
            self._answer(number, refusal, is_end=is_end)
            return
        self._exchange(number, head)

    def _exchange(self, number: int, head: RequestHead) -> None:
        stream = ServerHalf(self, number, self._peer.window, self._limits.stream_window)
        stream.expected = head.length
        stream.allowed = self._limits.body_bytes
        stream.is_received = head.is_end
        self._streams[number] = stream
        listener = self._open(stream, head)
        stream.listener = listener
        if stream.is_pausing and not stream.is_sent:
            listener.pause_answer()

    def _answer(self, number: int, refusal: Refusal, *, is_end: bool) -> None:
        """Answer without an exchange, and spend as for a reset: there was nothing to be served."""
        self._around.fault(refusal.what)
        self.put_headers(number, [_STATUS[refusal.status], (b"content-length", b"0")], is_end=True)
        if not is_end:
            self._remember(number, self._limits.stream_window)
            self.put(f.write_reset(number, Code.NO_ERROR))
        self._floods.resets.spend(self._now)

    def _on_trailers(self, stream: Stream, lines: Fields | None, *, is_end: bool) -> None:
        if lines is None or not is_end:
            raise StreamFault(Code.PROTOCOL_ERROR, "its trailers are too large, or not the end")
        stream.received_trailers(trailer_fields(lines))

    def _on_goaway(self, last: int) -> None:
        """A client that goes begins nothing new; what it began goes on."""

    def _is_unknown(self, number: int) -> bool:
        return number > self._highest or number % 2 == 0
