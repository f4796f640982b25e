"""The bytes of one connection: between a transport and a codec."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from meshproof.runtime.core.codec import Codec

_READ_BYTES = 65_536


class Ends(Protocol):
    """What whoever made a link is told of it."""

    def made(self, link: Link) -> Codec | None:
        """It stands, its TLS too: whoever takes its bytes; None where it is refused."""

    def lost(self, link: Link) -> None:
        """It has ended, and its codec was told."""


class Link(asyncio.BufferedProtocol):
    """One connection; to its codec it is the `Wire`. After its end all calls do nothing.

    All links of a process read into one buffer, which nobody keeps: a codec takes bytes in the turn in which they come.
    `write` is that of the transport itself while there is one. `taken`, if there is one, is called after each read.
    """

    _buffer = memoryview(bytearray(_READ_BYTES))

    __slots__ = ("_codec", "_ends", "_transport", "is_tls", "taken", "write")

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._transport: asyncio.Transport | None = None
        self._codec: Codec | None = None
        self.is_tls = False
        self.taken: Callable[[], None] | None = None
        self.write: Callable[[bytes], None] = _nobody

    @property
    def codec(self) -> Codec | None:
        """Whoever takes its bytes; None before it stands and after its end."""
        return self._codec

    def known(self, name: str) -> object:
        """What is known of the connection; see `asyncio`."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def adopt(self, codec: Codec) -> None:
        """Another one takes its bytes from now on."""
        self._codec = codec

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast("asyncio.Transport", transport)  # that of TLS in uvloop is none by its class
        self.write = self._transport.write
        self.is_tls = transport.get_extra_info("ssl_object") is not None
        self._codec = self._ends.made(self)
        if self._codec is None:
            self.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """What was read."""
        codec = self._codec
        if codec is not None:
            codec.receive(self._buffer[:nbytes])
            if self.taken is not None:
                self.taken()

    def eof_received(self) -> bool:
        """The peer sends no more. Without TLS it may read on, until the codec closes."""
        if self._codec is not None:
            self._codec.eof()
        return not self.is_tls

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        del exc
        self._transport = None
        self.write = _nobody
        codec, self._codec = self._codec, None
        if codec is not None:
            codec.lost()
            self._ends.lost(self)

    def pause_writing(self) -> None:
        """The peer reads slowly."""
        if self._codec is not None:
            self._codec.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._codec is not None:
            self._codec.resume_writing()

    # What the codec calls.

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def end_writing(self) -> None:
        """Send no more after what was written, and read on; over TLS the peer is told so by `close_notify`."""
        if self._transport is None or self._transport.is_closing():
            return
        if self.is_tls:
            asyncio.get_running_loop().call_soon(self._take_leave)
        else:
            self._transport.write_eof()

    def close(self) -> None:
        """End after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End now."""
        if self._transport is not None:
            self._transport.abort()

    # Inside.

    def _take_leave(self) -> None:
        """A turn later: what came with the last bytes has been read, and would be an error in the middle of an end."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        secured = transport.get_extra_info("ssl_object")
        with suppress(ssl.SSLError):  # it wants the answer of the peer, for which nobody waits
            secured.unwrap()
        transport.pause_reading()
        transport.resume_reading()  # sends what TLS wants to send, which no transport offers by a name of its own


class PlainLink(Link, asyncio.Protocol):
    """One without TLS: uvloop hands what it has read over in one call, and not in two as to a buffer of ours."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """What was read."""
        codec = self._codec
        if codec is not None:
            codec.receive(data)
            if self.taken is not None:
                self.taken()


def _nobody(data: bytes) -> None:
    """It has ended, or does not stand yet."""
    del data
