"""Policies that were edited: one mesh and another that differs from it in a few statements of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.strategies import vocabulary as words
from tests.strategies.entities import random_issuers, random_mtls, random_namespaces, some
from tests.strategies.meshes import Size, random_mesh
from tests.strategies.routes import random_routes
from tests.strategies.rules import random_rule

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Layer, Protocol, ServicePort
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import SpiffeId

Edit = Callable[[Random, Mesh, Size], Mesh]


def edited(rng: Random, mesh: Mesh, size: Size, count: int = 1) -> Mesh:
    """The mesh after so many random edits."""
    for _ in range(count):
        mesh = rng.choice(EDITS)(rng, mesh, size)
    return mesh


def random_pair(rng: Random, size: Size) -> tuple[Mesh, Mesh]:
    """Two meshes: the second an edit of the first, or now and then another one of the same words."""
    old = random_mesh(rng, size)
    if rng.random() < 0.15:
        return old, random_mesh(rng, size)
    return old, edited(rng, old, size, rng.choice((1, 1, 2, 4)))


def with_rules(mesh: Mesh, rules: tuple[AuthzRule, ...]) -> Mesh:
    """The mesh with these rules, sorted."""
    return replace(mesh, rules=tuple(sorted(rules, key=lambda rule: rule.id)))


def new_rule(rng: Random, mesh: Mesh, size: Size, name: str) -> AuthzRule:
    """A random rule for the nodes of the mesh."""
    return random_rule(rng, name, mesh.nodes, mesh.authorizers, is_lifted=size.is_lifted)


def _add_rule(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    taken = {rule.id for rule in mesh.rules}
    name = next(name for number in range(len(taken) + 1) if (name := f"n{number:03}") not in taken)
    return with_rules(mesh, (*mesh.rules, new_rule(rng, mesh, size, name)))


def _remove_rule(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    gone = rng.choice(mesh.rules) if mesh.rules else None
    return replace(mesh, rules=tuple(rule for rule in mesh.rules if rule is not gone))


def _change_rule(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    if not mesh.rules:
        return mesh
    rule = rng.choice(mesh.rules)
    other = new_rule(rng, mesh, size, rule.id)
    changed = rng.choice(
        (
            other,
            replace(rule, sources=other.sources),
            replace(rule, when=other.when) if rule.operations or not rule.skipped else other,
            replace(rule, operations=rule.operations[1:]) if rule.operations else other,
            replace(rule, is_enforced=not rule.is_enforced) if rule.effect is not Effect.ASK else other,
            replace(rule, until=rng.choice((None, *words.UNTILS))),
            replace(rule, destinations=other.destinations) if not rule.skipped else other,
        )
    )
    return with_rules(mesh, tuple(changed if one is rule else one for one in mesh.rules))


def _change_mtls(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    return replace(mesh, mtls=some(rng, random_mtls(rng, mesh.services)))


def _change_accepts(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    names = tuple(issuer.name for issuer in mesh.issuers)
    return replace(
        mesh,
        services=tuple(replace(service, accepts=some(rng, names)) for service in mesh.services),
        gateways=tuple(replace(gateway, accepts=some(rng, names)) for gateway in mesh.gateways),
    )


def _change_issuers(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    found = {issuer.name: issuer for issuer in random_issuers(rng)}
    issuers = (replace(one, audiences=found[one.name].audiences) if one.name in found else one for one in mesh.issuers)
    return replace(mesh, issuers=tuple(issuers))


def _change_trust(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    return (
        replace(
            mesh, aliases=rng.choice(((), (words.ALIAS,))), trusts=rng.choice(((), (words.PARTNER,), (words.ALIAS,)))
        )
        if rng.random() < 0.7
        else _renamed(mesh)
    )


def _renamed(mesh: Mesh) -> Mesh:
    """Our trust domain has another name, and the old one is an alias of it; rules still speak of the old one."""
    domain = "new.local"
    services = tuple(
        replace(service, identity=SpiffeId(domain, service.identity.path))
        if service.identity.trust_domain == mesh.trust_domain
        else service
        for service in mesh.services
    )
    return replace(mesh, trust_domain=domain, aliases=(mesh.trust_domain,), trusts=(), services=services)


def _change_service(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    service = rng.choice(mesh.services)
    namespaces = random_namespaces(rng)
    changed = rng.choice(
        (
            replace(service, ports=tuple(_other_layer(port) for port in service.ports)),
            replace(service, ports=service.ports[1:]) if len(service.ports) > 1 else service,
            replace(service, default_allow=some(rng, (Layer.HTTP, Layer.TCP)) if size.is_lifted else ()),
            replace(service, observe=namespaces[0].observe if namespaces else None),
            replace(service, identity=SpiffeId.of_account(words.TRUST_DOMAIN, service.namespace, "other")),
        )
    )
    return replace(mesh, services=tuple(changed if one is service else one for one in mesh.services))


def _other_layer(port: ServicePort) -> ServicePort:
    if port.layer is Layer.HTTP:
        return replace(port, protocol=Protocol.TCP, layer=Layer.TCP)
    return replace(port, protocol=Protocol.HTTP, layer=Layer.HTTP)


def _remove_node(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    gone = rng.choice(mesh.nodes)
    is_last = sum(bool(node.ports) for node in mesh.services) == 1
    if is_last or any(one.via == gone.name for one in mesh.externals):
        return mesh
    rules = (
        replace(rule, destinations=tuple(place for place in rule.destinations if place.node != gone.name))
        for rule in mesh.rules
    )
    return replace(
        mesh,
        services=tuple(one for one in mesh.services if one is not gone),
        gateways=tuple(one for one in mesh.gateways if one is not gone),
        externals=tuple(one for one in mesh.externals if one is not gone),
        rules=tuple(rules),
        routes=(),
    )


def _change_routes(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    return replace(mesh, routes=random_routes(rng, mesh.nodes, max(size.route_share, 0.5)))


def _change_namespaces(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    return replace(mesh, namespaces=random_namespaces(rng))


def _change_egress(rng: Random, mesh: Mesh, size: Size) -> Mesh:
    del size
    return replace(mesh, egress=rng.choice(tuple(Egress)) if mesh.externals else None)


EDITS: tuple[Edit, ...] = (
    _add_rule,
    _add_rule,
    _remove_rule,
    _change_rule,
    _change_rule,
    _change_rule,
    _change_mtls,
    _change_accepts,
    _change_issuers,
    _change_trust,
    _change_service,
    _remove_node,
    _change_routes,
    _change_namespaces,
    _change_egress,
)
