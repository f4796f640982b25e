"""HTTP/1.1 on a connection that we made: one request at a time, and the next only after a clean end (ADR 0201)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from meshproof.runtime.core.codec import ClientCodec, Wire
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_responses import ResponseEvent, ResponseParser
from meshproof.runtime.core.http1_write import LAST_CHUNK, chunk, last_chunk, request_bytes
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseHead, ResponseListener

_OK = 200
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods that mean the same if they come twice (RFC 9110, section 9.2.2)."""


class Owner(Protocol):
    """Whoever made the connection."""

    def ready(self, codec: ClientCodec) -> None:
        """It takes a request again."""

    def again(self, head: RequestHead, listener: ResponseListener) -> ClientStream | None:
        """A kept connection ended before a byte of the answer to this request, which may be repeated, came: send it on
        a new one, or say that it cannot be."""  # noqa: D205, D209


@dataclass(frozen=True, slots=True)
class ClientRules:
    """What all connections of a pool keep to. `stall`: seconds without a byte, `idle`: without a request."""

    clock: Callable[[], float]
    limits: Http1Limits = field(default_factory=lambda: Http1Limits(takes_underscores=True))
    stall: float = 300.0
    idle: float = 60.0


class Http1Client:
    """A client codec and, as there is one request at a time, its stream.

    `_is_sent`: all of the request was written. Data that is more or less than its head says is never sent.
    """

    def __init__(self, wire: Wire, rules: ClientRules, owner: Owner) -> None:
        self._wire = wire
        self._rules = rules
        self._clock = rules.clock
        self._owner = owner
        self._parser = ResponseParser(rules.limits)
        self._listener: ResponseListener | None = None
        self._repeatable: RequestHead | None = None
        self._successor: ClientStream | None = None
        self._held = b""
        self._left: int | None = None
        self._is_sent = True
        self._is_used = False
        self._is_over = False
        self._is_last = False
        self._is_paused = False
        self._paused: list[ResponseEvent] = []
        self.deadline = self._clock() + rules.idle

    # What the pool and the net call.

    @property
    def is_idle(self) -> bool:
        """Whether no request is on its way."""
        return self._listener is None

    @property
    def capacity(self) -> int:
        """One request at a time, after whose answer the connection is what it was."""
        return int(self._listener is None and not self._is_over and not self._is_last)

    def request(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Send a request."""
        self._listener = listener
        self._parser.expect(is_head=head.method == "HEAD", protocol=head.protocol)
        self._is_sent = head.is_end
        self._left = head.length
        self._repeatable = head if self._is_used and head.is_end and head.method in _REPEATABLE else None
        self.deadline = self._clock() + self._rules.stall
        written = request_bytes(head)
        if head.is_followed and not head.is_end:
            self._held = written
        else:
            self._wire.write(written)
        return self

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes of the server. Those that nobody asked for would be taken for the answer to the next request."""
        listener = self._listener
        if listener is None and not self._is_over:
            self._end()
        if self._is_over:
            return
        self._repeatable = None
        whole = None if self._is_paused or self._paused else self._parser.whole(data)
        if whole is not None and listener is not None:
            self._answered()
            listener.response(whole)
            return
        events = self._parser.feed(data)
        if self._paused:
            self._paused += events
            return
        self._tell(events)

    def eof(self) -> None:
        """The server sends no more."""
        if self._repeatable is None and not self._is_over:
            events: list[ResponseEvent] = [None] if self._parser.is_raw else self._parser.eof()
            self._is_last = True
            if self._paused:
                self._paused += events
                return
            self._tell(events)
        else:
            self.lost()
        self._wire.close()

    def lost(self) -> None:
        """The connection has ended."""
        if self._is_over:
            return
        self._is_over = True
        self.deadline = inf
        listener, self._listener = self._listener, None
        if listener is None:
            return
        if self._repeatable is not None:
            self._successor = self._owner.again(self._repeatable, listener)
            if self._successor is not None:
                return
        listener.reset(Failure.RESET)

    def pause_writing(self) -> None:
        """The server reads slowly."""
        if self._listener is not None:
            self._listener.pause_request()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._listener is not None:
            self._listener.resume_request()

    def expire(self) -> None:
        """A time is over."""
        if self._is_paused:
            self.deadline = self._clock() + self._rules.stall  # it is the client that is slow, whom others watch
        else:
            self._fail(Failure.TIMEOUT)

    def drain(self) -> None:
        """The answer on its way is the last one."""
        self._is_last = True
        if self._listener is None:
            self._end()

    # What an exchange calls.

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the body."""
        if self._successor is not None:
            self._successor.data(payload, is_end=is_end)
            return
        if self._is_over:
            return
        left = self._left
        if self._parser.is_raw:
            self.deadline = self._clock() + self._rules.stall
        elif left is None:
            payload = chunk(payload) + LAST_CHUNK if is_end else chunk(payload)
        else:
            self._left = left = left - len(payload)
            if left < 0 or (is_end and left):
                self._fail(Failure.PROTOCOL)
                return
        if self._held:
            payload = self._held + payload
            self._held = b""
        if payload:
            self._wire.write(payload)
        if is_end:
            self._is_sent = True

    def trailers(self, fields: Fields) -> None:
        """The end of the body, with trailers, which only chunks can carry."""
        if self._left is None and not self._is_over and not self._parser.is_raw:
            self._wire.write(self._held + last_chunk(fields))
            self._held = b""
            self._is_sent = True
        else:
            self.data(b"", is_end=True)

    def reset(self, failure: Failure) -> None:
        """Nobody wants the answer any more. The connection ends: what comes on it is not told apart from the next."""
        if self._successor is not None:
            self._successor.reset(failure)
            return
        self._listener = None
        self._end()

    def pause(self) -> None:
        """Read no more of the answer."""
        if self._successor is not None:
            self._successor.pause()
        elif not self._is_over:
            self._is_paused = True
            self._wire.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._successor is not None:
            self._successor.resume()
        elif not self._is_over:
            self._is_paused = False
            events, self._paused = self._paused, []
            self._tell(events)
            if not self._is_paused:
                self._wire.resume_reading()

    # Inside.

    def _tell(self, events: list[ResponseEvent]) -> None:
        last = len(events) - 1
        for place, event in enumerate(events):
            listener = self._listener
            if listener is None:
                break
            if self._is_paused:
                self._paused = events[place:]
                return
            is_end = False
            if isinstance(event, ResponseHead):
                is_end = event.is_end
                self._head(event, listener, is_followed=place < last)
            elif isinstance(event, bytes):
                is_end = place < last and events[place + 1] is None
                if is_end:
                    self._answered()
                listener.data(event, is_end=is_end)
            elif isinstance(event, Failure):
                self._fail(event)
            else:
                self._answered()
                self._last_part(event, listener)
                return
            if is_end:
                return  # whoever was told may have begun the next request here
        if self._listener is not None:
            self.deadline = self._clock() + self._rules.stall

    @staticmethod
    def _last_part(trailers: Fields | None, listener: ResponseListener) -> None:
        if trailers is None:
            listener.data(b"", is_end=True)
        else:
            listener.trailers(trailers)

    def _head(self, head: ResponseHead, listener: ResponseListener, *, is_followed: bool) -> None:
        head.is_followed = is_followed and not head.is_end and head.status >= _OK
        if head.is_end:
            self._answered()
        listener.response(head)

    def _answered(self) -> None:
        """The connection is used again if both messages ended where they said, and nothing came after."""
        self._listener = None
        if self._is_over:
            return
        if self._is_sent and self._parser.is_reusable and not self._is_last and not self._parser.is_raw:
            self._is_used = True
            self.deadline = self._clock() + self._rules.idle
            self._owner.ready(self)
        else:
            self._end()

    def _fail(self, failure: Failure) -> None:
        listener, self._listener = self._listener, None
        self._end()
        if listener is not None:
            listener.reset(failure)

    def _end(self) -> None:
        self._is_over = True
        self.deadline = inf
        self._wire.close()
