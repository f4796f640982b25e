"""What was sent of a request, as long as it is small enough to be sent again."""

from __future__ import annotations

from meshproof.runtime.core.messages import ClientStream, Fields

MOST_BYTES = 65_536


class Body:
    """The parts of a body in their order."""

    __slots__ = ("_is_ended", "_pieces", "_trailers", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._trailers: Fields | None = None
        self._is_ended = False
        self.size = 0

    @property
    def is_ended(self) -> bool:
        """Whether it is all there."""
        return self._is_ended

    def keep(self, payload: bytes, *, is_end: bool) -> None:
        """One more piece."""
        self._pieces.append(payload)
        self.size += len(payload)
        self._is_ended = is_end

    def end(self, trailers: Fields) -> None:
        """Its trailers."""
        self._trailers = list(trailers)
        self._is_ended = True

    def send(self, stream: ClientStream) -> None:
        """All of it that is there."""
        last = len(self._pieces) - 1
        for number, piece in enumerate(self._pieces):
            stream.data(piece, is_end=number == last and self._is_ended and self._trailers is None)
        if self._trailers is not None:
            stream.trailers(list(self._trailers))
