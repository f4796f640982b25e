"""A mesh of App Mesh as one of the IR: what its servers' proxies enforce, and where its gateways send requests.

What the proxies of callers do (routes, backends, the egress filter) holds only as long as those are honest, so it lets
nothing in and keeps nothing out here; what a node says that it calls is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.compiler.ir.entities import Gateway, Need, Service
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NodeName, Origin, SpiffeId
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.gateway_branches import routes_of
from meshproof.targets.appmesh.lift.identities import shown_by, trust_domain_of
from meshproof.targets.appmesh.lift.leading import Leading
from meshproof.targets.appmesh.lift.listeners import Accepting, listeners_of, rules_of, statements_of
from meshproof.targets.appmesh.lift.names import namespace_of, node_names, own_name, service_name
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.common.callers import Identities

# Where proxies run, and which ports are closed to whom, is in no resource (app-mesh.md, 2.5: R1 and R7).
PREMISES = (
    "every node has its proxy, and nobody else comes to the proxy's own ports 9901, 15000 and 15001",
    "nobody comes to a port without a listener: no proxy judges there",
)
PROXY_PORTS = (9901, 15000, 15001)


def assemble(resources: Resources, mesh: str, origin: Origin) -> Mesh:
    """The mesh of that name that the resources make."""
    domain, others = trust_domain_of(resources, mesh)
    named = tuple(_Placed(one, name, domain) for one, name in node_names((*resources.nodes, *resources.gateways), mesh))
    nodes, gateways = named[: len(resources.nodes)], named[len(resources.nodes) :]
    leading = Leading(resources, {one.found.name: one.name for one in nodes})
    callers = Identities((one.name, one.identity.uri) for one in named)
    routes = (
        route
        for one in gateways
        for route in routes_of(one.found, one.name, one.listeners, _of(resources, one.found), leading)
    )
    rules = (rule for one in named for rule in rules_of(one.name, one.listeners, callers))
    statements = (
        said
        for one, is_gateway in (*((node, False) for node in nodes), *((gateway, True) for gateway in gateways))
        for said in statements_of(one.name, one.listeners, is_gateway=is_gateway)
    )
    return Mesh(
        name=mesh,
        language=1,
        trust_domain=domain,
        namespace=None,
        origin=origin,
        trusts=others,
        services=tuple(sorted((_service(one, mesh, leading) for one in nodes), key=lambda one: one.name)),
        gateways=tuple(sorted((_gateway(one, mesh) for one in gateways), key=lambda one: one.name)),
        rules=tuple(sorted(rules, key=lambda one: one.id)),
        routes=tuple(sorted(routes, key=lambda one: one.id)),
        mtls=tuple(sorted(statements, key=lambda one: repr(one.scope))),
        paths=PathMode.MERGE_SLASHES,
        premises=PREMISES,
        proxy_ports=PROXY_PORTS,
    )


class _Placed:
    """A node or gateway in its mesh, with what its listeners take."""

    def __init__(self, found: Found[Any], name: NodeName, domain: str) -> None:
        self.found = found
        self.name = name
        self.listeners: tuple[Accepting, ...] = tuple(listeners_of(found, domain))
        shown = shown_by(found.value.spec)
        self.is_known = shown is not None
        self.identity = shown or SpiffeId(domain, f"/node/{found.name}")


def _service(placed: _Placed, mesh: str, leading: Leading) -> Service:
    found: Found[VirtualNode] = placed.found
    return Service(
        name=placed.name,
        namespace=namespace_of(found, mesh),
        platform_name=service_name(found, mesh),
        account=own_name(found),
        identity=placed.identity,
        labels=() if found.owner is None else found.owner.pods,
        ports=tuple(one.port for one in placed.listeners),
        origin=found.origin,
        calls=tuple(_needs(found, leading)) if placed.is_known else (),
        is_account_known=placed.is_known,
    )


def _needs(found: Found[VirtualNode], leading: Leading) -> Iterator[Need]:
    """What the node's backends lead to."""
    needed: dict[NodeName, Origin] = {}
    for index, backend in enumerate(found.value.spec.backends or ()):
        if backend.virtual_service is not None:
            for node in leading.nodes(backend.virtual_service.virtual_service_name):
                needed.setdefault(node, found.place("spec", "backends", index))
    yield from (Need(node, None, needed[node]) for node in sorted(needed))


def _gateway(placed: _Placed, mesh: str) -> Gateway:
    found: Found[VirtualGateway] = placed.found
    return Gateway(
        name=placed.name,
        namespace=namespace_of(found, mesh),
        account=own_name(found),
        identity=placed.identity,
        labels=(),
        hosts=("*",),
        ports=tuple(one.port for one in placed.listeners),
        origin=found.origin,
        is_account_known=placed.is_known,
    )


def _of(resources: Resources, gateway: Found[VirtualGateway]) -> tuple[Found[Any], ...]:
    return tuple(one for one in resources.gateway_routes if one.value.virtual_gateway_name == gateway.name)
