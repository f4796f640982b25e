"""Which of the endpoints that may be used gets a request."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Protocol

from meshproof.compiler.ir.routing import Balance, BalanceKind
from meshproof.runtime.core.traffic.endpoints import Endpoint

Draw = Callable[[], float]
"""Randomness: each call is another number from `[0, 1)`."""

_POINTS = 64
"""Places of an endpoint on the ring: its share is then within a third of the mean, more or less."""


class Balancer(Protocol):
    """Chooses among endpoints, of which there is at least one. `key` is what a hash goes by."""

    def choose(self, endpoints: Sequence[Endpoint], key: bytes | None, draw: Draw) -> Endpoint:
        """One of them."""


class RoundRobin:
    """One after the other; with the same endpoints, counts differ by at most one."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def choose(self, endpoints: Sequence[Endpoint], key: bytes | None, draw: Draw) -> Endpoint:
        """The next one."""
        del key, draw
        place = self._next % len(endpoints)
        self._next = place + 1
        return endpoints[place]


class LeastRequest:
    """The less busy one of two that are drawn: as good as the least of all, and as cheap for many as for few."""

    __slots__ = ()

    def choose(self, endpoints: Sequence[Endpoint], key: bytes | None, draw: Draw) -> Endpoint:
        """One that has no more requests than some other one."""
        del key
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        first = int(draw() * count)
        second = (first + 1 + int(draw() * (count - 1))) % count
        one, other = endpoints[first], endpoints[second]
        return other if other.active < one.active else one


class Hashing:
    """The same key goes to the same endpoint while that may be used; where one leaves, only its keys move.

    A request without the header has no key: it goes to one that is drawn.
    """

    __slots__ = ("_of", "_places", "_ring")

    def __init__(self) -> None:
        self._of: tuple[Endpoint, ...] = ()
        self._ring: list[int] = []
        self._places: list[Endpoint] = []

    def choose(self, endpoints: Sequence[Endpoint], key: bytes | None, draw: Draw) -> Endpoint:
        """The next one on the ring."""
        if key is None:
            return endpoints[int(draw() * len(endpoints))]
        if self._of != tuple(endpoints):
            self._arrange(tuple(endpoints))
        return self._places[bisect_right(self._ring, _point(key)) % len(self._places)]

    def _arrange(self, endpoints: tuple[Endpoint, ...]) -> None:
        placed = sorted(
            (
                (_point(f"{one.address}#{number}".encode()), place, one)
                for place, one in enumerate(endpoints)
                for number in range(_POINTS)
            ),
            key=lambda entry: entry[:2],
        )
        self._of = endpoints
        self._ring = [point for point, _, _ in placed]
        self._places = [one for _, _, one in placed]


def _point(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def balancer_of(balance: Balance | None) -> Balancer:
    """The balancer that a route asks for; where it says nothing, the less busy of two."""
    kind = BalanceKind.LEAST_REQUEST if balance is None else balance.kind
    match kind:
        case BalanceKind.ROUND_ROBIN:
            return RoundRobin()
        case BalanceKind.LEAST_REQUEST:
            return LeastRequest()
        case BalanceKind.HASH:
            return Hashing()
