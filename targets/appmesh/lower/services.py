"""Virtual services: what callers dial, and the router and routes that lead to nodes, or to the doors of a gate.

Who comes through a gate meets two of them: that of the service, whose routes lead to the gate, and that by which the
gate reaches the service. Weights, conditions and limits of time are those of the hop that ends at the service; what
may be tried again is tried by the caller, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import Service, ServicePort
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import (
    Always,
    Header,
    Port,
    Test,
    attributes_of,
    conjunction,
    disjunction,
    negation,
)
from meshproof.targets.appmesh.lower import header_forms
from meshproof.targets.appmesh.lower.branches import compared_queries
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Door, Doors
from meshproof.targets.appmesh.lower.nodes import spoken, spoken_at
from meshproof.targets.appmesh.lower.routes import Hop, Way, door_way, has_lost_retries, ways
from meshproof.targets.appmesh.lower.rows import Row
from meshproof.targets.appmesh.lower.settings import route_of
from meshproof.targets.appmesh.model.route import Route, RouteSpec
from meshproof.targets.appmesh.model.shared import PortMapping
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter, VirtualRouterListener, VirtualRouterSpec
from meshproof.targets.appmesh.model.virtual_service import (
    VirtualRouterServiceProvider,
    VirtualService,
    VirtualServiceProvider,
    VirtualServiceSpec,
)
from meshproof.targets.appmesh.naming import REFUSED, direct_name, router_name
from meshproof.targets.appmesh.values import Value


def virtual_services(context: Context, rows: tuple[Row, ...], doors: Doors) -> Iterator[Value]:
    """All of them, with their routers and routes."""
    for service in context.mesh.services:
        if not service.ports:
            continue
        own = [row for row in rows if row.service.name == service.name]
        own_doors = [door for door in doors.every if door.service.name == service.name]
        yield from _public(context, service, own, own_doors)
        if own_doors:
            yield from _inner(context, service)
            for number in sorted({door.port.workload for door in own_doors}):
                _lose_untaken(context, service, number)
    if doors.every or context.mesh.gateways:
        context.claim("virtual service", REFUSED, "whatever is refused", context.mesh.origin)
        yield VirtualService(context.mesh_name, VirtualServiceSpec(), REFUSED)


def _public(context: Context, service: Service, rows: list[Row], doors: list[Door]) -> Iterator[Value]:
    """What callers dial. A port of which a door has the number is the door's."""
    taken = {door.number for door in doors}
    listened = [(door.number, spoken(door.port)) for door in doors]
    found: list[tuple[int, Way]] = [(door.number, door_way(context, door, spoken(door.port))) for door in doors]
    for row in rows:
        port = row.port
        if port.number in taken:
            continue
        protocol = spoken_at(context, service, port)
        has_door = any(door.port.workload == port.workload for door in doors)
        is_retried = not has_door or not has_lost_retries(context, service, port)
        hop = Hop(service, port, port.number, protocol, is_retried=is_retried)
        own = [(port.number, way) for way in ways(context, hop)]
        if not _is_dialled(context, row):
            continue  # what cannot be said of its routes is told all the same
        taken.add(port.number)
        listened.append((port.number, protocol))
        found += own
    yield from routed(context, context.host(service), service, sorted(listened), found)


def _inner(context: Context, service: Service) -> Iterator[Value]:
    """What gates dial: the ports of the workload itself."""
    ports: dict[int, ServicePort] = {}
    for port in service.ports:
        if not context.is_handed(service, port):
            ports.setdefault(port.workload, port)
    hops = [Hop(service, port, number, _of_gates(port), is_retried=False) for number, port in sorted(ports.items())]
    found = [(hop.dialled, way) for hop in hops for way in ways(context, hop)]
    listened = [(hop.dialled, hop.protocol) for hop in hops]
    yield from routed(context, direct_name(context.host(service)), service, listened, found)


def _lose_untaken(context: Context, service: Service, number: int) -> None:
    """A gate sends on what some branch of a route takes; who calls straight may leave the route to others."""
    port = next(one for one in service.ports if one.workload == number)
    route = route_of(context, service, port)
    if route is None or any(branch.condition == Always() for branch in route.branches):
        return
    taken = disjunction(tuple(branch.condition for branch in route.branches))
    at, subject = Test(Port(), Exact(str(number))), str(service.name)
    message = f"what no branch of `{route.id}` takes is refused to callers who come through a gate"
    told = Loss(Feature.ROUTE_MATCH, Direction.STRICTER, subject, message, route.origin)
    context.findings.lose(replace(told, region=conjunction((at, negation(taken)))))
    for attribute in sorted(attributes_of(taken), key=repr):
        if isinstance(attribute, Header):
            # Lines that are compared as one may be taken by no branch though one of them is.
            context.findings.lose(replace(told, region=at, repeated=attribute.name))
    for test in dict.fromkeys(compared_queries(taken)):
        context.findings.lose(replace(told, region=conjunction((at, header_forms.has_several(test)))))


def _of_gates(port: ServicePort) -> str:
    """What gates speak: methods of gRPC are paths of HTTP/2 to them."""
    own = spoken(port)
    return "http2" if own == "grpc" else own


def _is_dialled(context: Context, row: Row) -> bool:
    """Whether somebody may come straight to the port; a route to where nobody comes would only look as if."""
    if row.mode is MtlsMode.DISABLED:
        return not row.plaintext.is_nothing
    permissions = (row.plaintext, row.strangers, *(may for _, may in row.known))
    if context.is_handed(row.service, row.port):
        return any(not may.is_nothing for may in (*permissions, *(may for _, may in row.foreign)))
    return any(may.is_everything for may in permissions)


def routed(
    context: Context, name: str, service: Service, listened: list[tuple[int, str]], found: list[tuple[int, Way]]
) -> Iterator[Value]:
    """A virtual service; one that nobody may call straight has no provider, so that nothing is routed."""
    context.claim("virtual service", name, str(service.name), service.origin)
    if not listened:
        one = VirtualService(context.mesh_name, VirtualServiceSpec(), name)
        context.place(one, str(service.name))
        yield one
        return
    router = router_name(name)
    mappings = tuple(VirtualRouterListener(PortMapping(number, protocol)) for number, protocol in listened)
    yield VirtualRouter(context.mesh_name, VirtualRouterSpec(mappings), router)
    for index, (number, way) in enumerate(found):
        label = f"port-{number}-{way.index}"
        spec = RouteSpec(priority=index, **way.spec)
        route = Route(context.mesh_name, label, spec, router)
        context.place(route, way.subject)
        yield route
    provider = VirtualServiceProvider(virtual_router=VirtualRouterServiceProvider(router))
    one = VirtualService(context.mesh_name, VirtualServiceSpec(provider), name)
    context.place(one, str(service.name))
    yield one
