"""What of a policy is about some ports of services: all that whoever judges them has to know, and nothing else.

Nobody takes this for the policy: what is made of it is compared with the whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.companion import PortOfService
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Destination, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import PortScope, ServiceScope
from meshproof.compiler.ir.names import NodeName


def excerpt(mesh: Mesh, ports: frozenset[PortOfService]) -> Mesh:
    """The policy with the rules and statements of these ports alone.

    Who calls is known by identity, so callers are declared only where a rule names them. Requests are routed where they
    are sent, so there are no routes.
    """
    judged = frozenset(name for name, _ in ports)
    rules = tuple(_about(mesh.rules, ports))
    named = {name for rule in rules for name in (*rule.sources.members, *rule.sources.shared)} | judged
    services = tuple(_service(one, ports) for one in mesh.services if one.name in named)
    accepted = {issuer for one in services for issuer in one.accepts}
    asked = {rule.authorizer for rule in rules}
    return replace(
        mesh,
        namespaces=tuple(replace(one, is_closed=False) for one in mesh.namespaces if _has_one(one.name, services)),
        services=services,
        gateways=tuple(_caller(one) for one in mesh.gateways if one.name in named),
        externals=(),
        issuers=tuple(one for one in mesh.issuers if one.name in accepted),
        authorizers=tuple(one for one in mesh.authorizers if one.name in asked),
        zones=(),
        rules=rules,
        routes=(),
        mtls=tuple(one for one in mesh.mtls if _is_about(one.scope, judged, ports)),
        proofs=(),
        tests=(),
        waivers=(),
    )


def _about(rules: tuple[AuthzRule, ...], ports: frozenset[PortOfService]) -> Iterator[AuthzRule]:
    by_node: dict[NodeName, set[int]] = {}
    for name, port in ports:
        by_node.setdefault(name, set()).add(port)
    for rule in rules:
        places = tuple(
            Destination(one.node, tuple(sorted(meant)))
            for one in rule.destinations
            if (
                meant := by_node.get(one.node, set())
                & (by_node.get(one.node, set()) if one.ports is None else {*one.ports})
            )
        )
        if places:
            yield replace(rule, destinations=places, skipped=())


def _service(one: Service, ports: frozenset[PortOfService]) -> Service:
    own = tuple(port for port in one.ports if (one.name, port.workload) in ports)
    return replace(one, ports=own, accepts=one.accepts if own else (), calls=())


def _caller(one: Gateway) -> Gateway:
    """What comes in at it is judged elsewhere."""
    return replace(one, ports=(), hosts=(), accepts=(), certificate=None, client_ca=None)


def _has_one(namespace: str, services: tuple[Service, ...]) -> bool:
    return any(one.namespace == namespace and one.ports for one in services)


def _is_about(scope: object, judged: frozenset[NodeName], ports: frozenset[PortOfService]) -> bool:
    match scope:
        case PortScope(name, port):
            return (name, port) in ports
        case ServiceScope(name):
            return name in judged
        case _:
            return True
