"""One stream, the same for servers and clients: what is to be sent waits for windows, what came waits for its taker.

Credit for received data is given when it was taken, so a slow taker holds the peer back, and a stream holds at most
its window. What cannot be sent is kept here, and its source is told to pause after the first piece.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf
from typing import Final, Protocol

from meshproof.runtime.core.http2.frames import DATA, END_STREAM, Code, write_frame, write_window_update
from meshproof.runtime.core.http2.heads import StreamFault
from meshproof.runtime.core.messages import Failure, Fields, Parts

EARNING: Final = 1024
"""Pieces below earn a peer no more window updates: whoever gives a byte at a time gets that many (CVE-2019-9511)."""


class Sender(Protocol):
    """What a stream needs of its connection."""

    window: int
    most_frame: int
    is_held: bool
    sent_frames: int
    waiting: dict[int, Stream]

    def put(self, data: bytes) -> None:
        """Write a frame."""

    def put_headers(self, number: int, lines: Fields, *, is_end: bool) -> None:
        """Write a header block."""

    def owe(self, size: int) -> None:
        """So much was taken: give the connection credit for it."""

    def wait(self, stream: Stream) -> None:
        """The stream has something to send that may have to wait."""

    def ended(self, stream: Stream) -> None:
        """Both halves have ended."""

    def stop(self, stream: Stream) -> None:
        """Our half has ended, and the other one is for nobody."""

    def cancel(self, stream: Stream, failure: Failure) -> None:
        """End it before its time, and let the peer see why."""


class Stream(ABC):
    """A stream that is open. `is_sent`, `is_received`: that half has ended, however.

    `is_begun`: the head of what is received is here; `is_told`: its taker knows that nothing more comes.
    `expected`: how many bytes of body are still to come, None if nobody has said; `allowed`: how many may come.
    `is_pausing`: the source of what is sent was told to wait. `stalled_at`: since when the peer takes nothing.
    """

    __slots__ = (
        "_connection",
        "_held",
        "_held_size",
        "_is_paused",
        "_most_left",
        "_owed",
        "_pending",
        "_told",
        "_trailers",
        "_will_end",
        "allowed",
        "expected",
        "is_begun",
        "is_pausing",
        "is_received",
        "is_sent",
        "is_told",
        "number",
        "receivable",
        "stalled_at",
        "window",
    )

    def __init__(self, connection: Sender, number: int, window: int, receivable: int) -> None:
        self._connection = connection
        self.number = number
        self.window = window
        self.receivable = self._most_left = receivable
        self._owed = 0
        self.expected: int | None = None
        self.allowed: int | None = None
        self._pending: bytearray | None = None
        self._will_end = False
        self._trailers: Fields | None = None
        self._held: bytearray | None = None
        self._held_size = 0
        self._told: Fields | None = None
        self._is_paused = False
        self.is_begun = True
        self.is_told = False
        self.is_pausing = False
        self.is_sent = False
        self.is_received = False
        self.stalled_at = inf

    # What the other side of the exchange calls.

    def pause(self) -> None:
        """Deliver nothing: the peer gets no credit, and what still comes is held."""
        self._is_paused = True

    def resume(self) -> None:
        """Deliver what was held, then what comes."""
        if not self._is_paused:
            return
        self._is_paused = False
        if self._held is not None:
            self._release()
        if not self._is_paused:
            self._give_credit()

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """Send a piece of the body, or keep it until the peer takes it."""
        if self.is_sent:
            return
        connection = self._connection
        size = len(payload)
        if (
            self._pending is None
            and size <= self.window
            and size <= connection.window
            and size <= connection.most_frame
            and not connection.is_held
        ):
            if size or is_end:
                self.window -= size
                connection.window -= size
                connection.sent_frames += 1
                connection.put(write_frame(DATA, END_STREAM if is_end else 0, self.number, payload))
                if is_end:
                    self._end()
            return
        if self._pending is None:
            self._pending = bytearray()
        self._pending += payload
        self._will_end = is_end
        connection.wait(self)

    def trailers(self, fields: Fields) -> None:
        """Send trailers, after what is kept."""
        if self.is_sent:
            return
        if self._pending is None:
            self._connection.put_headers(self.number, fields, is_end=True)
            self._end()
        else:
            self._trailers = fields

    def reset(self, failure: Failure) -> None:
        """End it before its time: the peer sees it, and nothing is told any more."""
        self._connection.cancel(self, failure)

    # What the connection calls.

    def send_some(self) -> bool:
        """Send one frame of what is kept. Whether something was sent."""
        connection, pending = self._connection, self._pending
        if pending is None:
            return False
        size = max(min(len(pending), self.window, connection.window, connection.most_frame), 0)
        if size == 0 and pending:
            return False
        payload = bytes(memoryview(pending)[:size])
        del pending[:size]
        is_last = not pending
        is_end = is_last and self._will_end
        self.window -= size
        connection.window -= size
        if payload or is_end:
            connection.put(write_frame(DATA, END_STREAM if is_end else 0, self.number, payload))
        if is_last or size >= EARNING:
            connection.sent_frames += 1
        if is_last:
            self._pending = None
            del connection.waiting[self.number]
            if self._trailers is not None:
                connection.put_headers(self.number, self._trailers, is_end=True)
                is_end = True
            if is_end:
                self._end()
        return True

    def received(self, payload: bytes, size: int, *, is_end: bool) -> None:
        """A DATA frame; `size` with its padding. Raises `StreamFault`."""
        self.receivable -= size
        if self.receivable < 0:
            raise StreamFault(Code.FLOW_CONTROL_ERROR, "it sends more than it may")
        if self.is_received:
            raise StreamFault(Code.STREAM_CLOSED, "it sends data after the end")
        if not self.is_begun:
            raise StreamFault(Code.PROTOCOL_ERROR, "it sends data before its head")
        if self.expected is not None:
            self.expected -= len(payload)
            if self.expected < 0 or (is_end and self.expected):
                raise StreamFault(Code.PROTOCOL_ERROR, "its body is not as long as it says")
        if self.allowed is not None:
            self.allowed -= len(payload)
            if self.allowed < 0:
                raise StreamFault(Code.ENHANCE_YOUR_CALM, "its body is too large")
        self.is_received = is_end
        if self._is_paused or self._held is not None:
            if self._held is None:
                self._held = bytearray()
            self._held += payload
            self._held_size += size
            return
        self._deliver(payload, size, is_end=is_end)

    def received_trailers(self, fields: Fields) -> None:
        """Trailers, which are the end. Raises `StreamFault`."""
        if self.is_received:
            raise StreamFault(Code.STREAM_CLOSED, "it sends trailers after the end")
        if self.expected:
            raise StreamFault(Code.PROTOCOL_ERROR, "its body is not as long as it says")
        self.is_received = True
        if self._is_paused or self._held is not None:
            if self._held is None:
                self._held = bytearray()
            self._told = fields
            return
        self._deliver_trailers(fields)

    def abandon(self) -> None:
        """Send no more: the peer takes nothing. What is held may still be taken."""
        self._pending = None
        self.is_sent = True

    def drop(self) -> None:
        """Forget what is kept and held: the stream was reset."""
        if self._held is not None:
            self._connection.owe(self._held_size)
        self._pending = self._held = None
        self.is_sent = self.is_received = True

    @abstractmethod
    def parts(self) -> Parts:
        """Who takes what comes."""

    @abstractmethod
    def pause_source(self) -> None:
        """Tell whoever sends to wait."""

    @abstractmethod
    def resume_source(self) -> None:
        """Tell it to go on."""

    # Inside.

    def _end(self) -> None:
        self.is_sent = True
        self._maybe_ended()

    def _maybe_ended(self) -> None:
        if self.is_sent and self.is_received:
            self._connection.ended(self)

    def _deliver(self, payload: bytes, size: int, *, is_end: bool) -> None:
        self._owed += size
        self._connection.owe(size)
        was_told = self.is_told
        self.is_told = was_told or is_end
        if (payload or is_end) and not was_told:
            self.parts().data(payload, is_end=is_end)
        if is_end:
            self._maybe_ended()
        elif not self._is_paused:
            self._give_credit()

    def _deliver_trailers(self, fields: Fields) -> None:
        if not self.is_told:
            self.is_told = True
            self.parts().trailers(fields)
        self._maybe_ended()

    def _release(self) -> None:
        held, size, told = self._held, self._held_size, self._told
        assert held is not None
        self._held, self._held_size, self._told = None, 0, None
        is_end = self.is_received and told is None
        if held or is_end:
            self._deliver(bytes(held), size, is_end=is_end)
        if told is None:
            return
        if self._is_paused:
            self._held, self._told = bytearray(), told
        else:
            self._deliver_trailers(told)

    def _give_credit(self) -> None:
        owed = self._owed
        if owed * 2 >= self._most_left and not self.is_received:
            self._owed = 0
            self.receivable += owed
            self._connection.put(write_window_update(self.number, owed))
