"""Ports as the language has them: each with a name of its own, and either requests or connections on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Protocol, Service, ServicePort
from meshproof.compiler.ir.mtls import PortScope
from meshproof.compiler.ir.predicate import reads_http

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName, Origin

Ports = tuple[ServicePort, ...]
_HIGHEST = 65535


def ports_of(mesh: Mesh) -> Mapping[NodeName, Ports]:
    """The ports of every node, those of services that policies name and no Service has too.

    A proxy that guesses what is spoken may be told either: where rules or routes that somebody wrote look at requests
    it is HTTP, else TCP.
    """
    spoken = _spoken(mesh)
    more = _named_elsewhere(mesh)
    return {
        node.name: _named(_settled(port, node, spoken) for port in (*node.ports, *_added(node, more)))
        for node in mesh.nodes
    }


def _named_elsewhere(mesh: Mesh) -> Mapping[NodeName, Mapping[int, Origin]]:
    """The ports that rules and mTLS statements name, with the place where they first do."""
    found: dict[NodeName, dict[int, Origin]] = {}
    for rule in mesh.rules:
        for place in rule.destinations:
            for port in place.ports or ():
                found.setdefault(place.node, {}).setdefault(port, rule.origin)
    for statement in mesh.mtls:
        if isinstance(statement.scope, PortScope):
            found.setdefault(statement.scope.service, {}).setdefault(statement.scope.port, statement.origin)
    return found


def _added(node: Node, more: Mapping[NodeName, Mapping[int, Origin]]) -> Iterable[ServicePort]:
    """The ports of a service that no Service has, and that policies speak of all the same."""
    if isinstance(node, Service):
        known = {port.workload for port in node.ports}
        for port, origin in sorted(more.get(node.name, {}).items()):
            if port not in known and 0 < port <= _HIGHEST:
                yield ServicePort(f"port-{port}", Protocol.TCP, Layer.SNIFFED, port, port, origin)


def _spoken(mesh: Mesh) -> frozenset[tuple[NodeName, int | None]]:
    """The ports at which rules or routes tell requests from connections; None is every port of a node."""
    found: set[tuple[NodeName, int | None]] = set()
    for rule in mesh.rules:
        if rule.layer is not None or rule.operations or reads_http(rule.when):
            for place in rule.destinations:
                found.update((place.node, port) for port in (place.ports or (None,)))
    for route in mesh.routes:
        if route.layer is not Layer.TCP and any(not branch.is_implied for branch in route.branches):
            found.add((route.node, route.port))
            found.update((target.node, target.port) for branch in route.branches for target in branch.targets)
    return frozenset(found)


def _settled(port: ServicePort, node: Node, spoken: frozenset[tuple[NodeName, int | None]]) -> ServicePort:
    is_http = port.layer is Layer.HTTP
    if port.layer is Layer.SNIFFED:
        is_http = (node.name, None) in spoken or (node.name, port.workload) in spoken
    elif is_http == _is_seen_as_http(port, node):
        return port
    protocol, layer = (Protocol.HTTP, Layer.HTTP) if is_http else (Protocol.TCP, Layer.TCP)
    return replace(port, protocol=protocol, layer=layer, is_passthrough=False, is_originated=False)


def _is_seen_as_http(port: ServicePort, node: Node) -> bool:
    """Whether the language has the port for one of requests (docs/language.md, "HTTP and TCP")."""
    match port.protocol:
        case Protocol.TCP | Protocol.TLS:
            return False
        case Protocol.HTTPS:
            is_ended = isinstance(node, Gateway) and not port.is_passthrough
            return is_ended or (isinstance(node, External) and port.is_originated)
        case _:
            return True


def _named(ports: Iterable[ServicePort]) -> Ports:
    """The ports with names and numbers that are unique in the node, the workload's number being so anyway."""
    names: set[str] = set()
    numbers: set[int] = set()
    found: list[ServicePort] = []
    for port in ports:
        name = port.name if port.name not in names else f"{port.name}-{port.workload}"
        number = port.number if port.number not in numbers else port.workload
        names.add(name)
        numbers.add(number)
        found.append(replace(port, name=name, number=number))
    return tuple(found)


def taken_for_http(mesh: Mesh, ports: Mapping[NodeName, Ports]) -> Iterator[tuple[Service, ServicePort]]:
    """The ports that are said to carry requests, and of which files let connections in that are none."""
    for service in mesh.services:
        known = {port.workload for port in service.ports if port.layer is not Layer.SNIFFED}
        for port in ports[service.name]:
            if port.layer is Layer.HTTP and port.workload not in known and _takes_connections(mesh, service, port):
                yield service, port


def _takes_connections(mesh: Mesh, service: Service, port: ServicePort) -> bool:
    if Layer.TCP in service.default_allow:
        return True
    return any(
        rule.effect is Effect.ALLOW
        and rule.layer is not Layer.HTTP
        and not rule.operations
        and not reads_http(rule.when)
        and any(
            place.node == service.name and port.workload in (place.ports or (port.workload,))
            for place in rule.destinations
        )
        for rule in mesh.rules
    )
