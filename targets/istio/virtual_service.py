"""VirtualService: where senders send requests.

A service without a route has one too, that switches off the two retries which Istio makes unasked. A request that no
branch takes is answered 404, by the language and by Istio.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service, ServicePort
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Route, Target
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.findings import NotExpressibleError
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.route_action import NO_RETRIES, settings
from meshproof.targets.istio.route_match import Match, matches
from meshproof.targets.istio.workloads import port_of

KIND = "VirtualService"
Routes = list[tuple[Value, str]]
"""Elements of `http` or `tcp`, each with what it came from."""


def virtual_services(context: Context) -> Iterator[IstioObject]:
    """One object for each service with a port that speaks HTTP or has a route, and one for each routed gateway."""
    for service in context.mesh.services:
        http, tcp = _of_service(context, service)
        if http or tcp:
            yield _object(context, service, {"hosts": [context.service_host(service)]}, http, tcp)
    for gateway in context.mesh.gateways:
        routes = [route for route in context.mesh.routes if route.node == gateway.name]
        http = [
            one
            for port in _http_ports(gateway)
            for route in _routes_of(routes, port)
            for one in _branches(context, route, gateway, port)
        ]
        if http:
            head: dict[str, Value] = {
                "hosts": list(gateway.hosts),
                "gateways": [context.names_of_gateway(gateway)],
            }
            yield _object(context, gateway, head, http, [])


def _object(
    context: Context, node: Service | Gateway, head: dict[str, Value], http: Routes, tcp: Routes
) -> IstioObject:
    spec = dict(head)
    if http:
        spec["http"] = [value for value, _ in http]
    if tcp:
        spec["tcp"] = [value for value, _ in tcp]
    pieces = tuple(Piece(subject, index) for index, (_, subject) in enumerate([*http, *tcp]))
    name = context.name(KIND, node.namespace, str(node.name), node.origin)
    return IstioObject(KIND, node.namespace, name, spec, pieces)


def _of_service(context: Context, service: Service) -> tuple[Routes, Routes]:
    routes = [route for route in context.mesh.routes if route.node == service.name]
    http: Routes = []
    tcp: Routes = []
    for port in service.ports:
        chosen = _routes_of(routes, port)
        if port.layer is Layer.TCP:
            tcp += [one for route in chosen for one in _tcp(context, route, service, port)]
        elif chosen:
            http += [one for route in chosen for one in _branches(context, route, service, port)]
        else:
            plain: Value = {
                "match": [{"port": port.number}],
                "route": [{"destination": _destination(context, service, None, port)}],
                "retries": NO_RETRIES,
            }
            http.append((plain, str(service.name)))
    return http, tcp


def _http_ports(node: Gateway) -> list[ServicePort]:
    return [port for port in node.ports if port.layer is not Layer.TCP]


def _routes_of(routes: list[Route], port: ServicePort) -> list[Route]:
    """The route of the port, else that of every HTTP port."""
    own = [route for route in routes if route.port == port.workload]
    general = [route for route in routes if route.port is None and port.layer is not Layer.TCP]
    return (own or general)[:1]


def _branches(context: Context, route: Route, node: Service | Gateway, port: ServicePort) -> Routes:
    found: Routes = []
    for branch in route.branches:
        try:
            found += [(value, branch.id) for value in _branch(context, branch, node, port)]
        except NotExpressibleError as error:
            context.findings.unsupported(branch.id, branch.origin, error)
    return found


def _branch(context: Context, branch: Branch, node: Service | Gateway, port: ServicePort) -> list[Value]:
    blocks = matches(branch.condition, context.domains)
    if not blocks:
        return []
    value: dict[str, Value] = {"match": [_with_port(block, port) for block in blocks]}
    if branch.redirect is None:
        value["route"] = _shares(context, branch, node, port)
        mirror = branch.settings.mirror
        if mirror is not None and mirror.percent:
            copy = _target(context, mirror.target, node, port)
            value["mirrors"] = [{"destination": copy, "percentage": {"value": mirror.percent}}]
    return [value | settings(branch)]


def _with_port(block: Match, port: ServicePort) -> Value:
    found: dict[str, Value] = {"port": port.number}
    return block | found


def _shares(context: Context, branch: Branch, node: Service | Gateway, port: ServicePort) -> Value:
    if len(branch.targets) == 1:
        return [{"destination": _target(context, branch.targets[0], node, port)}]
    return [{"destination": _target(context, target, node, port), "weight": target.weight} for target in branch.targets]


def _target(context: Context, target: Target, node: Service | Gateway, port: ServicePort) -> Value:
    """The destination of a share. Without a port of its own it is the one that was called, on the same node."""
    to = context.mesh.node(target.node)
    if to is None or isinstance(to, Gateway):
        raise NotExpressibleError(Feature.ROUTE_SPLIT, f"`{target.node}` is nothing that a request can be sent to")
    if target.port is None and to.name == node.name:
        found: ServicePort | None = port
    else:
        found = port_of(to, port.workload if target.port is None else target.port)
    if found is None:
        raise NotExpressibleError(Feature.ROUTE_SPLIT, f"`{target.node}` declares no such port")
    return _destination(context, to, target.version, found)


def _destination(context: Context, to: Node, version: str | None, port: ServicePort) -> Value:
    host = to.hosts[0] if isinstance(to, External) else context.service_host(to)
    found: dict[str, Value] = {"host": host, "port": {"number": port.number}}
    if version is not None:
        found["subset"] = version
    return found


def _tcp(context: Context, route: Route, service: Service, port: ServicePort) -> Routes:
    """Connections have no conditions: the first branch that asks for nothing takes them all."""
    for branch in route.branches:
        if branch.condition == Always() and branch.targets:
            try:
                shares = _shares(context, branch, service, port)
            except NotExpressibleError as error:
                context.findings.unsupported(branch.id, branch.origin, error)
                return []
            return [({"match": [{"port": port.number}], "route": shares}, branch.id)]
    return []
