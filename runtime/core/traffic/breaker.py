"""Circuit breaking: how much of a destination may be in use at once."""

from __future__ import annotations

from meshproof.compiler.ir.routing import Limits


class Gate:
    """A count that never exceeds its bound (None: no bound)."""

    __slots__ = ("count", "most")

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody may come in now."""
        return self.most is not None and self.count >= self.most

    def enter(self) -> bool:
        """Come in, if there is room; whoever came in leaves once."""
        if self.most is not None and self.count >= self.most:
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
        self.connections = Gate(None)
        self.pending = Gate(None)
        self.requests = Gate(None)
        self.bound(limits, workers)

    def bound(self, limits: Limits | None, workers: int = 1) -> None:
        """Keep to these from now on; whoever is inside already stays."""
        known = Limits() if limits is None else limits
        self.connections.most = _part(known.connections, workers)
        self.pending.most = _part(known.pending, workers)
        self.requests.most = _part(known.requests, workers)


def _part(most: int | None, workers: int) -> int | None:
    return most if most is None or most == 0 else max(1, most // workers)
