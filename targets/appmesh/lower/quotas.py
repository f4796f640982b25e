"""Which gate each door is at, and its number, within what AWS lets a mesh have.

Without a raised quota a mesh has three virtual gateways, and each of them ten gateway routes (Service Quotas L-87E74146
and L-F6F26D09); its doors share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meshproof.targets.appmesh.naming import gate_name

OF_PROXIES = frozenset((9901, 15000, 15001))
"""What App Mesh's proxies listen at themselves: administration, and what they take from the application."""
_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Wish:
    """A door to be: how many routes it has, of which service it is, and the number that callers dial anyway.

    `number` is None where others come straight to that number. `taken` are the numbers of the service's own ports.
    """

    service: str
    routes: int
    number: int | None
    taken: frozenset[int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a door is."""

    gate: str
    number: int


@dataclass(slots=True)
class _Gate:
    name: str
    free: int
    numbers: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Placing:
    gates: list[_Gate]
    first: int
    of_service: dict[str, set[int]] = field(default_factory=dict)

    def place(self, wish: Wish) -> Place | None:
        """At a gate that has room, best at one where the number that callers dial is free."""
        roomy = [gate for gate in self.gates if gate.free >= wish.routes]
        wished = [gate for gate in roomy if wish.number is not None and self._is_free(gate, wish, wish.number)]
        if wished and wish.number is not None:
            return self._taken(wished[0], wish, wish.number)
        for gate in roomy:
            numbers = (one for one in range(self.first, _MOST_PORT + 1) if one not in wish.taken)
            number = next((one for one in numbers if self._is_free(gate, wish, one)), None)
            if number is not None:
                return self._taken(gate, wish, number)
        return None

    def _is_free(self, gate: _Gate, wish: Wish, number: int) -> bool:
        others = self.of_service.get(wish.service, set())
        return number not in gate.numbers and number not in others and number not in OF_PROXIES

    def _taken(self, gate: _Gate, wish: Wish, number: int) -> Place:
        gate.free -= wish.routes
        gate.numbers.add(number)
        self.of_service.setdefault(wish.service, set()).add(number)
        return Place(gate.name, number)


def places(wishes: Sequence[Wish], gates: int, routes: int, first: int) -> tuple[Place | None, ...]:
    """A place for each door, None where there is no room left: the largest are placed first.

    `gates` may have `routes` routes each, and doors without a number of their own are counted from `first`.
    """
    placing = _Placing([_Gate(gate_name(number + 1), routes) for number in range(gates)], first)
    found: dict[int, Place | None] = {}
    for index in _largest_first(wishes):
        found[index] = placing.place(wishes[index])
    return tuple(found[index] for index in range(len(wishes)))


def _largest_first(wishes: Sequence[Wish]) -> Iterable[int]:
    return sorted(range(len(wishes)), key=lambda index: (-wishes[index].routes, index))
