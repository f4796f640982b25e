"""What a connection writes: the frames of one turn of the loop at once, data as far as windows and wire allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from meshproof.runtime.core.codec import Wire
from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.hpack import BlockWriter
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.stream import Stream
from meshproof.runtime.core.messages import Fields


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connection is given.

    That is its wire, a monotonic clock, what calls something later in the same turn of the loop, and whom to tell of
    faults (one clause from a fixed set).
    """

    wire: Wire
    clock: Callable[[], float]
    soon: Callable[[Callable[[], None]], object]
    fault: Callable[[str], None]


class Sending:
    """The writing side of a connection.

    `window`: what the peer takes on the connection; `most_frame`: in one frame; `is_held`: the wire takes nothing;
    `waiting`: streams with data that is kept; `sent_frames`: of data, since window updates came.
    """

    def __init__(self, around: Surroundings, limits: Http2Limits) -> None:
        self._around = around
        self._limits = limits
        self._now = around.clock()
        self._writer = BlockWriter()
        self._out: list[bytes] = []
        self._is_awake = False
        self._receivable = limits.connection_window
        self._owed = 0
        self._held_by = inf
        self._held_size = 0
        self.is_over = False
        self.is_held = False
        self.window = f.FIRST_WINDOW
        self.most_frame = f.LEAST_FRAME_SIZE
        self.sent_frames = 0
        self.waiting: dict[int, Stream] = {}
        self.deadline = inf

    def pause_writing(self) -> None:
        """The peer reads slowly: data is kept by its streams."""
        self.is_held = True
        self._held_by = self._around.clock() + self._limits.stall_seconds
        self.deadline = min(self.deadline, self._held_by)

    def resume_writing(self) -> None:
        """It reads again."""
        self.is_held = False
        self._held_by = inf
        self._held_size = 0
        self._now = self._around.clock()
        self.pump()

    def put(self, data: bytes) -> None:
        """Write, with all else that is written in this turn."""
        self._out.append(data)
        if self.is_held:
            self._held_size += len(data)
        if not self._is_awake:
            self._is_awake = True
            self._around.soon(self._awake)

    def put_headers(self, number: int, lines: Fields, *, is_end: bool) -> None:
        """Write a header block, in as many frames as it takes."""
        block = self._writer.write(lines)
        most, end = self.most_frame, f.END_STREAM if is_end else 0
        if len(block) <= most:
            self.put(f.write_frame(f.HEADERS, f.END_HEADERS | end, number, block))
            return
        self.put(f.write_frame(f.HEADERS, end, number, block[:most]))
        for start in range(most, len(block), most):
            flags = f.END_HEADERS if start + most >= len(block) else 0
            self.put(f.write_frame(f.CONTINUATION, flags, number, block[start : start + most]))

    def flush(self) -> None:
        """Write what there is."""
        if self._out:
            out, self._out = self._out, []
            self._around.wire.write(out[0] if len(out) == 1 else b"".join(out))

    def owe(self, size: int) -> None:
        """Give the peer credit for what was taken, in large pieces."""
        self._owed += size
        if self._owed * 4 >= self._limits.connection_window and not self.is_over:
            self.put(f.write_window_update(0, self._owed))
            self._receivable += self._owed
            self._owed = 0

    def wait(self, stream: Stream) -> None:
        """Send what may be sent of a stream; if something is left, its source waits too."""
        self._now = self._around.clock()
        if stream.number not in self.waiting:
            self.waiting[stream.number] = stream
            stream.stalled_at = self._now
            self.deadline = min(self.deadline, self._now + self._limits.stall_seconds)
        self.pump()
        if stream.number in self.waiting and not stream.is_pausing:
            stream.is_pausing = True
            stream.pause_source()

    def pump(self) -> None:
        """Send what waits, a frame of each stream in turn, as far as windows and the wire allow."""
        going = [] if self.is_held or self.is_over else list(self.waiting.values())
        resumed = []
        while going:
            again = []
            for stream in going:
                if not stream.send_some():
                    continue
                stream.stalled_at = self._now
                if stream.number in self.waiting:
                    again.append(stream)
                elif stream.is_pausing:
                    stream.is_pausing = False
                    resumed.append(stream)
            going = again
        for stream in resumed:
            if not stream.is_sent:
                stream.resume_source()

    def _awake(self) -> None:
        self._is_awake = False
        self.flush()
