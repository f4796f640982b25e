"""Which of several routes takes a request: the first by priority, so each takes what those before it leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Opaque, Predicate, conjunction, negation
from meshproof.targets.appmesh.lift.composed.matching import condition_of
from meshproof.targets.appmesh.lift.found import Found

_KINDS = ("http", "http2", "grpc", "tcp")
_LAST = 1001
"""After every priority that can be given: 0 is first, 1000 last."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A route with what it takes of all requests; `kind` is its kind, `part` what it is of that kind."""

    found: Found[Any]
    kind: str
    part: Any
    condition: Predicate

    @property
    def origin(self) -> Origin:
        """Where it stands."""
        return self.found.origin


def part_of(found: Found[Any]) -> tuple[str, Any]:
    """The kind of a route, and what it is of that kind."""
    spec = found.value.spec
    return next((kind, part) for kind in _KINDS if (part := getattr(spec, f"{kind}_route", None)) is not None)


def in_turn(
    routes: Sequence[Found[Any]], is_asked: Callable[[str, Any], bool], *, is_grpc_told: bool = False
) -> tuple[Taken, ...]:
    """What each of the routes takes that are asked at all.

    Of two with one priority nobody tells which is asked first: then either takes what both match. With `is_grpc_told`
    callers of ports for gRPC speak gRPC: it is the service's own, and nobody else's matter.
    """
    asked = [(one, *part_of(one)) for one in routes]
    asked = [(one, kind, part) for one, kind, part in asked if is_asked(kind, part)]
    asked.sort(key=lambda each: (_priority(each[0]), each[0].name))
    conditions = [condition_of(part.match, "" if is_grpc_told else kind, one.origin) for one, kind, part in asked]
    found = []
    for at, (one, kind, part) in enumerate(asked):
        others = (
            negation(_before(asked[other][0], one, conditions[other], is_listed_first=other < at))
            for other in range(len(asked))
            if other != at and _priority(asked[other][0]) <= _priority(one)
        )
        found.append(Taken(one, kind, part, conjunction((conditions[at], *others))))
    return tuple(found)


def _before(other: Found[Any], one: Found[Any], condition: Predicate, *, is_listed_first: bool) -> Predicate:
    """When the other takes the request before this one is asked."""
    if _priority(other) < _priority(one):
        return condition
    first, second = (other, one) if is_listed_first else (one, other)
    tie: Predicate = Opaque(f"whether the route `{first.name}` is asked before `{second.name}`", first.origin)
    return conjunction((condition, tie if is_listed_first else negation(tie)))


def _priority(found: Found[Any]) -> int:
    priority = found.value.spec.priority
    return _LAST if priority is None else int(priority)
