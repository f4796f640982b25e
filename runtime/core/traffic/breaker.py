"""Circuit breaking: how much of a destination may be in use at once."""

from __future__ import annotations

from meshproof.compiler.ir.routing import Limits


class Gate:
    """A count that never exceeds its bound (None: no bound)."""

    __slots__ = ("_most", "count")

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody may come in now."""
        return self._most is not None and self.count >= self._most

    def enter(self) -> bool:
        """Come in, if there is room; whoever came in leaves once."""
        if self._most is not None and self.count >= self._most:
            return False
        self.count += 1
        return True

    def leave(self) -> None:
        """Make room."""
        assert self.count > 0, "somebody leaves who never came in"
        self.count -= 1


class Breaker:
    """The bounds of one destination: connections, requests that wait for one, requests on their way.

    `workers` share the bounds of the policy: each keeps to its part, and at least to one where any are allowed.
    """

    __slots__ = ("connections", "pending", "requests")

    def __init__(self, limits: Limits | None, workers: int = 1) -> None:
        known = Limits() if limits is None else limits
        self.connections = Gate(_part(known.connections, workers))
        self.pending = Gate(_part(known.pending, workers))
        self.requests = Gate(_part(known.requests, workers))


def _part(most: int | None, workers: int) -> int | None:
    return most if most is None or most == 0 else max(1, most // workers)
