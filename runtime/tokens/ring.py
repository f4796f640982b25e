"""The keys of an issuer as they are now: set by who fetches them, read by who verifies tokens."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.runtime.tokens.keys import KeySet

_QUIET_SECONDS = 1.0


class KeyRing:
    """One issuer's keys. `clock` never goes back (`time.monotonic`); `want` asks for them to be fetched soon.

    Keys that nobody could fetch anew are used until `good_until`, and none after it: no key is good for ever because
    its issuer cannot be reached.
    """

    __slots__ = ("_ask", "_clock", "_good_until", "_keys", "_quiet_until", "generation")

    def __init__(self, clock: Callable[[], float], want: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._keys: KeySet | None = None
        self._good_until = 0.0
        self._quiet_until = clock()
        self.generation = 0
        self._ask: Callable[[], None] = _nothing if want is None else want

    def want(self) -> None:
        """Ask for the keys to be fetched soon; once a second, however many tokens name keys that nobody knows."""
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            self._ask()

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
