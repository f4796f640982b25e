"""A request that waits for a connection."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.runtime.core.codec import ClientCodec
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseListener

_MOST_BYTES = 65_536
"""What is kept of its body before it is held back."""


class Waiting:
    """Keeps what comes of a request until it has a connection, and hands it on from then on.

    `gone` is called once when it waits no more because nobody waits for it.
    """

    __slots__ = ("_gone", "_is_holding", "_is_over", "_is_paused", "_listener", "_parts", "_size", "_stream", "head")

    def __init__(self, head: RequestHead, listener: ResponseListener, gone: Callable[[Waiting], None]) -> None:
        self.head = head
        self._listener = listener
        self._gone = gone
        self._parts: list[tuple[bytes, Fields | None, bool]] = []
        self._size = 0
        self._stream: ClientStream | None = None
        self._is_over = False
        self._is_paused = False
        self._is_holding = False

    # What the pool calls.

    def go(self, codec: ClientCodec) -> None:
        """Here is a connection that takes it."""
        self.head.is_followed = bool(self._parts)
        self._stream = stream = codec.request(self.head, self._listener)
        if self._is_paused:
            stream.pause()
        parts, self._parts = self._parts, []
        for payload, trailers, is_end in parts:
            if trailers is None:
                stream.data(payload, is_end=is_end)
            else:
                stream.trailers(trailers)
        if self._is_holding and not self._is_over:
            self._listener.resume_request()

    def fail(self, failure: Failure) -> None:
        """There will be none."""
        if not self._is_over:
            self._is_over = True
            self._parts.clear()
            self._listener.reset(failure)

    # What whoever asks calls.

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the body."""
        if self._stream is not None:
            self._stream.data(payload, is_end=is_end)
        elif not self._is_over:
            self._parts.append((payload, None, is_end))
            self._size += len(payload)
            if self._size > _MOST_BYTES and not self._is_holding and not is_end:
                self._is_holding = True
                self._listener.pause_request()

    def trailers(self, fields: Fields) -> None:
        """Its end."""
        if self._stream is not None:
            self._stream.trailers(fields)
        elif not self._is_over:
            self._parts.append((b"", fields, True))

    def reset(self, failure: Failure) -> None:
        """Nobody waits for an answer any more."""
        self._is_over = True
        if self._stream is not None:
            self._stream.reset(failure)
        else:
            self._parts.clear()
            self._gone(self)

    def pause(self) -> None:
        """Hold the answer back."""
        self._is_paused = True
        if self._stream is not None:
            self._stream.pause()

    def resume(self) -> None:
        """Let it go on."""
        self._is_paused = False
        if self._stream is not None:
            self._stream.resume()
