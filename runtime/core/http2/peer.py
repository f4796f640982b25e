"""What the peer has set (RFC 9113, 6.5.2)."""

from __future__ import annotations

from typing import Final

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.frames import Code, ConnectionFault

_SETTING_SIZE: Final = 6
_MOST_SETTINGS: Final = 32
STREAMS_UNTIL_TOLD: Final = 100
"""How many requests we send at once before the server says how many it takes."""


class PeerSettings:
    """The settings in force. Unknown ones are ignored; those of our own coding of headers do not concern us."""

    __slots__ = ("_is_server", "most_frame", "most_streams", "window")

    def __init__(self, *, is_server: bool) -> None:
        self._is_server = is_server
        self.window = f.FIRST_WINDOW
        self.most_frame = f.LEAST_FRAME_SIZE
        self.most_streams = STREAMS_UNTIL_TOLD

    def take(self, payload: bytes) -> int:
        """Take settings; by how much the windows of open streams change. Raises `ConnectionFault`."""
        if len(payload) % _SETTING_SIZE:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "it sends settings that are none")
        if len(payload) > _SETTING_SIZE * _MOST_SETTINGS:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "it sends too many settings")
        before = self.window
        for name, value in f.read_settings(payload):
            if name == f.INITIAL_WINDOW_SIZE:
                if value > f.MOST_WINDOW:
                    raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "it sets a window that is too large")
                self.window = value
            elif name == f.MAX_FRAME_SIZE:
                if not f.LEAST_FRAME_SIZE <= value <= f.MOST_FRAME_SIZE:
                    raise ConnectionFault(Code.PROTOCOL_ERROR, "it sets a size of frames that cannot be")
                self.most_frame = value
            elif name == f.MAX_CONCURRENT_STREAMS:
                self.most_streams = value
            elif name == f.ENABLE_PUSH and value > (0 if self._is_server else 1):
                raise ConnectionFault(Code.PROTOCOL_ERROR, "it sets what it may not set of pushes")
        return self.window - before
