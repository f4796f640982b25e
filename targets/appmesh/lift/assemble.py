"""A mesh of App Mesh as one of the IR: what its servers' proxies enforce, and where its gateways send requests.

What the proxies of callers do (routes, backends, the egress filter) holds only as long as those are honest, so it lets
nothing in and keeps nothing out here, unless that is asked for; what a node says that it calls is told as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway, Need, Service
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NodeName, Origin, SpiffeId
from meshproof.targets.appmesh.lift.cooperative.rules import HONESTY, Caller, Honest, told
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.gateway_branches import routes_of
from meshproof.targets.appmesh.lift.identities import names_of, shown_by, trust_domain_of
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


def assemble(resources: Resources, mesh: str, origin: Origin, judgement: Judgement = Judgement.ENFORCED) -> Mesh:
    """The mesh of that name that the resources make; where callers are honest, if that is the judgement."""
    domain, others = trust_domain_of(resources, mesh)
    is_honest = judgement is Judgement.COOPERATIVE
    named = tuple(_Placed(one, name, domain) for one, name in node_names((*resources.nodes, *resources.gateways), mesh))
    if is_honest:
        _tell(named, mesh, domain)
    nodes, gateways = named[: len(resources.nodes)], named[len(resources.nodes) :]
    leading = Leading(resources, {one.found.name: one.name for one in nodes})
    callers = Identities((one.name, one.identity.uri) for one in named)
    routes = (
        route
        for one in gateways
        for route in routes_of(one.found, one.name, one.listeners, _of(resources, one.found), leading)
    )
    rules: Iterable[AuthzRule] = (rule for one in named for rule in rules_of(one.name, one.listeners, callers))
    at_nodes = tuple(said for one in nodes for said in statements_of(one.name, one.listeners, is_gateway=False))
    at_gateways = (said for one in gateways for said in statements_of(one.name, one.listeners, is_gateway=True))
    if is_honest:
        who = (Caller(one.found, one.identity.uri, is_gateway=one in gateways) for one in named)
        honest = Honest(resources, who, callers)
        at_gates = (rule for one in gateways for rule in rules_of(one.name, one.listeners, callers))
        rules = (*at_gates, *(rule for one in nodes for rule in honest.rules(one.found, one.name, one.listeners)))
        at_nodes = at_nodes if honest.is_open else told(at_nodes)
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
        mtls=tuple(sorted((*at_nodes, *at_gateways), key=lambda one: repr(one.scope))),
        paths=PathMode.MERGE_SLASHES,
        premises=(*(HONESTY if is_honest else ()), *PREMISES),
        proxy_ports=PROXY_PORTS,
        judgement=judgement,
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


def _tell(named: tuple[_Placed, ...], mesh: str, domain: str) -> None:
    """Give whoever shows no name the one that its account would have, unless somebody is called so."""
    taken = {*names_of(resource.found for resource in named), *(one.identity.uri for one in named if one.is_known)}
    for one in named:
        if not one.is_known:
            found = SpiffeId.of_account(domain, namespace_of(one.found, mesh), own_name(one.found))
            one.identity = one.identity if found.uri in taken else found
            one.is_known = True
            taken.add(one.identity.uri)


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
