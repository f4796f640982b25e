"""Routes of services, as the proxies of their callers follow them: straight, or through a gate to the same end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Route, Settings, Target
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.gates import Gates
from meshproof.targets.appmesh.lift.composed.hops import Hop, Step, doors_led_to, hops_of, services_led_to
from meshproof.targets.appmesh.lift.composed.sending import ejection_of, least, limits_of, listener_limit
from meshproof.targets.appmesh.lift.composed.workloads import ServiceNodes, Workloads
from meshproof.targets.appmesh.lift.found import Resources

_WHOLE = 100
_ANY = 1
"""The share of each version where any will do; shares that the policy names are percents."""


def routes_of_services(resources: Resources, workloads: Workloads, gates: Gates, doubts: Doubts) -> tuple[Route, ...]:
    """A route for each port whose callers do anything but send requests to any of its workloads."""
    routing = _Routing(workloads, gates, tuple(hops_of(resources, workloads, doubts)), doubts)
    found = (routing.route(one, port) for one in workloads.services for port in _ports(one))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.id))


def _ports(one: ServiceNodes) -> tuple[int, ...]:
    return (
        tuple(listener.port_mapping.port for listener in one.nodes[0].value.spec.listeners or ()) if one.nodes else ()
    )


@dataclass(frozen=True, slots=True)
class _Routing:
    workloads: Workloads
    gates: Gates
    hops: tuple[Hop, ...]
    doubts: Doubts

    def route(self, one: ServiceNodes, port: int) -> Route | None:
        """The route of a port, None if there is nothing to tell."""
        service = one.service
        ways = [*self._straight(service.name, port), *self._through(service.name, port)]
        if not ways:
            return None
        if any(_meaning(way) != _meaning(ways[0]) for way in ways):
            self.doubts.add(
                str(service.name), f"is not reached alike by all callers of its port {port}", service.origin
            )
        settings = [
            (listener_limit(listener), limits_of(listener), ejection_of(listener))
            for node in one.nodes
            for listener in node.value.spec.listeners or ()
            if listener.port_mapping.port == port
        ]
        if any(other != settings[0] for other in settings):
            self.doubts.add(str(service.name), f"has versions with other bounds on port {port}", service.origin)
        limit, limits, ejection = settings[0]
        steps = tuple(replace(step, timeout_ms=least((step.timeout_ms, limit))) for step in ways[0])
        branches = tuple(self._branch(service, port, step) for step in steps)
        if limits is None and ejection is None and _is_plain(branches, service):
            return None
        name = f"{service.name}:{port}"
        return Route(name, service.name, port, branches, steps[0].origin, limits=limits, ejection=ejection)

    def _straight(self, service: NodeName, port: int) -> Iterator[tuple[Step, ...]]:
        for hop in self.hops:
            is_inner = hop.is_of_gates or hop.is_of_edges
            if not is_inner and hop.steps and (service, port) in services_led_to(hop, self.workloads):
                yield hop.steps

    def _through(self, service: NodeName, port: int) -> Iterator[tuple[Step, ...]]:
        """What comes through a gate is tried again before it, and goes its ways behind it."""
        doors = {(one.gate, one.door.port) for one in self.gates.passages if (one.service, one.port) == (service, port)}
        behind = [
            hop.steps
            for hop in self.hops
            if hop.is_of_gates and (service, port) in services_led_to(hop, self.workloads)
        ]
        for hop in self.hops:
            if not doors & doors_led_to(hop, self.workloads):
                continue
            (first, *others) = hop.steps
            if others or first.match is not None or hop.is_of_gates:
                self.doubts.add(hop.service, "tells requests apart before they come to a gate", first.origin)
            for steps in behind:
                yield tuple(self._after(first, step) for step in steps)

    def _after(self, first: Step, step: Step) -> Step:
        if step.retry is not None:
            self.doubts.add(step.name, "tries again what was tried again before the gate", step.origin)
        if first.retry is None:
            return replace(step, timeout_ms=least((first.timeout_ms, step.timeout_ms)))
        # Each attempt is a request behind the gate, so what ends requests there ends attempts.
        whole, each = first.timeout_ms, least((first.retry.within_ms, step.timeout_ms))
        is_whole = each is None or (whole is not None and each >= whole)
        return replace(step, timeout_ms=whole, retry=replace(first.retry, within_ms=None if is_whole else each))

    def _branch(self, service: Service, port: int, step: Step) -> Branch:
        return Branch(
            id=f"{service.name}:{port}/{step.name}",
            host=None,
            methods=(),
            path=None,
            when=step.condition,
            condition=step.condition,
            is_otherwise=step.condition == Always(),
            targets=tuple(self._targets(service, port, step)),
            redirect=None,
            settings=Settings(timeout_ms=step.timeout_ms, retry=step.retry),
            origin=step.origin,
        )

    def _targets(self, service: Service, port: int, step: Step) -> Iterator[Target]:
        """The versions with their shares; a share of one for every version is for any of them."""
        total = sum(weight for _, _, weight in step.shares)
        for node, _, _ in step.shares:
            if self.workloads.of_node.get(node) != service.name:
                self.doubts.add(step.name, f"leads to `{node}` besides `{service.name}`", step.origin)
        versions = {self.workloads.versions.get(node) for node, _, _ in step.shares}
        weights = {weight for _, _, weight in step.shares}
        if (
            {at for _, at, _ in step.shares} == {port}
            and weights == {_ANY}
            and versions == set(service.versions or (None,))
        ):
            yield Target(service.name, None, None, _WHOLE, step.origin)
            return
        for node, at, weight in step.shares:
            if weight * _WHOLE % total:
                self.doubts.add(step.name, "has shares that are no whole percents", step.origin)
            version = self.workloads.versions.get(node)
            yield Target(service.name, version, None if at == port else at, weight * _WHOLE // total, step.origin)


def _meaning(steps: tuple[Step, ...]) -> object:
    return [
        (
            step.match,
            step.shares,
            step.timeout_ms,
            None if step.retry is None else (step.retry.attempts, step.retry.conditions, step.retry.within_ms),
        )
        for step in steps
    ]


def _is_plain(branches: tuple[Branch, ...], service: Service) -> bool:
    """Whether everything goes to any workload of the service, as it does without a route."""
    return (
        len(branches) == 1
        and branches[0].condition == Always()
        and branches[0].settings == Settings()
        and [(one.node, one.version, one.port) for one in branches[0].targets] == [(service.name, None, None)]
    )
