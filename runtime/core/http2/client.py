"""The asking end of a connection: requests become streams, as many as the server takes at once."""

from __future__ import annotations

from functools import partial
from typing import Final

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.connection import Connection
from meshproof.runtime.core.http2.frames import Code
from meshproof.runtime.core.http2.heads import StreamFault, response_head, trailer_fields
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.stream import Stream
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseListener

_MOST_NUMBER: Final = f.MOST_WINDOW


class ClientHalf(Stream):
    """The asking half of a request (`ClientStream`)."""

    __slots__ = ("is_of_head", "listener")

    def __init__(self, connection: Http2Client, number: int, receivable: int, listener: ResponseListener) -> None:
        super().__init__(connection, number, connection.first_window, receivable)
        self.listener = listener
        self.is_of_head = False
        self.is_begun = False

    def parts(self) -> ResponseListener:
        """Who asked."""
        return self.listener

    def pause_source(self) -> None:
        """Hold the request back."""
        self.listener.pause_request()

    def resume_source(self) -> None:
        """Let it go on."""
        self.listener.resume_request()


class NoStream:
    """A request that could not be sent: its listener is told in the same turn of the loop."""

    __slots__ = ("_listener",)

    def __init__(self, listener: ResponseListener) -> None:
        self._listener: ResponseListener | None = listener

    def tell(self, failure: Failure) -> None:
        """Tell, unless it was given up."""
        if self._listener is not None:
            self._listener.reset(failure)

    def pause(self) -> None:
        """Nothing comes."""

    def resume(self) -> None:
        """Nothing comes."""

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """Nobody takes it."""

    def trailers(self, fields: Fields) -> None:
        """Nobody takes them."""

    def reset(self, failure: Failure) -> None:
        """Tell nothing."""
        del failure
        self._listener = None


class Http2Client(Connection):
    """A connection that we made (`ClientCodec`)."""

    is_server = False

    def __init__(self, around: Surroundings, limits: Http2Limits, *, scheme: bytes) -> None:
        super().__init__(around, limits)
        self._scheme = (b":scheme", scheme)
        self._next = 1
        self.put(
            f.PREFACE
            + f.write_settings(
                (
                    (f.ENABLE_PUSH, 0),
                    (f.INITIAL_WINDOW_SIZE, limits.stream_window),
                    (f.MAX_HEADER_LIST_SIZE, limits.header_bytes),
                )
            )
            + f.write_window_update(0, limits.connection_window - f.FIRST_WINDOW)
        )

    @property
    def capacity(self) -> int:
        """How many requests it would take now."""
        if self.is_over or self.is_draining or self._next > _MOST_NUMBER:
            return 0
        return max(min(self._peer.most_streams, self._limits.streams) - len(self._streams), 0)

    @property
    def first_window(self) -> int:
        """How much of a request a server takes before it gives credit."""
        return self._peer.window

    def request(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Send a request. One that cannot be sent is refused in the same turn of the loop."""
        if not self.capacity or head.protocol:
            none = NoStream(listener)
            self._around.soon(partial(none.tell, Failure.PROTOCOL if head.protocol else Failure.OVERFLOW))
            return none
        number = self._next
        self._next = number + 2
        self._floods.resets.earn(1)
        self._floods.strays.earn(1)
        self._floods.credits.earn(2)
        stream = ClientHalf(self, number, self._limits.stream_window, listener)
        stream.is_of_head = head.method == "HEAD"
        self._streams[number] = stream
        lines = [
            (b":method", head.method.encode()),
            self._scheme,
            (b":authority", head.authority.encode()),
            (b":path", head.target.encode()),
        ]
        if not head.is_end and head.length is not None:
            lines.append((b"content-length", b"%d" % head.length))
        lines += head.fields
        self.put_headers(number, lines, is_end=head.is_end)
        stream.is_sent = head.is_end
        return stream

    def drain(self) -> None:
        """Send no new requests, and end with the last answer."""
        if not self.is_draining and not self.is_over:
            self.is_draining = True
            self._maybe_done()

    def tell(self, stream: Stream, failure: Failure) -> None:
        """There is no answer, or no end of it. Where it has been told as the end already, there is nothing to tell."""
        assert isinstance(stream, ClientHalf)
        if not stream.is_told:
            stream.listener.reset(failure)

    def _on_lines(self, number: int, block: bytes, stream: Stream | None, *, is_end: bool) -> None:
        lines = self._blocks.lines(block)
        if stream is None:
            self._stray(number)
            return
        assert isinstance(stream, ClientHalf)
        if lines is None:
            raise StreamFault(Code.PROTOCOL_ERROR, "its headers are too large")
        if not stream.is_begun:
            self._on_response(stream, lines, is_end=is_end)
        elif not is_end:
            raise StreamFault(Code.PROTOCOL_ERROR, "its trailers are not the end")
        else:
            stream.received_trailers(trailer_fields(lines))

    def _on_response(self, stream: ClientHalf, lines: Fields, *, is_end: bool) -> None:
        head = response_head(lines, is_end=is_end, is_of_head=stream.is_of_head)
        if head.status < 200:  # noqa: PLR2004
            self._floods.empties.spend(self._now)
            stream.listener.response(head)
            return
        stream.is_begun = True
        stream.expected = 0 if head.is_end else head.length
        stream.is_received = is_end
        stream.is_told = head.is_end
        stream.listener.response(head)
        if is_end and stream.is_sent:
            self.ended(stream)
        elif head.is_end and not is_end:
            self._await_end(stream)

    def _await_end(self, stream: ClientHalf) -> None:
        """A whole answer to which an empty end is still to come: not for ever, because it takes one of our places."""
        if self._streams.get(stream.number) is stream and stream.number not in self.waiting:
            self.waiting[stream.number] = stream
            stream.stalled_at = self._now
            self.deadline = min(self.deadline, self._now + self._limits.stall_seconds)

    def _on_goaway(self, last: int) -> None:
        """The server looks at nothing new: what it has not looked at may be sent elsewhere."""
        self.is_draining = True
        for stream in [one for one in self._streams.values() if one.number > last]:
            self._forget(stream)
            stream.drop()
            self.tell(stream, Failure.REFUSED)
        self._maybe_done()

    def _is_unknown(self, number: int) -> bool:
        return number >= self._next or number % 2 == 0
