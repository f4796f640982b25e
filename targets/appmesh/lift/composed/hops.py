"""The routes behind each virtual service, one hop each: to the nodes of a service, or to the doors of a gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Predicate
from meshproof.compiler.ir.routing import Retry
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.matching import condition_of
from meshproof.targets.appmesh.lift.composed.order import part_of
from meshproof.targets.appmesh.lift.composed.sending import DEFAULT_MS, is_silent, limit_of, retry_of
from meshproof.targets.appmesh.lift.composed.workloads import Workloads
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.naming import gate_node_name

_LAST = 1001


@dataclass(frozen=True, slots=True)
class Step:
    """A route: what it asks for (`match`, without the port), and the nodes with their listeners and shares."""

    name: str
    match: object
    condition: Predicate
    shares: tuple[tuple[str, int, int], ...]
    timeout_ms: int | None
    retry: Retry | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Hop:
    """The routes of one port of a virtual service, first first; whether gates or gateways of the policy lead to it.

    `dialled` is the port.
    """

    service: str
    dialled: int
    is_of_gates: bool
    is_of_edges: bool
    steps: tuple[Step, ...]


def hops_of(resources: Resources, workloads: Workloads, doubts: Doubts) -> Iterator[Hop]:
    """A hop for each port of each virtual service that anybody provides."""
    gates = {one.name for one in workloads.gates}
    leading = [
        (one.value.virtual_gateway_name in gates, part_of(one)[1].action.target.virtual_service.virtual_service_name)
        for one in resources.gateway_routes
    ]
    nodes = {one.name: one for one in resources.nodes}
    for service in resources.services:
        provider, name = service.value.spec.provider, service.name
        is_of_gates, is_of_edges = ((is_gate, name) in leading for is_gate in (True, False))
        if provider is not None and provider.virtual_router is not None:
            for number, steps in _routed(resources, provider.virtual_router.virtual_router_name, service, doubts):
                yield Hop(name, number, is_of_gates, is_of_edges, steps)
        elif provider is not None and provider.virtual_node is not None:
            node = nodes.get(provider.virtual_node.virtual_node_name)
            for listener in () if node is None else node.value.spec.listeners or ():
                mapping = listener.port_mapping
                share = (provider.virtual_node.virtual_node_name, mapping.port, 1)
                limit = None if mapping.protocol == "tcp" else DEFAULT_MS
                step = Step(name, None, Always(), (share,), limit, None, service.origin)
                yield Hop(name, mapping.port, is_of_gates, is_of_edges, (step,))


def _routed(
    resources: Resources, name: str, service: Found[VirtualService], doubts: Doubts
) -> Iterator[tuple[int, tuple[Step, ...]]]:
    """Each port of a router, and its routes, first first."""
    router = next((one for one in resources.routers if one.name == name), None)
    own = [one for one in resources.routes if one.value.virtual_router_name == name]
    for listener in () if router is None else router.value.spec.listeners or ():
        number = listener.port_mapping.port
        here = [one for one in own if _port(part_of(one)[1]) in {None, number}]
        priorities = [one.value.spec.priority for one in here]
        if len(set(priorities)) < len(priorities):
            doubts.add(service.name, f"has routes of one priority on port {number}", service.origin)
        here.sort(key=lambda one: _LAST if one.value.spec.priority is None else one.value.spec.priority)
        yield number, tuple(_step(one, number, doubts) for one in here)


def doors_led_to(hop: Hop, workloads: Workloads) -> set[tuple[str, int]]:
    """The doors, as gate and port, that the hop leads to."""
    gates = {gate_node_name(one.name): one.name for one in workloads.gates}
    return {(gates[node], port) for step in hop.steps for node, port, _ in step.shares if node in gates}


def services_led_to(hop: Hop, workloads: Workloads) -> set[tuple[NodeName, int]]:
    """The services, with the ports of their workloads, that the hop leads to."""
    found = workloads.of_node
    return {(found[node], port) for step in hop.steps for node, port, _ in step.shares if node in found}


def _step(found: Found[Route], called: int, doubts: Doubts) -> Step:
    kind, part = part_of(found)
    shares = tuple(
        (one.virtual_node, called if one.port is None else one.port, one.weight)
        for one in part.action.weighted_targets
        if one.weight
    )
    is_tcp = kind == "tcp"
    if not is_tcp and is_silent(part):
        doubts.add(found.name, "says nothing of retries, and App Mesh tries again by itself", found.origin)
    match = _without_port(part.match)
    return Step(
        name=found.name,
        match=match,
        # Callers of a port for gRPC speak gRPC: it is the service's own, and nobody else's matter.
        condition=condition_of(None if is_tcp else match, "", found.origin),
        shares=tuple(sorted(shares)),
        timeout_ms=None if is_tcp else limit_of(part),
        retry=None if is_tcp else retry_of(part, found.origin),
        origin=found.origin,
    )


def _without_port(match: Any) -> Any:  # noqa: ANN401
    """The match, None if it asks for nothing besides the port: every path begins with a slash."""
    if match is None:
        return None
    bare = replace(match, port=None)
    if getattr(bare, "prefix", None) == "/":
        bare = replace(bare, prefix=None)
    return None if bare == type(match)() else bare


def _port(part: Any) -> int | None:  # noqa: ANN401
    port: int | None = None if part.match is None else part.match.port
    return port
