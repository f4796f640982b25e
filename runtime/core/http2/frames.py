"""Frames (RFC 9113, 4 and 6): what they are called, how they are written, and how bytes are cut into them.

Nothing is buffered but one frame that has not ended, so a peer holds at most the size of a frame here.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6
NO_RFC7540_PRIORITIES: Final = 9

LEAST_FRAME_SIZE: Final = 16_384
MOST_FRAME_SIZE: Final = 16_777_215
MOST_WINDOW: Final = 2**31 - 1
FIRST_WINDOW: Final = 65_535

HEADER_SIZE: Final = 9
WORD_SIZE: Final = 4
PRIORITY_SIZE: Final = 5
PING_SIZE: Final = 8
DRAIN_PING: Final = b"draining"
"""When its answer is here, so is all that was sent before the peer knew that it is to go (RFC 9113, 6.8)."""

_HEADER = struct.Struct(">HBBBL")
_pack_header = _HEADER.pack
_unpack_header = _HEADER.unpack_from
_WORD = struct.Struct(">L")

Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream, payload."""


class Code(IntEnum):
    """Why a stream or a connection ends (RFC 9113, 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class ConnectionFault(Exception):  # noqa: N818  it is the peer's fault, and no error of ours
    """The connection ends by the peer's fault: with this code, for this reason (for the log)."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


def write_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as bytes."""
    size = len(payload)
    return _pack_header(size >> 8, size & 0xFF, kind, flags, stream) + payload


def write_window_update(stream: int, increment: int) -> bytes:
    """Credit for a stream, or for the connection (0)."""
    return _pack_header(0, 4, WINDOW_UPDATE, 0, stream) + _WORD.pack(increment)


def write_reset(stream: int, code: int) -> bytes:
    """The end of a stream before its time."""
    return _pack_header(0, 4, RST_STREAM, 0, stream) + _WORD.pack(code)


def write_goaway(last_stream: int, code: int, what: bytes = b"") -> bytes:
    """The end of a connection: streams above `last_stream` were not looked at."""
    return write_frame(GOAWAY, 0, 0, _WORD.pack(last_stream) + _WORD.pack(code) + what)


def write_settings(values: tuple[tuple[int, int], ...]) -> bytes:
    """Our settings."""
    return write_frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", name, value) for name, value in values))


def without_padding(payload: bytes) -> bytes:
    """A payload without its padding. Raises `ConnectionFault` if that is all, and more."""
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it pads more than there is")
    return payload[1 : len(payload) - payload[0]]


def read_settings(payload: bytes) -> tuple[tuple[int, int], ...]:
    """The settings of the peer, in their order. Its length must be a multiple of six."""
    return tuple(struct.iter_unpack(">HL", payload))


def read_word(payload: bytes, start: int = 0) -> int:
    """Four bytes as a number."""
    word: int = _WORD.unpack_from(payload, start)[0]
    return word


class FrameReader:
    """Cuts bytes into frames. After a frame that is too large it reads nothing any more."""

    __slots__ = ("_fault", "_most", "_rest")

    def __init__(self, most_payload: int = LEAST_FRAME_SIZE) -> None:
        self._most = most_payload
        self._rest = b""
        self._fault: ConnectionFault | None = None

    @property
    def is_amid(self) -> bool:
        """Whether a frame has begun and has not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> tuple[list[Frame], ConnectionFault | None]:
        """The frames that end in these bytes, and the fault that comes after them."""
        frames: list[Frame] = []
        if self._fault is not None:
            return frames, self._fault
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= HEADER_SIZE:
            high, low, kind, flags, stream = _unpack_header(data, at)
            size = high << 8 | low
            if size > self._most:
                self._fault = ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends a frame that is too large")
                self._rest = b""
                return frames, self._fault
            start = at + HEADER_SIZE
            if end - start < size:
                break
            at = start + size
            frames.append((kind, flags, stream & 0x7FFFFFFF, data[start:at]))
        self._rest = data[at:] if at else data
        return frames, None
