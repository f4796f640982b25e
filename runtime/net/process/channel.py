"""One end of the pair of sockets between the parent and a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from meshproof.runtime.net.process.frames import Frame, FrameError, FrameReader, dump


class Channel(asyncio.Protocol):
    """Calls `heard` for each frame, and `gone` once, when the other side is there no more."""

    def __init__(self, heard: Callable[[Frame], None], gone: Callable[[], None]) -> None:
        self._heard = heard
        self._gone = gone
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def over(cls, pair: socket.socket, heard: Callable[[Frame], None], gone: Callable[[], None]) -> Channel:
        """The channel over one half of a pair, which it closes at its end."""
        _, channel = await asyncio.get_running_loop().create_unix_connection(lambda: cls(heard, gone), sock=pair)
        return channel

    def say(self, kind: str, /, *blobs: bytes, **fields: str | int) -> None:
        """Send a frame; to one that is gone, nothing is said."""
        self.send(Frame(kind, dict(fields), blobs))

    def send(self, frame: Frame) -> None:
        """Send a frame; to one that is gone, nothing is said."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(dump(frame))

    def close(self) -> None:
        """End it, after what was said."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Hear what is whole. One that is not understood is treated as gone."""
        try:
            for frame in self._reader.feed(data):
                self._heard(frame)
        except FrameError:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        del exc
        self._transport = None
        self._gone()
