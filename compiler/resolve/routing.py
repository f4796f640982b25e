"""Routes: branches with the settings that hold for each (language reference, "mTLS, routes")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.matchers import Exact, Matcher, Suffix
from meshproof.compiler.ir.predicate import Always, Host, Method, Path, Predicate, Test, conjunction, disjunction
from meshproof.compiler.ir.routing import Branch, Redirect, Route, Target
from meshproof.compiler.resolve import route_settings
from meshproof.compiler.resolve.hosts import host_name
from meshproof.compiler.resolve.operations import path_matcher
from meshproof.compiler.resolve.ports import find_port
from meshproof.compiler.resolve.route_conditions import route_condition
from meshproof.compiler.resolve.route_targets import resolve_targets, undivided
from meshproof.compiler.resolve.written import written_set
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast.sets import AtPort, Named
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Node, ServicePort
    from meshproof.compiler.ir.names import NodeName
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.placement import Placement
    from meshproof.dsl.ast.values import StringValue


@dataclass(frozen=True, slots=True)
class Routed:
    """What a route is for. `port` is None where it is for every HTTP port."""

    node: Node
    port: ServicePort | None

    @property
    def is_tcp(self) -> bool:
        """Whether the sender sees connections and not requests."""
        return self.port is not None and self.port.layer is Layer.TCP


def resolve_routes(written: Iterable[ast.Route], placement: Placement, ctx: Context) -> tuple[Route, ...]:
    """The routes by id; two for the same port, or two for every port of a node, are a finding."""
    routes: dict[tuple[NodeName, int | None], Route] = {}
    for one in written:
        routed = _routed(one, ctx)
        if routed is None:
            continue
        route = _resolve(one, routed, ctx)
        first = routes.setdefault((route.node, route.port), route)
        if first is not route:
            ctx.findings.add(
                "MP231",
                f"there are two routes for `{route.id}`",
                one.destinations.span,
                "the second route",
                labels=(Label(first.origin.span, "the first one"),),
                help="the first branch that takes a request decides, so all branches stand in one route",
            )
        placement.check(f"the route of `{route.id}`", one.span, (route.node,))
    return tuple(sorted(routes.values(), key=lambda route: (route.node, route.port or 0)))


def _routed(written: ast.Route, ctx: Context) -> Routed | None:
    destination = written.destinations
    base = destination.base if isinstance(destination, AtPort) else destination
    if not isinstance(base, Named):
        message = f"a route is for one destination, and `{written_set(destination)}` is a set"
        ctx.findings.add("MP203", message, destination.span, help="write a route for each")
        return None
    node = ctx.node(base.name)
    if node is None:
        return None
    if isinstance(destination, AtPort):
        port = find_port(node, destination.port, ctx)
        return None if port is None else Routed(node, port)
    if not node.ports:
        ctx.findings.add("MP218", f"`{node.name}` has no port: it only calls", destination.span)
        return None
    if any(port.layer is Layer.HTTP for port in node.ports):
        return Routed(node, None)
    if len(node.ports) == 1:
        return Routed(node, node.ports[0])
    message = f"every port of `{node.name}` carries TCP: a route for TCP names its port"
    ctx.findings.add("MP217", message, destination.span, help=f"write `route {node.name}:{node.ports[0].name}`")
    return None


def _resolve(written: ast.Route, routed: Routed, ctx: Context) -> Route:
    identifier = written_set(written.destinations)
    own = route_settings.of_route(written.settings, ctx)
    branches = tuple(
        _branch(branch, f"{identifier}#{number}", written.settings, routed, ctx)
        for number, branch in enumerate(written.branches, 1)
    ) or (_whole(written, f"{identifier}#1", routed, ctx),)
    return Route(
        id=identifier,
        node=routed.node.name,
        port=None if routed.port is None else routed.port.workload,
        branches=branches,
        origin=ctx.origin(written.span),
        limits=own.limits,
        ejection=own.ejection,
        balance=own.balance,
        weights_by=own.weights_by,
    )


def _whole(written: ast.Route, identifier: str, routed: Routed, ctx: Context) -> Branch:
    """The one branch of a route that has none: everything goes to the destination undivided."""
    otherwise = ast.Otherwise(span=written.span)
    return _branch(otherwise, identifier, written.settings, routed, ctx)


def _branch(
    written: ast.RouteBranch, identifier: str, around: ast.RouteSettings, routed: Routed, ctx: Context
) -> Branch:
    taken = written if isinstance(written, ast.Branch) else ast.Branch(span=written.span)
    host = None if taken.host is None else _host(taken.host, ctx)
    path = None if taken.path is None else path_matcher(taken.path)
    when = Always() if taken.when is None else route_condition(taken.when, routed, ctx)
    settings = route_settings.joined(around, written.settings)
    route_settings.check_branch(written.settings, ctx)
    redirect = _redirect(settings.redirect, taken, ctx)
    if routed.is_tcp:
        _check_tcp(taken, settings, routed, ctx)
    return Branch(
        id=identifier,
        host=host,
        methods=tuple(dict.fromkeys(taken.methods)),
        path=path,
        when=when,
        condition=_condition(host, taken.methods, path, when),
        is_otherwise=isinstance(written, ast.Otherwise),
        targets=_targets(written, settings, routed, ctx),
        redirect=redirect,
        settings=route_settings.of_branch(settings, taken, routed.node, ctx),
        origin=ctx.origin(written.span),
    )


def _condition(host: Matcher | None, methods: tuple[str, ...], path: Matcher | None, when: Predicate) -> Predicate:
    parts: list[Predicate] = []
    if host is not None:
        parts.append(Test(Host(), host))
    if methods:
        parts.append(disjunction(tuple(Test(Method(), Exact(method)) for method in dict.fromkeys(methods))))
    if path is not None:
        parts.append(Test(Path(), path))
    return conjunction((*parts, when))


def _host(written: StringValue, ctx: Context) -> Matcher | None:
    """`*.example.com` is any name below it, `*` any host."""
    host = host_name(written, ctx)
    if host is None or host == "*":
        return None
    return Suffix(host[1:], ignore_case=True) if host.startswith("*.") else Exact(host, ignore_case=True)


def _targets(written: ast.RouteBranch, settings: ast.RouteSettings, routed: Routed, ctx: Context) -> tuple[Target, ...]:
    if settings.redirect is not None:
        return ()
    if written.targets:
        return resolve_targets(written.targets, routed.node, ctx)
    if isinstance(routed.node, Gateway):
        message = f"a branch of the gateway `{routed.node.name}` says where the request goes"
        ctx.findings.add("MP232", message, written.span, help="write `=> SERVICE:PORT`, or a redirect")
        return ()
    return (undivided(routed.node, ctx.origin(written.span)),)


def _redirect(written: ast.Redirect | None, taken: ast.Branch, ctx: Context) -> Redirect | None:
    """`path` keeps its last `/**`, which stands for what the branch's own took."""
    if written is None:
        return None
    if written.path is not None:
        route_settings.check_rest(written.path, taken, ctx)
    return Redirect(
        status=301 if written.status is None else written.status.value,
        host=None if written.host is None else host_name(written.host, ctx),
        path=None if written.path is None else written.path.text,
        origin=ctx.origin(written.span),
    )


def _check_tcp(taken: ast.Branch, settings: ast.RouteSettings, routed: Routed, ctx: Context) -> None:
    parts = (taken.host, taken.path, settings.rewrite, settings.redirect, settings.cors, settings.retry)
    spoken = [part.span for part in (*parts, *settings.headers) if part is not None]
    if taken.methods:
        spoken.append(taken.span)
    for at in spoken[:1]:
        port = "" if routed.port is None else f":{routed.port.name}"
        message = f"`{routed.node.name}{port}` carries TCP, and this speaks of HTTP"
        ctx.findings.add("MP217", message, at)
