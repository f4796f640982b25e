"""Numbers that nobody can guess, out of randomness that is passed in."""

from __future__ import annotations

from collections.abc import Callable

_POOL_BYTES = 4096
_NONE = "00000000"


class Ids:
    """Hex digits from `draw`, which is asked for many at once, because each asking is a call of the system.

    A worker makes its own after it was forked: two that share a pool would give the same numbers.
    """

    __slots__ = ("_at", "_draw", "_pool", "_prefix")

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._pool = ""
        self._at = 0
        self._prefix = ""

    def number(self, digits: int) -> str:
        """A number of so many hex digits, from 8 to 128, that is not zero, which trace headers take for none."""
        found = self._next(digits)
        while found.startswith(_NONE):
            found = self._next(digits)
        return found

    def request_id(self) -> str:
        """A UUID of version 4, as Envoy puts it into `x-request-id`.

        Its last 48 bits are drawn for it alone; the first ones are shared by those that come from one draw.
        """
        last = self._next(12)
        return f"{self._prefix}{last}"

    def _next(self, count: int) -> str:
        at, end = self._at, self._at + count
        if end > len(self._pool):
            self._pool = pool = self._draw(_POOL_BYTES).hex()
            variant = "89ab"[int(pool[15], 16) & 3]
            self._prefix = f"{pool[:8]}-{pool[8:12]}-4{pool[12:15]}-{variant}{pool[16:19]}-"
            at, end = 32, 32 + count
        self._at = end
        return self._pool[at:end]
