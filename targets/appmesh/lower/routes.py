"""Routes of the policy as routes of App Mesh, first match first; what nothing says is spelled out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import Destination, Service, ServicePort
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Retry, Settings, Target
from meshproof.compiler.ir.routing import Route as PolicyRoute
from meshproof.targets.appmesh.lower import header_forms
from meshproof.targets.appmesh.lower.branches import compared_queries, grpc_matches, http_matches
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Door
from meshproof.targets.appmesh.lower.retries import Lost, grpc_retry, http_retry
from meshproof.targets.appmesh.lower.settings import NO_LIMIT, route_of
from meshproof.targets.appmesh.model.route import (
    GrpcRoute,
    GrpcRouteAction,
    GrpcRouteMatch,
    HttpRoute,
    HttpRouteAction,
    HttpRouteMatch,
    TcpRoute,
    TcpRouteAction,
    TcpRouteMatch,
    WeightedTarget,
)
from meshproof.targets.appmesh.model.shared import Duration, GrpcTimeout, HttpTimeout
from meshproof.targets.appmesh.naming import gate_node_name
from meshproof.targets.common.findings import NotExpressibleError

_MOST_TARGETS = 10
_MOST_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Way:
    """A route at a port: `part` is what stands in its field `field`. `subject` is what of the policy it came from."""

    subject: str
    index: int
    field: str
    part: HttpRoute | GrpcRoute | TcpRoute

    @property
    def spec(self) -> dict[str, Any]:
        """The field of a `RouteSpec`."""
        return {self.field: self.part}


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a route stands: the port that is dialled there, what is spoken, and whether it tries again."""

    service: Service
    port: ServicePort
    dialled: int
    protocol: str
    is_retried: bool

    @property
    def place(self) -> Destination:
        """The port of the workload that is meant."""
        return Destination(self.service.name, (self.port.workload,))


def door_way(context: Context, door: Door, protocol: str) -> Way:
    """The route to a door: the whole port, to the gate. What is done with requests there the gate's hop says.

    What is tried again is tried here, so here ends the time for all attempts; the gate's hop ends each.
    """
    target = (WeightedTarget(gate_node_name(door.gate), 1, door.number),)
    hop = Hop(door.service, door.port, door.number, protocol, is_retried=True)
    found = route_of(context, door.service, door.port)
    own = _tried(found)
    retry, limit = next(iter(own)) if len(own) == 1 else (None, None)
    if found is not None and has_lost_retries(context, door.service, door.port):
        message = "callers of a gate try again what goes to any of its branches, or nothing"
        context.findings.lose(Lost(found.id, hop.place).of_retry(message, found.origin, "retry"))
    subject = str(door.service.name) if found is None else found.id
    settings = Settings(timeout_ms=None if retry is None else limit, retry=retry)
    return _way(context, hop, _Taken(_anything(hop), target, subject, hop.place), settings)


def has_lost_retries(context: Context, service: Service, port: ServicePort) -> bool:
    """Whether what comes through gates to the port is tried again by no rule that holds for all of its branches.

    Then nothing is there, whoever calls: a policy whose retries are those of some callers is none that could be proved.
    """
    own = _tried(route_of(context, service, port))
    return len(own) > 1 and {retry for retry, _ in own} != {None}


def _tried(route: PolicyRoute | None) -> set[tuple[Retry | None, int | None]]:
    return set() if route is None else {(one.settings.retry, one.settings.timeout_ms) for one in route.branches}


def edge_way(context: Context, hop: Hop, branch: Branch, route: str, at: Destination) -> Way:
    """The one route behind a route of a gateway, at a port of that. Raises `NotExpressibleError`."""
    settings = Settings(timeout_ms=branch.settings.timeout_ms, retry=branch.settings.retry)
    return _way(context, hop, _Taken(_anything(hop), _targets(context, hop, branch.targets), route, at), settings)


def ways(context: Context, hop: Hop) -> Iterator[Way]:
    """The routes of one port to the workload itself. What App Mesh cannot say of them is in the findings."""
    route = route_of(context, hop.service, hop.port)
    if route is None:
        targets = _targets(context, hop, (Target(hop.service.name, None, None, 100, hop.service.origin),))
        yield _way(context, hop, _Taken(_anything(hop), targets, str(hop.service.name), hop.place), Settings())
        return
    tell_balance(context, route, hop.place)
    tell_moving(context, route)
    index = 0
    for branch in route.branches:
        try:
            for match in _matches(branch, hop):
                targets = _targets(context, hop, branch.targets)
                yield _way(context, hop, _Taken(match, targets, route.id, hop.place, index), _plain(branch, route, hop))
                index += 1
        except NotExpressibleError as error:
            context.findings.unsupported(branch.id, branch.origin, error)
        for test in compared_queries(branch.when):
            message = "only the first value of a query parameter is looked at"
            region = header_forms.has_several(test)
            told = Loss(Feature.ROUTE_MATCH, Direction.STRICTER, route.id, message, branch.origin, region)
            context.findings.lose(replace(told, at=hop.place, is_of_routes=True))


def to_node(context: Context, subject: str, protocol: str, dialled: int, end: tuple[str, int]) -> Way:
    """The one route of a port, to one port of one node. Nothing is tried again, and no request ended."""
    name, port = end
    taken = _Taken(_anything_of(protocol, dialled), (WeightedTarget(name, 1, port),), subject, None)
    return _made(context, protocol, taken, Settings())


def tell_balance(context: Context, route: PolicyRoute, at: Destination | None = None) -> None:
    """How an endpoint is chosen is nothing that resources of App Mesh say."""
    if route.balance is not None:
        error = NotExpressibleError(Feature.LIMITS, "it does not choose among endpoints by request", "leave it out")
        context.kept_nowhere(route.id, route.origin, error, "balance", at=at)


