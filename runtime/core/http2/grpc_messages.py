"""How many messages of gRPC a body holds: of each only the five bytes before it are looked at."""

from __future__ import annotations

from typing import Final

_PREFIX: Final = 5


class Messages:
    """Counts in one direction of one call, however its bytes are cut."""

    __slots__ = ("_left", "_prefix")

    def __init__(self) -> None:
        self._prefix = b""
        self._left = 0

    def feed(self, payload: bytes) -> int:
        """How many messages have begun with these bytes: a message counts when its length is known."""
        count, at, size = 0, self._left, len(payload)
        while at < size:
            prefix = self._prefix + payload[at : at + _PREFIX - len(self._prefix)]
            at += len(prefix) - len(self._prefix)
            if len(prefix) < _PREFIX:
                self._prefix = prefix
                break
            self._prefix = b""
            count += 1
            at += int.from_bytes(prefix[1:])
        self._left = max(at - size, 0)
        return count
