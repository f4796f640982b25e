"""The keys of an issuer as they are now: set by who fetches them, read by who verifies tokens."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.runtime.tokens.keys import KeySet


class KeyRing:
    """One issuer's keys. `clock` never goes back (`time.monotonic`); `want` asks for them to be fetched soon.

    Keys that nobody could fetch anew are used until `good_until`, and none after it: no key is good for ever because
    its issuer cannot be reached.
    """

    __slots__ = ("_clock", "_good_until", "_keys", "generation", "want")

    def __init__(self, clock: Callable[[], float], want: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._keys: KeySet | None = None
        self._good_until = 0.0
        self.generation = 0
        self.want: Callable[[], None] = _nothing if want is None else want

    @property
    def keys(self) -> KeySet | None:
        """The keys; None before they are known, and when they have not been fetched for too long."""
        return self._keys if self._clock() < self._good_until else None

    def put(self, keys: KeySet, good_until: float) -> None:
        """Take keys. What was verified by others before is verified anew."""
        if keys.keys != (None if self._keys is None else self._keys.keys):
            self.generation += 1
        self._keys = keys
        self._good_until = good_until


def _nothing() -> None:
    """Nobody fetches these keys."""
