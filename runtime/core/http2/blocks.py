"""Header blocks as they come: put together from frames before anything is decoded, and bounded while they grow."""

from __future__ import annotations

from typing import Final

from meshproof.runtime.core.http2.floods import Floods
from meshproof.runtime.core.http2.frames import END_HEADERS, END_STREAM, Code, ConnectionFault
from meshproof.runtime.core.http2.hpack import BlockReader
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Fields

_MOST_KNOWN: Final = 16
_LONGEST_KNOWN: Final = 1024


class Blocks:
    """The blocks of one connection. `is_amid`: one has begun, of the stream `number`, and is to be carried on."""

    __slots__ = ("_floods", "_frames", "_known", "_limits", "_parts", "_reader", "_size", "is_amid", "is_end", "number")

    def __init__(self, limits: Http2Limits, floods: Floods) -> None:
        self._limits = limits
        self._floods = floods
        self._reader = BlockReader(limits.header_bytes)
        self._known: dict[bytes, tuple[int, Fields]] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._frames = 0
        self.is_amid = False
        self.is_end = False
        self.number = 0

    def begin(self, now: float, flags: int, number: int, payload: bytes) -> bytes | None:
        """A block begins; the whole of it if it is here. `is_end` says whether its stream ends with it."""
        self.is_end = bool(flags & END_STREAM)
        if flags & END_HEADERS and len(payload) <= self._limits.header_bytes:
            return payload
        self.number = number
        self.is_amid = True
        self._parts, self._size, self._frames = [], 0, 0
        return self._add(now, flags, payload)

    def carry_on(self, now: float, flags: int, number: int, payload: bytes) -> bytes | None:
        """A block goes on; the whole of it if this is the end. Raises `ConnectionFault`, also where none has begun."""
        if not self.is_amid or number != self.number:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it carries on a header block that has not begun")
        return self._add(now, flags, payload)

    def lines(self, block: bytes) -> Fields | None:
        """The lines of a block, of which the caller is the owner; None if they are too many. Raises `ConnectionFault`.

        Peers repeat themselves: what is decoded once is known until the table changes.
        """
        version = self._reader.version
        known = self._known.get(block)
        if known is not None and known[0] == version:
            return list(known[1])
        lines = self._reader.read(block)
        if lines is None or len(lines) > self._limits.headers:
            return None
        if self._reader.version == version and len(block) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[block] = (version, list(lines))
        return lines

    def _add(self, now: float, flags: int, payload: bytes) -> bytes | None:
        self._size += len(payload)
        self._frames += 1
        if self._size > self._limits.header_bytes or self._frames > self._limits.block_frames:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "its headers are too large")
        if not payload:
            self._floods.empties.spend(now)
        self._parts.append(payload)
        if not flags & END_HEADERS:
            return None
        self.is_amid = False
        block = b"".join(self._parts)
        self._parts = []
        return block
