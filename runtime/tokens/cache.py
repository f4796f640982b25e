"""Tokens that were verified: so that each costs a signature once, and not at every request."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from meshproof.runtime.tokens.outcomes import Good
from meshproof.runtime.tokens.ring import KeyRing

_MOST_BYTES = 32 * 1024 * 1024
"""Of all tokens kept together; the claims of one take a few times as much."""


@dataclass(frozen=True, slots=True)
class _Kept:
    good: Good
    begins_at: float
    ring: KeyRing
    generation: int
    size: int


class TokenCache:
    """Valid tokens by their digest. At most so many, and so many bytes; the oldest leave first.

    Tokens that are not valid are not kept: whoever sends them would decide what is forgotten.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[bytes, _Kept] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, place: int, text: bytes, now: float) -> Good | None:
        """A token that still holds, by keys that still count."""
        digest = _digest(place, text)
        kept = self._kept.get(digest)
        if kept is None:
            return None
        is_current = kept.generation == kept.ring.generation and kept.ring.keys is not None
        if is_current and kept.begins_at <= now < kept.good.ends_at:
            return kept.good
        self._forget(digest)
        return None

    def put(self, place: int, text: bytes, good: Good, begins_at: float, ring: KeyRing) -> None:
        """Keep one."""
        digest = _digest(place, text)
        self._forget(digest)
        self._kept[digest] = _Kept(good, begins_at, ring, ring.generation, len(text))
        self._size += len(text)
        while len(self._kept) > self._most or self._size > _MOST_BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, digest: bytes) -> None:
        kept = self._kept.pop(digest, None)
        if kept is not None:
            self._size -= kept.size


def _digest(place: int, text: bytes) -> bytes:
    return sha256(b"%d " % place + text).digest()
