"""What stands between the bytes of one connection and its messages: the interface of a codec to the net, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from meshproof.runtime.core.messages import ClientStream, RequestHead, RequestListener, ResponseListener, ServerStream


class Wire(Protocol):
    """What a codec writes to: the transport of its connection. After `close` or `abort` all calls do nothing."""

    def write(self, data: bytes) -> None:
        """Send bytes, in order; one call for what is one message if it can be."""

    def pause_reading(self) -> None:
        """Read no more bytes: what one read gave may still come."""

    def resume_reading(self) -> None:
        """Read again."""

    def end_writing(self) -> None:
        """Write no more, after what was written, and read on: the peer sees the end, and is heard to its own."""

    def close(self) -> None:
        """End, after what was written."""

    def abort(self) -> None:
        """End now."""


class Codec(Protocol):
    """One connection. It raises nothing for whatever a peer sends, and calls nobody after `lost`.

    `deadline` is when `expire` is to be called (by the clock that the codec was given), infinity if never: the net
    looks at it a few times a second. `is_idle`: no message is on its way.
    """

    @property
    def deadline(self) -> float:
        """When `expire` is to be called."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if the connection ends now."""

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes from the peer. A memoryview is good until this returns."""

    def eof(self) -> None:
        """The peer sends no more."""

    def lost(self) -> None:
        """The connection has ended: whoever waits for something of it is told."""

    def pause_writing(self) -> None:
        """The peer reads slowly: hold back what is to be written."""

    def resume_writing(self) -> None:
        """It reads again."""

    def expire(self) -> None:
        """The deadline is over."""

    def drain(self) -> None:
        """End as soon as what has begun has ended; tell the peer so that it begins nothing here any more."""


OpenExchange = Callable[[ServerStream, RequestHead], RequestListener]
"""What a server codec calls for each request. It takes the body; an answer by the stream may come before it returns."""


class ServerCodec(Codec, Protocol):
    """A codec of a connection that somebody made to us. It calls its `OpenExchange` for each request."""


class ClientCodec(Codec, Protocol):
    """A codec of a connection that we made. `capacity`: how many requests it would take now."""

    @property
    def capacity(self) -> int:
        """0 if it takes none: busy, draining, or lost."""

    def request(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Send a request. Nothing is told to the listener before this has returned."""
