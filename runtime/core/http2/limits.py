"""How much of HTTP/2 one connection may take: numbers of streams, sizes, windows, and times."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.runtime.core.http2.floods import FloodLimits
from meshproof.runtime.core.http2.frames import FIRST_WINDOW


@dataclass(frozen=True, slots=True)
class Http2Limits:
    """What a peer may ask of us on one connection. What it sends and nobody has taken is at most `connection_window`.

    `header_bytes` bounds a block before it is decoded, across its frames, and its lines after it (each with 32 bytes
    more, RFC 9113, 6.5.2); `block_frames` how many frames it comes in. `body_bytes` and `takes_underscores` are as for
    HTTP/1.1. `held_bytes`: of answers to a peer who does not read, before its new requests are refused. Windows are at
    least those that a peer takes for granted before it knows of settings.

    Seconds: for the first settings, for a frame or a block that has begun, for a stream (or the whole connection) that
    has data for a peer who does not take it, for new streams that come while it is told to go, without a stream, until
    a peer who says nothing while streams are open is asked whether it is there (more than the five minutes for which
    gRPC's servers want no such question), and for it to say so.
    """

    streams: int = 100
    header_bytes: int = 65_536
    headers: int = 128
    body_bytes: int | None = None
    takes_underscores: bool = False
    block_frames: int = 32
    stream_window: int = FIRST_WINDOW
    connection_window: int = 4 * 1024 * 1024
    frame_bytes: int = 65_536
    held_bytes: int = 262_144
    settings_seconds: float = 10.0
    block_seconds: float = 20.0
    stall_seconds: float = 300.0
    drain_seconds: float = 1.0
    idle_seconds: float = 3600.0
    quiet_seconds: float = 310.0
    alive_seconds: float = 20.0
    floods: FloodLimits = field(default_factory=FloodLimits)

    def __post_init__(self) -> None:
        """Raises `ValueError` for windows that are too small to begin with."""
        if self.stream_window < FIRST_WINDOW or self.connection_window <= FIRST_WINDOW:
            raise ValueError("a window of HTTP/2 is at least 65535 bytes, and that of a connection more")
