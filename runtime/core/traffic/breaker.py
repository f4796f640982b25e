"""Circuit breaking: how much of a destination may be in use at once."""

from __future__ import annotations

from typing import Protocol

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


class Member(Protocol):
    """One of those that share the connections of a destination."""

    def serve(self) -> None:
        """There may be room for a connection of yours."""

    def give_up_one(self) -> bool:
        """End a connection that is not in use, if there is any; whether there was."""


class Breaker:
    """The bounds of one destination: connections, requests that wait for one, requests on their way.

    `workers` share the bounds of the policy: each keeps to its part, and at least to one where any are allowed.
    `starving` are members that found no room for a connection; room that is made is theirs, in their order.
    """

    __slots__ = ("connections", "members", "pending", "requests", "starving")

    def __init__(self, limits: Limits | None, workers: int = 1) -> None:
        self.connections = Gate(None)
        self.pending = Gate(None)
        self.requests = Gate(None)
        self.members: dict[Member, None] = {}
        self.starving: dict[Member, None] = {}
        self.bound(limits, workers)

    def bound(self, limits: Limits | None, workers: int = 1) -> None:
        """Keep to these from now on; whoever is inside already stays."""
        known = Limits() if limits is None else limits
        self.connections.most = _part(known.connections, workers)
        self.pending.most = _part(known.pending, workers)
        self.requests.most = _part(known.requests, workers)

    def connect(self, member: Member) -> bool:
        """Whether the member may make a connection. If not, one of another's that nobody uses is ended for it."""
        if self.connections.enter():
            self.starving.pop(member, None)
            return True
        if member not in self.starving:
            self.starving[member] = None
            any(other.give_up_one() for other in tuple(self.members) if other is not member)
        return False

    def disconnected(self) -> None:
        """A connection has ended."""
        self.connections.leave()
        for member in tuple(self.starving):
            if self.connections.is_full:
                break
            self.starving.pop(member, None)
            member.serve()

    def left(self, member: Member) -> None:
        """The member is there no more."""
        self.members.pop(member, None)
        self.starving.pop(member, None)


def _part(most: int | None, workers: int) -> int | None:
    return most if most is None or most == 0 else max(1, most // workers)
