"""Routes of the policy's own gateways: where each sends the requests that it lets in."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Route, Settings, Target
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.leading import Lead, Leading
from meshproof.targets.appmesh.lift.composed.workloads import Workloads

_WHOLE = 100
_UNPROVIDED = 503


def routes_of_gateways(workloads: Workloads, admitted: Admitted, leading: Leading, doubts: Doubts) -> tuple[Route, ...]:
    """A route for each listener of a gateway of the policy. What no branch takes is answered with 404."""
    routing = _Routing(workloads, doubts)
    found = (
        routing.route(edge.gateway, listener, leading.leads(edge.found, listener))
        for edge in workloads.gateways
        if edge.found is not None
        for listener in admitted.every[edge.gateway.name]
    )
    return tuple(sorted(found, key=lambda one: one.id))


class _Routing:
    def __init__(self, workloads: Workloads, doubts: Doubts) -> None:
        self._of_node = workloads.of_node
        self._versions = workloads.versions
        self._services = {one.name: one for one in workloads.known.services}
        self._doubts = doubts

    def route(self, gateway: Gateway, listener: Admission, leads: tuple[Lead, ...]) -> Route:
        """The branches exclude each other: each has what those before it leave."""
        name = f"{gateway.name}:{listener.port}"
        branches = tuple(self._branch(f"{name}/{lead.name}", lead) for lead in leads)
        return Route(name, gateway.name, listener.port, branches, listener.origin)

    def _branch(self, name: str, lead: Lead) -> Branch:
        targets = tuple(self._targets(lead))
        return Branch(
            id=name,
            host=None,
            methods=(),
            path=None,
            when=lead.condition,
            condition=lead.condition,
            is_otherwise=lead.condition == Always(),
            targets=targets,
            redirect=None,
            settings=Settings(timeout_ms=lead.timeout_ms, retry=lead.retry),
            origin=lead.origin,
            answer=None if targets else _UNPROVIDED,
        )

    def _targets(self, lead: Lead) -> Iterator[Target]:
        """The services with their shares; all versions of one alike are any of them."""
        total = sum(end.weight for end in lead.ends)
        shares: dict[tuple[Service, int], dict[str | None, int]] = {}
        for end in lead.ends:
            name = self._of_node.get(end.node)
            service = None if name is None else self._services[name]
            if service is None:
                self._doubts.add(end.node, "is where a gateway leads to, and no workload of the policy", lead.origin)
                continue
            if end.weight * _WHOLE % total:
                self._doubts.add(lead.name, "has shares that are no whole percents", lead.origin)
            own = shares.setdefault((service, end.port), {})
            version = self._versions.get(end.node)
            own[version] = own.get(version, 0) + end.weight
        for (service, port), own in shares.items():
            if len(set(own.values())) == 1 and set(own) == {*(service.versions or (None,))}:
                yield Target(service.name, None, port, sum(own.values()) * _WHOLE // total, lead.origin)
                continue
            for version, weight in own.items():
                yield Target(service.name, version, port, weight * _WHOLE // total, lead.origin)
