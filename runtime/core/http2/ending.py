"""How streams end, and connections: each once, whoever ends it, with nothing left behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf
from typing import Final

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.floods import Floods
from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.heads import StreamFault
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Sending, Surroundings
from meshproof.runtime.core.http2.stream import Stream
from meshproof.runtime.core.messages import Failure

MOST_RESET: Final = 1000
"""Streams that we have reset and of which something may still be on its way."""

CODES: Final = {
    Failure.CONNECT: Code.REFUSED_STREAM,
    Failure.REFUSED: Code.REFUSED_STREAM,
    Failure.RESET: Code.INTERNAL_ERROR,
    Failure.OVERFLOW: Code.REFUSED_STREAM,
    Failure.TIMEOUT: Code.CANCEL,
    Failure.PROTOCOL: Code.INTERNAL_ERROR,
    Failure.CANCELLED: Code.CANCEL,
}


class Ending(Sending, ABC):
    """The streams of a connection, from where they are known to where they are forgotten."""

    is_server: bool

    def __init__(self, around: Surroundings, limits: Http2Limits) -> None:
        super().__init__(around, limits)
        self._floods = Floods(limits.floods, self._now)
        self._streams: dict[int, Stream] = {}
        self._reset: dict[int, int] = {}
        self._highest = 0
        self._drained_by = inf
        self.is_draining = False

    @property
    def is_idle(self) -> bool:
        """Whether no stream is open."""
        return not self._streams

    def eof(self) -> None:
        """The peer sends no more: what it has asked for cannot be answered to an end, nor can we ask it."""
        if not self.is_over:
            self.lost()
            self._around.wire.close()

    def lost(self) -> None:
        """The connection is gone, and all its streams."""
        if not self.is_over:
            self._end()
            self._reset_all(Failure.RESET)

    def drained(self) -> None:
        """The time in which streams that were on their way may still begin is over."""
        self._drained_by = inf

    # What streams call, besides writing.

    def ended(self, stream: Stream) -> None:
        """Forget a stream of which both halves have ended."""
        if self._streams.pop(stream.number, None) is not None:
            self.waiting.pop(stream.number, None)
            self._floods.strays.earn(1)
            self._floods.resets.earn(1)
            self._maybe_done()

    def stop(self, stream: Stream) -> None:
        """Our half has ended, and the other one is for nobody (RFC 9113, 8.1)."""
        self._floods.strays.earn(1)
        self._cut(stream, Code.NO_ERROR)

    def cancel(self, stream: Stream, failure: Failure) -> None:
        """End a stream before its time."""
        self._cut(stream, CODES[failure])

    @abstractmethod
    def tell(self, stream: Stream, failure: Failure) -> None:
        """Tell the other side of the exchange that a stream has ended before its time."""

    # Inside.

    def _stray(self, number: int, *, is_late: bool = False) -> None:
        """A frame for a stream that is not open: late ones may come of any that was, others of those that we reset."""
        self._floods.strays.spend(self._now)
        if number == 0 or self._is_unknown(number):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it speaks of a stream that has not begun")
        if not is_late and number not in self._reset:
            raise ConnectionFault(Code.STREAM_CLOSED, "it speaks of a stream that has ended")

    def _late(self, number: int, size: int) -> None:
        """Data for a stream that is not open: what was on its way when we reset it is at most a window."""
        left = self._reset.get(number, 0) - size
        if size and left >= 0:
            self._reset[number] = left
        else:
            self._stray(number)

    @abstractmethod
    def _is_unknown(self, number: int) -> bool:
        """Whether a stream of this number never was."""

    def _break(self, stream: Stream, fault: StreamFault) -> None:
        """End a stream by the peer's fault. That costs it as much as a reset of its own (CVE-2025-8671)."""
        self._refuse(stream.number, fault, stream)
        self.tell(stream, Failure.PROTOCOL)

    def _refuse(self, number: int, fault: StreamFault, stream: Stream | None = None) -> None:
        self._around.fault(fault.what)
        if stream is None:
            self._remember(number, self._limits.stream_window)
            self.put(f.write_reset(number, fault.code))
        else:
            self._cut(stream, fault.code)
        self._floods.resets.spend(self._now)

    def _cut(self, stream: Stream, code: Code) -> None:
        if self._streams.get(stream.number) is stream and not self.is_over:
            self._remember(stream.number, stream.receivable)
            self.put(f.write_reset(stream.number, code))
        self._forget(stream)
        stream.drop()
        self._maybe_done()

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.number, None)
        self.waiting.pop(stream.number, None)

    def _remember(self, number: int, receivable: int) -> None:
        if len(self._reset) >= MOST_RESET:
            del self._reset[next(iter(self._reset))]
        self._reset[number] = receivable

    def _fail(self, fault: ConnectionFault) -> None:
        """End the connection by the peer's fault."""
        self._around.fault(fault.what)
        self.put(f.write_goaway(self._highest if self.is_server else 0, fault.code, fault.what.encode()))
        self._end()
        self._reset_all(Failure.PROTOCOL if fault.code else Failure.RESET)
        self.flush()
        self._around.wire.close()

    def _reset_all(self, failure: Failure) -> None:
        streams = list(self._streams.values())
        self._streams.clear()
        self.waiting.clear()
        for stream in streams:
            self._gone(stream, failure)

    def _gone(self, stream: Stream, failure: Failure) -> None:
        """The peer does nothing more for a stream. An answer that is whole is good, whoever reads the request."""
        if stream.is_received and not self.is_server:
            stream.abandon()
        else:
            stream.drop()
            self.tell(stream, failure)

    def _end(self) -> None:
        self.is_over = True
        self.deadline = inf

    def _maybe_done(self) -> None:
        """A connection that drains ends with its last stream."""
        if self.is_draining and not self._streams and self._drained_by == inf and not self.is_over:
            self._end()
            self.flush()
            self._around.wire.close()
