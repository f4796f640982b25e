"""Where a virtual service leads: to nodes, by the routes of its router, first match first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.names import NOWHERE, NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Opaque, Predicate, conjunction, negation
from meshproof.compiler.ir.routing import Target
from meshproof.targets.appmesh.lift.conditions import ANYTHING, Asked, asked
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_node import VirtualNode

_UNORDERED = 1001
"""After every priority that can be given: 0 is first, 1000 last."""

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Way:
    """A route to targets, for the requests that `asked` and `order` agree on. `kind` is the kind of the route."""

    kind: str
    asked: Asked
    order: Predicate
    targets: tuple[Target, ...]
    origin: Origin
    name: str
    port: int | None = None


def in_order(routes: tuple[Found[Any], ...], name: str) -> Iterator[tuple[Found[Any], str, Any, Predicate]]:
    """Routes of one router or gateway, first first, each with its kind, its own part, and what decides over a tie.

    Which of two with the same priority (or without any) is asked first is not told anywhere: it may be either, so the
    one before takes what both match or not.
    """
    told = [(one, *_part(one)) for one in routes]
    ordered = sorted(told, key=lambda one: (_priority(one[0]), -_length(one[2]), one[0].name))
    for index, (one, kind, part) in enumerate(ordered):
        ties = tuple(
            negation(conjunction((asked(other[2].match, other[0].origin).condition, _tie(one, other[0], name))))
            for other in ordered[index + 1 :]
            if _priority(other[0]) == _priority(one) and other[1] == kind and _may_meet(part.match, other[2].match)
        )
        yield one, kind, part, conjunction(ties)


class Leading:
    """Finds where virtual services of one mesh lead."""

    def __init__(self, resources: Resources, names: dict[str, NodeName]) -> None:
        self._names = names
        self._nodes = {one.name: one for one in resources.nodes}
        self._services = {one.name: one for one in resources.services}
        self._routers = {one.name: one for one in resources.routers}
        self._routes: dict[str, list[Found[Route]]] = {}
        for route in resources.routes:
            self._routes.setdefault(route.value.virtual_router_name, []).append(route)

    def nodes(self, service: str) -> tuple[NodeName, ...]:
        """Every node that requests to the service may come to."""
        ways = self.ways(service, None, NOWHERE)
        return tuple(sorted({target.node for way in ways for target in way.targets}))

    def ways(self, service: str, port: int | None, origin: Origin) -> tuple[Way, ...]:
        """How requests to the service go on; none if nobody provides it. `port` is the one that is called."""
        found = self._services.get(service)
        provider = None if found is None else found.value.spec.provider
        if provider is None:
            return ()
        if provider.virtual_node is not None:
            node = provider.virtual_node.virtual_node_name
            targets = self._targets(((node, _WHOLE, None),), port, origin)
            return (Way("", ANYTHING, Always(), targets, origin, service, port),) if targets else ()
        assert provider.virtual_router is not None
        router = provider.virtual_router.virtual_router_name
        routes = tuple(self._routes.get(router, ()))
        return tuple(self._way(one, kind, part, order) for one, kind, part, order in in_order(routes, router))

    def _way(self, route: Found[Route], kind: str, part: Any, order: Predicate) -> Way:  # noqa: ANN401
        weighted = tuple((one.virtual_node, one.weight, one.port) for one in part.action.weighted_targets)
        port = None if part.match is None else part.match.port
        targets = self._targets(weighted, port, route.origin)
        return Way(kind, asked(_matched(kind, part), route.origin), order, targets, route.origin, route.name, port)

    def _targets(
        self, weighted: tuple[tuple[str, int, int | None], ...], port: int | None, origin: Origin
    ) -> tuple[Target, ...]:
        """The nodes that exist, with their shares of all requests."""
        shares = _shares(tuple(weight for _, weight, _ in weighted))
        found = []
        for (node, _, own), share in zip(weighted, shares, strict=True):
            name, known = self._names.get(node), self._nodes.get(node)
            if name is not None and known is not None:
                found.append(Target(name, None, self._port(known, own, port), share, origin))
        return tuple(found)

    def _port(self, node: Found[VirtualNode], own: int | None, called: int | None) -> int | None:
        """The listener that is reached: the one of the target, else the one that is called, else the only one."""
        numbers = [one.port_mapping.port for one in node.value.spec.listeners or ()]
        if own is not None:
            return own
        if called in numbers:
            return called
        return numbers[0] if numbers else called


def _matched(kind: str, part: Any) -> Any:  # noqa: ANN401
    return None if kind == "tcp" else part.match


def _part(found: Found[Any]) -> tuple[str, Any]:
    """The kind of a route, and what it is of that kind."""
    spec = found.value.spec
    for kind in ("http", "http2", "grpc", "tcp"):
        part = getattr(spec, f"{kind}_route", None)
        if part is not None:
            return kind, part
    raise AssertionError(found.name)


def _priority(found: Found[Any]) -> int:
    priority = found.value.spec.priority
    return _UNORDERED if priority is None else int(priority)


def _length(part: Any) -> int:  # noqa: ANN401
    return len(getattr(part.match, "prefix", None) or "") if part.match is not None else 0


def _tie(one: Found[Any], other: Found[Any], name: str) -> Predicate:
    field = f"which of the routes `{one.name}` and `{other.name}` of `{name}` is asked first"
    return Opaque(field, one.origin)


def _may_meet(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether a request may match both, by what is cheap to see: their ports, methods and hosts."""
    for field in ("port", "method"):
        asked_one, asked_other = getattr(one, field, None), getattr(other, field, None)
        if asked_one is not None and asked_other is not None and asked_one != asked_other:
            return False
    hosts = [getattr(getattr(match, "hostname", None), "exact", None) for match in (one, other)]
    paths = [getattr(getattr(match, "path", None), "exact", None) for match in (one, other)]
    return not any(None not in pair and pair[0] != pair[1] for pair in (hosts, paths))


def _shares(weights: tuple[int, ...]) -> tuple[int, ...]:
    """Relative weights as whole percents that sum to 100; what is left over goes to the largest remainders."""
    total = sum(weights)
    if total == 0:
        return tuple(0 for _ in weights)
    exact = [weight * _WHOLE / total for weight in weights]
    shares = [int(share) for share in exact]
    by_rest = sorted(range(len(weights)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_rest[: _WHOLE - sum(shares)]:
        shares[at] += 1
    return tuple(shares)
