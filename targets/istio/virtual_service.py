"""VirtualService: where senders send requests.

A service or external without a route has one too, that switches off the two retries which Istio makes unasked. A
request that no branch takes is answered 404, by the language and by Istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Gateway, Layer, Protocol, ServicePort
from meshproof.compiler.ir.predicate import reads_http
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.callers import Calls
from meshproof.targets.istio.clauses import clauses
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.route_action import NO_RETRIES, settings
from meshproof.targets.istio.route_destination import Called, destination, is_plain, shares, target_of
from meshproof.targets.istio.route_match import Match, matches, refuse_hosts_without_answer, refuse_other_hosts
from meshproof.targets.istio.service_entry import exported_to, home, namespaces_in, wrong_from

KIND = "VirtualService"
_SECTIONS = ("http", "tls", "tcp")
_BY_NAME = "server names tell connections apart where a gateway passes TLS on, and nowhere else"
Routes = list[tuple[str, Value, str]]
"""Elements of `http`, `tls` or `tcp` (which of them comes first), each with what it came from."""


def virtual_services(context: Context, calls: Calls) -> Iterator[IstioObject]:
    """One object for each service with a port that speaks HTTP or has a route, for each routed gateway, and for each
    host of the externals that senders call themselves.
    """  # noqa: D205
    for service in context.mesh.services:
        host = context.service_host(service)
        yield from _object(context, Called(service, host), {"hosts": [host]})
    for gateway in context.mesh.gateways:
        bound: Value = [context.names_of_gateway(gateway)]
        yield from _object(context, Called(gateway, ""), {"hosts": list(gateway.hosts), "gateways": bound})
    for external in context.mesh.externals:
        yield from _of_external(context, external, calls)


def _of_external(context: Context, external: External, calls: Calls) -> Iterator[IstioObject]:
    if external.via is not None:
        for route in (route for route in context.mesh.routes if route.node == external.name):
            reason = f"`{external.name}` is called through `{external.via}`, whose route is made for that"
            error = NotExpressibleError(Feature.ROUTE_MATCH, reason, f"write a route for `{external.via}`")
            context.findings.unsupported(route.id, route.origin, error)
        return
    namespaces = exported_to(context, external, calls)
    for host in external.hosts if namespaces else ():
        visible = namespaces_in(context, external, namespaces)
        for one in _object(context, Called(external, host), {"hosts": [host], "exportTo": visible}):
            yield replace(one, valid_until=wrong_from(context, external, calls))


def _object(context: Context, called: Called, head: dict[str, Value]) -> Iterator[IstioObject]:
    node, spec = called.node, dict(head)
    routes = sorted(_routes(context, called), key=lambda one: _SECTIONS.index(one[0]))
    if not routes:
        return
    for section in _SECTIONS:
        if chosen := [value for kind, value, _ in routes if kind == section]:
            spec[section] = chosen
    if called.host:
        context.claim_host(called.host, str(node.name), node.origin)
    pieces = tuple(Piece(subject, index) for index, (_, _, subject) in enumerate(routes))
    namespace, text = _place(context, called)
    yield IstioObject(KIND, namespace, context.name(KIND, namespace, text, node.origin), spec, pieces)


def _place(context: Context, called: Called) -> tuple[str, str]:
    """The namespace of an object, and what it is named after."""
    if not isinstance(called.node, External):
        return called.node.namespace, str(called.node.name)
    is_one = len(called.node.hosts) == 1
    return home(context, called.node), str(called.node.name) if is_one else f"{called.node.name}-{called.host}"


def _routes(context: Context, called: Called) -> Routes:
    routes = [route for route in context.mesh.routes if route.node == called.node.name]
    found: Routes = []
    for route in routes if not isinstance(called.node, Gateway) else ():
        _refuse_what_takes_nothing(context, route)
    for port in called.node.ports:
        chosen = _routes_of(routes, port)
        if port.layer is Layer.TCP:
            found += [one for route in chosen for one in _connections(context, route, called, port)]
        elif chosen:
            found += [one for route in chosen for one in _branches(context, route, called, port)]
        elif not isinstance(called.node, Gateway):
            plain: Value = {
                "match": [{"port": port.number}],
                "route": [{"destination": destination(called, None, port)}],
                "retries": NO_RETRIES,
            }
            found.append(("http", plain, str(called.node.name)))
    return found


def _routes_of(routes: list[Route], port: ServicePort) -> list[Route]:
    """The route of the port, else that of every HTTP port."""
    own = [route for route in routes if route.port == port.workload]
    general = [route for route in routes if route.port is None and port.layer is not Layer.TCP]
    return (own or general)[:1]


def _refuse_what_takes_nothing(context: Context, route: Route) -> None:
    """MP701 at a route of which no branch takes any request: 404 in the policy, and all of them sent on without it."""
    try:
        takes_some = not route.branches or any(clauses(branch.condition) for branch in route.branches)
    except NotExpressibleError:
        return  # that is told where the branch is made
    if not takes_some:
        reason = "no branch of it takes any request, and without one Istio sends all of them on"
        error = NotExpressibleError(Feature.ROUTE_MATCH, reason, "leave the route away, or let a branch take something")
        context.findings.unsupported(route.id, route.origin, error)


def _branches(context: Context, route: Route, called: Called, port: ServicePort) -> Routes:
    found: Routes = []
    for branch in route.branches:
        try:
            found += [("http", value, branch.id) for value in _branch(context, branch, called, port)]
        except NotExpressibleError as error:
            context.findings.unsupported(branch.id, branch.origin, error)
    return found


def _branch(context: Context, branch: Branch, called: Called, port: ServicePort) -> list[Value]:
    if isinstance(called.node, Gateway):
        refuse_hosts_without_answer(branch, called.node)
    elif not called.host.startswith("*"):
        refuse_other_hosts(branch, _names(called), str(called.node.name))
    blocks = matches(branch, context)
    if not blocks:
        return []
    if any("sniHosts" in block for block in blocks):
        raise NotExpressibleError(Feature.ROUTE_MATCH, _BY_NAME)
    value: dict[str, Value] = {"match": [_with_port(block, port) for block in blocks]}
    if branch.redirect is None:
        value["route"] = shares(context, branch, called, port)
        mirror = branch.settings.mirror
        if mirror is not None and mirror.percent:
            copy = target_of(context, mirror.target, called, port)
            value["mirrors"] = [{"destination": copy, "percentage": {"value": mirror.percent}}]
    return [value | settings(branch)]


def _names(called: Called) -> tuple[str, ...]:
    """What callers may write for the host: an external's host, or a service's name with more and more behind it."""
    if isinstance(called.node, External):
        return (called.host,)
    parts = called.host.split(".")
    return (*(".".join(parts[:count]) for count in (1, 2, 3)), called.host)


def _with_port(block: Match, port: ServicePort) -> Value:
    found: dict[str, Value] = {"port": port.number}
    return block | found


def _connections(context: Context, route: Route, called: Called, port: ServicePort) -> Routes:
    """Connections, up to the first branch that takes them all; a branch that reads HTTP takes none."""
    found: Routes = []
    for branch in route.branches:
        if reads_http(branch.condition):
            continue
        try:
            found += [(section, value, branch.id) for section, value in _connection(context, branch, called, port)]
        except NotExpressibleError as error:
            context.findings.unsupported(branch.id, branch.origin, error)
    return found


def _check(blocks: list[Match], called: Called, port: ServicePort) -> None:
    """Raises `NotExpressibleError` for what no proxy tells connections apart by."""
    asked = {field for block in blocks for field in block}
    is_by_name = isinstance(called.node, Gateway) and port.is_passthrough
    if "sniHosts" in asked and not is_by_name:
        raise NotExpressibleError(Feature.ROUTE_MATCH, _BY_NAME)
    if asked - {"sourceNamespace", "sniHosts"}:
        raise NotExpressibleError(Feature.ROUTE_MATCH, "a route tells connections apart by the sender's namespace")
    hosts = called.node.hosts if isinstance(called.node, Gateway) else ()
    for name in (name for block in blocks for name in _server_names(block)):
        if not any(_covers(host, name) for host in hosts):
            reason = f"`{called.node.name}` answers by {', '.join(hosts)} alone, and `{name}` is more than that"
            raise NotExpressibleError(Feature.ROUTE_MATCH, reason, "ask for server names that its `hosts` take")


def _server_names(block: Match) -> Iterator[str]:
    names = block.get("sniHosts")
    yield from (str(name) for name in (names if isinstance(names, list) else ()))


def _covers(host: str, name: str) -> bool:
    """Whether a host of a gateway takes every server name that another takes."""
    return host in {name, "*"} or (host.startswith("*") and name.removeprefix("*").endswith(host[1:]))


def _connection(context: Context, branch: Branch, called: Called, port: ServicePort) -> list[tuple[str, Value]]:
    """Istio routes TLS that it does not end by the server name alone, which inside the mesh is anything."""
    blocks = matches(branch, context)
    _check(blocks, called, port)
    if not blocks:
        return []
    gateway = called.node if isinstance(called.node, Gateway) else None
    if gateway is None and port.protocol in {Protocol.HTTPS, Protocol.TLS}:
        if len(blocks) == 1 and not blocks[0] and is_plain(branch, called):
            return []
        raise NotExpressibleError(Feature.ROUTE_MATCH, "a sender routes TLS by the server name that its workload wrote")
    names: Match = {}
    if gateway is not None and port.is_passthrough:
        names["sniHosts"] = list(gateway.hosts)
    match = [_with_port(names | block, port) for block in blocks]
    return [("tls" if names else "tcp", {"match": match, "route": shares(context, branch, called, port)})]