def tell_moving(context: Context, route: PolicyRoute) -> None:
    """MP708: whoever moves the weights moves those that are written here."""
    if route.weights_by is not None:
        message = f"the weights of `{route.id}` are those that are written, until `{route.weights_by}` moves them"
        context.findings.residual(route.id, route.origin, message)


_Match = HttpRouteMatch | GrpcRouteMatch | TcpRouteMatch


def _anything(hop: Hop) -> _Match:
    return _anything_of(hop.protocol, hop.dialled)


def _anything_of(protocol: str, dialled: int) -> _Match:
    if protocol == "tcp":
        return TcpRouteMatch(dialled)
    if protocol == "grpc":
        return GrpcRouteMatch(port=dialled)
    return HttpRouteMatch(port=dialled, prefix="/")


def _matches(branch: Branch, hop: Hop) -> tuple[_Match, ...]:
    if hop.protocol == "grpc":
        return grpc_matches(branch, hop.dialled)
    if hop.protocol != "tcp":
        return http_matches(branch, hop.dialled)
    if branch.condition != Always():
        raise NotExpressibleError(Feature.ROUTE_MATCH, "a route of connections takes all of a port")
    return (TcpRouteMatch(hop.dialled),)


def _plain(branch: Branch, route: PolicyRoute, hop: Hop) -> Settings:
    """The settings, of which App Mesh knows timeouts and retries. Raises `NotExpressibleError`."""
    own = branch.settings
    if hop.protocol == "tcp" and own.timeout_ms is not None:
        reason = "a connection of TCP ends when nothing comes any more, and not after a while"
        raise NotExpressibleError(Feature.ROUTE_SETTINGS, reason, f"leave the timeout out of `{route.id}`")
    if hop.protocol == "tcp" and own.retry is not None:
        reason = "whoever passes connections on unread tries nothing again"
        raise NotExpressibleError(Feature.ROUTE_SETTINGS, reason, f"leave the retries out of `{route.id}`")
    found = {
        "redirects": branch.redirect,
        "mirrors": own.mirror,
        "rewrites paths": own.rewrite_path,
        "rewrites hosts": own.rewrite_host,
        "edits headers": own.headers,
        "answers for browsers of other origins": own.cors,
        "injects faults": own.fault,
        "answers itself": branch.answer,
    }
    for what, value in found.items():
        if value:
            raise NotExpressibleError(Feature.ROUTE_SETTINGS, f"no route of it {what}", f"leave it out of `{route.id}`")
    return own


def _targets(context: Context, hop: Hop, targets: tuple[Target, ...]) -> tuple[WeightedTarget, ...]:
    """The nodes, with their shares. Raises `NotExpressibleError`."""
    shares: dict[tuple[str, int], int] = {}
    versions = max(len(hop.service.versions), 1)
    for target in targets:
        if target.node != hop.service.name:
            reason = f"callers know `{hop.service.name}` by its identity, and `{target.node}` has another"
            raise NotExpressibleError(Feature.ROUTE_SPLIT, reason, "let callers call the other service")
        port = hop.port.workload if target.port is None else target.port
        names = [target.version] if target.version is not None else list(hop.service.versions or (None,))
        for name in names:
            key = (context.node(hop.service, name), port)
            shares[key] = shares.get(key, 0) + target.weight * versions // len(names)
    shares = _smallest(shares, versions, is_any=all(target.version is None for target in targets))
    if len(shares) > _MOST_TARGETS or any(share > _MOST_WEIGHT for share in shares.values()):
        raise NotExpressibleError(Feature.ROUTE_SPLIT, f"a route leads to {_MOST_TARGETS} nodes at most, by percents")
    return tuple(WeightedTarget(node, share, port) for (node, port), share in sorted(shares.items()))


def _smallest(shares: dict[tuple[str, int], int], versions: int, *, is_any: bool) -> dict[tuple[str, int], int]:
    """The same shares as percents, if they are whole ones. Where any version will do, each has a share of one."""
    if is_any and len(set(shares.values())) == 1:
        return dict.fromkeys(shares, 1)
    if all(share % versions == 0 for share in shares.values()):
        return {key: share // versions for key, share in shares.items()}
    return shares


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is taken, and where it goes."""

    match: _Match
    targets: tuple[WeightedTarget, ...]
    subject: str
    at: Destination | None
    index: int = 0


def _way(context: Context, hop: Hop, taken: _Taken, settings: Settings) -> Way:
    return _made(context, hop.protocol, taken, settings if hop.is_retried else replace(settings, retry=None))


def _made(context: Context, protocol: str, taken: _Taken, settings: Settings) -> Way:
    retry: Retry | None = settings.retry
    limit = NO_LIMIT if settings.timeout_ms is None else Duration("ms", settings.timeout_ms)
    subject, index, targets = taken.subject, taken.index, taken.targets
    lost = Lost(subject, taken.at)
    match taken.match:
        case TcpRouteMatch():
            return Way(subject, index, "tcp_route", TcpRoute(TcpRouteAction(targets), taken.match))
        case GrpcRouteMatch():
            again = grpc_retry(context, lost, retry, settings.timeout_ms)
            grpc = GrpcRoute(GrpcRouteAction(targets), taken.match, again, GrpcTimeout(per_request=limit))
            return Way(subject, index, "grpc_route", grpc)
        case HttpRouteMatch():
            tried = http_retry(context, lost, retry, settings.timeout_ms)
            http = HttpRoute(HttpRouteAction(targets), taken.match, tried, HttpTimeout(per_request=limit))
            return Way(subject, index, f"{protocol}_route", http)
