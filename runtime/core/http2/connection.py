"""What servers and clients share of a connection: frames, settings, windows, floods, times, and its end.

Every frame is counted before anything else is done with it. A rule of a stream that is broken ends the stream, one of
the connection ends it, with a GOAWAY that says why. What is written in one turn of the event loop is one write.
"""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import Final

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.blocks import Blocks
from meshproof.runtime.core.http2.ending import Ending
from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.heads import StreamFault
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.peer import PeerSettings
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.stream import Stream
from meshproof.runtime.core.messages import Failure

_GOAWAY_SIZE: Final = 8
_ALIVE: Final = b"is alive"


class Connection(Ending):
    """A connection as a codec is (`meshproof.runtime.core.codec`). After `is_over` it takes and says nothing."""

    def __init__(self, around: Surroundings, limits: Http2Limits) -> None:
        super().__init__(around, limits)
        self._reader = f.FrameReader(f.LEAST_FRAME_SIZE)
        self._blocks = Blocks(limits, self._floods)
        self._peer = PeerSettings(is_server=not self.is_server)
        self._taken_frames = 0
        self._is_settled = False
        self._is_acknowledged = False
        self._settle_by = self.deadline = self._now + limits.settings_seconds
        self._amid_by = self._alive_by = inf
        self._heard_at = self._now

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes from the peer."""
        if self.is_over:
            return
        self._now = self._heard_at = self._around.clock()
        self._alive_by = inf
        was_awake, self._is_awake = self._is_awake, True
        try:
            self._watch(has_read=self._read(bytes(data)))
        except ConnectionFault as fault:
            self._fail(fault)
        self._is_awake = was_awake
        self.flush()

    def expire(self) -> None:
        """End what has taken too long, and say when to look again."""
        if self.is_over:
            return
        now = self._now = self._around.clock()
        try:
            self._check_times(now)
        except ConnectionFault as fault:
            self._fail(fault)
            self.flush()
            return
        stalled = now - self._limits.stall_seconds
        for stream in [one for one in self.waiting.values() if one.stalled_at <= stalled]:
            self._around.fault("it does not take what it asked for")
            self.cancel(stream, Failure.TIMEOUT)
            self.tell(stream, Failure.TIMEOUT)
        if self._drained_by <= now:
            self.drained()
        waits = min((one.stalled_at for one in self.waiting.values()), default=inf) + self._limits.stall_seconds
        quiet_by = self._quiet_by(now)
        if not self.is_over:
            self.deadline = min(self._settle_by, self._amid_by, self._held_by, self._drained_by, waits, quiet_by)
            self._maybe_done()

    def _quiet_by(self, now: float) -> float:
        """When to look again at a peer who says nothing. One that asks for nothing is told to go; with streams open it
        is asked whether it is there, so that nothing is sent for ever to where nobody is, nor kept for it."""  # noqa: D205, D209
        limits = self._limits
        if not self._streams:
            if self._heard_at + limits.idle_seconds <= now:
                self.drain()
            return inf if self.is_draining else self._heard_at + limits.idle_seconds
        if self._heard_at + limits.quiet_seconds > now:
            return min(self._heard_at + limits.quiet_seconds, now + limits.idle_seconds)
        if self._alive_by == inf:
            self._alive_by = now + limits.alive_seconds
            self.put(f.write_frame(f.PING, 0, 0, _ALIVE))
        return self._alive_by

    @abstractmethod
    def drain(self) -> None:
        """End with the last stream."""

    # Frames.

    def _read(self, data: bytes) -> bool:
        """Handle what is whole. Whether something was."""
        frames, fault = self._reader.feed(data)
        for kind, flags, number, payload in frames:
            self._handle(kind, flags, number, payload)
            if self.is_over:
                return True
        if fault is not None:
            raise fault
        return bool(frames)

    def _watch(self, *, has_read: bool) -> None:
        """A frame, and a block across its frames, that has begun is to end in time."""
        if self._blocks.is_amid:
            is_new = self._amid_by == inf
        else:
            is_new = self._reader.is_amid and (has_read or self._amid_by == inf)
            if not self._reader.is_amid:
                self._amid_by = inf
        if is_new:
            self._amid_by = self._now + self._limits.block_seconds
            self.deadline = min(self.deadline, self._amid_by)

    def _handle(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if self._blocks.is_amid or not self._is_settled:
            self._expect(kind, flags, number)
        if kind == f.DATA:
            self._on_data(flags, number, payload)
        elif kind == f.HEADERS:
            self._on_headers(flags, number, payload)
        elif kind == f.WINDOW_UPDATE:
            self._on_credit(number, payload)
        elif kind == f.CONTINUATION:
            self._on_block(number, self._blocks.carry_on(self._now, flags, number, payload))
        elif kind == f.RST_STREAM:
            self._on_reset(number, payload)
        elif kind == f.PING:
            self._on_ping(flags, number, payload)
        elif kind == f.SETTINGS:
            self._on_settings(flags, number, payload)
        elif kind == f.GOAWAY:
            self._floods.strays.spend(self._now)
            if number or len(payload) < _GOAWAY_SIZE:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it says goodbye as nobody does")
            self._on_goaway(f.read_word(payload) & 0x7FFFFFFF)
        elif kind == f.PUSH_PROMISE:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it pushes")
        else:
            self._on_other(kind, number, payload)

    def _expect(self, kind: int, flags: int, number: int) -> None:
        """The first frame is settings (RFC 9113, 3.4); a block that has begun goes on with nothing in between."""
        if self._blocks.is_amid:
            if kind != f.CONTINUATION or number != self._blocks.number:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "it sends something amid a header block")
        elif kind != f.SETTINGS or flags & f.ACK:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it does not begin with its settings")
        else:
            self._is_settled = True

    def _on_data(self, flags: int, number: int, payload: bytes) -> None:
        size = len(payload)
        self._receivable -= size
        if self._receivable < 0:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "it sends more than it may")
        if flags & f.PADDED:
            payload = f.without_padding(payload)
        is_end = bool(flags & f.END_STREAM)
        if payload:
            self._taken_frames += 1
        elif not is_end:
            self._floods.empties.spend(self._now)
        stream = self._streams.get(number)
        if stream is None:
            self.owe(size)
            self._late(number, size)
            return
        try:
            stream.received(payload, size, is_end=is_end)
        except StreamFault as fault:
            self.owe(size)
            self._break(stream, fault)

    def _on_headers(self, flags: int, number: int, payload: bytes) -> None:
        if number == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it sends headers for no stream")
        if flags & f.PADDED:
            payload = f.without_padding(payload)
        if flags & f.WITH_PRIORITY:
            if len(payload) < f.PRIORITY_SIZE:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a priority that is none")
            payload = payload[f.PRIORITY_SIZE :]
        self._on_block(number, self._blocks.begin(self._now, flags, number, payload))

    def _on_block(self, number: int, block: bytes | None) -> None:
        if block is None:
            return
        stream = self._streams.get(number)
        try:
            self._on_lines(number, block, stream, is_end=self._blocks.is_end)
        except StreamFault as fault:
            if stream is None:
                self._refuse(number, fault)
            else:
                self._break(stream, fault)

    @abstractmethod
    def _on_lines(self, number: int, block: bytes, stream: Stream | None, *, is_end: bool) -> None:
        """A header block of a stream that is open, or None. It must be read, whatever becomes of it."""

    def _on_credit(self, number: int, payload: bytes) -> None:
        if self.sent_frames:
            self._floods.credits.earn(4 * self.sent_frames)
            self._floods.pings.earn(self.sent_frames)
            self.sent_frames = 0
        self._floods.credits.spend(self._now)
        if len(payload) != f.WORD_SIZE:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a window update that is none")
        increment = f.read_word(payload) & 0x7FFFFFFF
        if number == 0:
            self.window += increment
            if increment == 0:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "it gives no credit")
            if self.window > f.MOST_WINDOW:
                raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "it gives too much credit")
        else:
            stream = self._streams.get(number)
            if stream is None:
                self._stray(number, is_late=True)
                return
            stream.window += increment
            if increment == 0:
                self._break(stream, StreamFault(Code.PROTOCOL_ERROR, "it gives no credit"))
            elif stream.window > f.MOST_WINDOW:
                self._break(stream, StreamFault(Code.FLOW_CONTROL_ERROR, "it gives too much credit"))
        if self.waiting:
            self.pump()

    def _on_reset(self, number: int, payload: bytes) -> None:
        if len(payload) != f.WORD_SIZE:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a reset that is none")
        stream = self._streams.get(number)
        if stream is None:
            self._stray(number, is_late=True)
            return
        self._floods.resets.spend(self._now)
        code = f.read_word(payload)
        self._forget(stream)
        self._gone(stream, Failure.REFUSED if code == Code.REFUSED_STREAM else Failure.RESET)
        self._maybe_done()

    def _on_ping(self, flags: int, number: int, payload: bytes) -> None:
        if self._taken_frames:
            self._floods.pings.earn(self._taken_frames)
            self._taken_frames = 0
        self._floods.pings.spend(self._now)
        if number or len(payload) != f.PING_SIZE:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a ping that is none")
        if not flags & f.ACK:
            self.put(f.write_frame(f.PING, f.ACK, 0, payload))
        elif self._drained_by < inf and payload == f.DRAIN_PING:
            self.drained()

    def _on_settings(self, flags: int, number: int, payload: bytes) -> None:
        self._floods.settings.spend(self._now)
        if number:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it sends settings of a stream")
        if flags & f.ACK:
            if payload:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends settings that are none")
            if self._is_acknowledged:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "it agrees to settings that were not sent")
            self._is_acknowledged = True
            self._settle_by = inf
            return
        change = self._peer.take(payload)
        self.most_frame = min(self._peer.most_frame, self._limits.frame_bytes)
        if change:
            for stream in self._streams.values():
                stream.window += change
                if stream.window > f.MOST_WINDOW:
                    raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "it gives too much credit")
        self.put(f.write_frame(f.SETTINGS, f.ACK, 0))
        if change > 0 and self.waiting:
            self.pump()

    @abstractmethod
    def _on_goaway(self, last: int) -> None:
        """The peer begins nothing any more, or answers nothing after the stream `last`."""

    def _on_other(self, kind: int, number: int, payload: bytes) -> None:
        if kind != f.PRIORITY:
            self._floods.strays.spend(self._now)
            return
        self._floods.priorities.spend(self._now)
        if number == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it sends a priority for no stream")
        if len(payload) != f.PRIORITY_SIZE:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a priority that is none")

    def _check_times(self, now: float) -> None:
        if self._settle_by <= now:
            raise ConnectionFault(Code.SETTINGS_TIMEOUT, "it does not agree to settings in time")
        if self._amid_by <= now:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "it does not end its frames in time")
        if self._alive_by <= now:
            raise ConnectionFault(Code.NO_ERROR, "it does not say that it is there")
        if self._held_by <= now:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "it does not read what it asked for")
