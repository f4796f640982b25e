"""A connection on which nobody has agreed what is spoken: its first bytes tell (ADR 0203)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from meshproof.runtime.core.codec import ServerCodec, Wire
from meshproof.runtime.core.http2.preface import speaks_http2


class FirstBytes:
    """A server codec that becomes one of HTTP/2 or of HTTP/1.1 by what the client sends first.

    Until then it holds fewer bytes than the preface of HTTP/2 has, for `seconds` at most.
    """

    def __init__(
        self,
        wire: Wire,
        clock: Callable[[], float],
        seconds: float,
        make: Callable[[bool], ServerCodec],
    ) -> None:
        """`make` makes the codec, of HTTP/2 if it is given true."""
        self._wire = wire
        self._make = make
        self._held = b""
        self._codec: ServerCodec | None = None
        self._until = clock() + seconds
        self._is_over = False
        self._is_draining = False

    @property
    def deadline(self) -> float:
        """When `expire` is to be called."""
        if self._codec is not None:
            return self._codec.deadline
        return inf if self._is_over else self._until

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if the connection ends now."""
        return not self._held if self._codec is None else self._codec.is_idle

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes from the client."""
        if self._codec is not None:
            self._codec.receive(data)
            return
        if self._is_over:
            return
        held = self._held + data
        is_http2 = speaks_http2(held)
        if is_http2 is None:
            self._held = held
            return
        self._held = b""
        self._codec = self._make(is_http2)
        self._codec.receive(held)
        if self._is_draining:
            self._codec.drain()

    def eof(self) -> None:
        """The client sends no more."""
        if self._codec is not None:
            self._codec.eof()
        else:
            self._end()

    def lost(self) -> None:
        """The connection has ended."""
        self._is_over = True
        if self._codec is not None:
            self._codec.lost()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        if self._codec is not None:
            self._codec.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._codec is not None:
            self._codec.resume_writing()

    def expire(self) -> None:
        """The deadline is over: whoever has not said what it speaks is not answered in any of it."""
        if self._codec is not None:
            self._codec.expire()
        else:
            self._end()

    def drain(self) -> None:
        """End as soon as what has begun has ended; who is about to say what it speaks is still answered."""
        if self._codec is not None:
            self._codec.drain()
        elif self._held:
            self._is_draining = True
        else:
            self._end()

    def _end(self) -> None:
        self._is_over = True
        self._wire.close()
