"""Gateways of the policy: virtual gateways whose routes keep what may come from outside, and what they may send on.

A gateway is the proxy of whoever comes through it, so what the policy lets it do is kept by its own routes. Its name
stands in the listeners of the services that it calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import Destination, Gateway, Layer, Protocol, ServicePort
from meshproof.compiler.ir.matchers import Exact, Matcher, Segments, Suffix
from meshproof.compiler.ir.predicate import (
    Always,
    Host,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.targets.appmesh.lower.callers import Plaintext
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door_routes import door_routes
from meshproof.targets.appmesh.lower.gateway_routes import EVERYTHING, Entrance, Onward, gateway_route
from meshproof.targets.appmesh.lower.route_match import RouteMatch
from meshproof.targets.appmesh.lower.routes import Hop, edge_way, tell_balance, tell_moving
from meshproof.targets.appmesh.lower.rows import Permission, Row, permission
from meshproof.targets.appmesh.lower.services import routed
from meshproof.targets.appmesh.lower.tls import edge_tls, gateway_defaults
from meshproof.targets.appmesh.model.virtual_gateway import (
    VirtualGateway,
    VirtualGatewayListener,
    VirtualGatewayPortMapping,
    VirtualGatewaySpec,
)
from meshproof.targets.appmesh.naming import edge_name
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.findings import NotExpressibleError

NOBODY_IN = replace(EVERYTHING, is_allowed=False)
"""Whatever is left, to nobody: the routes after it would take it for theirs."""


def policy_gateways(context: Context, rows: Sequence[Row]) -> Iterator[Value]:
    """The gateways of the policy with their routes. What App Mesh cannot say of them is in the findings."""
    services = {one.name for one in context.mesh.services}
    gateways = {one.name for one in context.mesh.gateways}
    for route in context.mesh.routes:
        if route.node not in services | gateways:
            error = NotExpressibleError(Feature.ROUTE_MATCH, "it has no routes to what is no service of the mesh")
            context.findings.unsupported(route.id, route.origin, error)
    for gateway in context.mesh.gateways:
        try:
            yield from _Edge(context, gateway, rows).resources()
        except NotExpressibleError as error:
            context.findings.unsupported(str(gateway.name), gateway.origin, error)


@dataclass(frozen=True, slots=True)
class _Edge:
    context: Context
    gateway: Gateway
    rows: Sequence[Row]

    @property
    def name(self) -> str:
        return self.context.gateway(self.gateway)

    def resources(self) -> Iterator[Value]:
        """The gateway and its routes. Raises `NotExpressibleError`."""
        gateway = self.gateway
        self.context.claim("virtual gateway", self.name, str(gateway.name), gateway.origin)
        if gateway.client_ca is not None or gateway.accepts:
            reason = "it judges nobody from outside by a certificate or a token"
            raise NotExpressibleError(Feature.GATEWAY, reason, "let a service behind it judge them")
        self._check_routes()
        listeners = tuple(map(self._listener, gateway.ports))
        reached = {row.service.identity for row in self.rows if self._may(row).allowed}
        defaults = gateway_defaults(self.context, gateway.identity, tuple(sorted(reached)))
        whole = VirtualGateway(self.context.mesh_name, VirtualGatewaySpec(listeners, defaults), self.name)
        self.context.place(whole, str(gateway.name))
        yield whole
        for port in gateway.ports:
            yield from self._routes(port)
        self._lose_unrouted()

    def _lose_unrouted(self) -> None:
        """What the gateway may call and no route leads to: a route of App Mesh is all that makes it call."""
        branches = (branch for route in self._own_routes() for branch in route.branches)
        meant = (one for one in branches if any(self._is_meant(one, host) for host in self._hosts()))
        aims = {(target.node, target.port) for branch in meant for target in branch.targets}
        own = Test(SourceIdentity(), Exact(self.gateway.identity.uri))
        for row in self.rows:
            if aims & {(row.service.name, None), (row.service.name, row.port.workload)}:
                continue
            for rule in self._may(row).allowed:
                message = f"`{self.gateway.name}` sends on what its routes take, and none leads there"
                loss = Loss(Feature.GATEWAY, Direction.STRICTER, str(rule.id), message, rule.origin, own)
                self.context.findings.lose(replace(loss, at=row.place))

    def _check_routes(self) -> None:
        """What is not about single branches. Raises `NotExpressibleError`."""
        if not self.gateway.hosts:
            raise NotExpressibleError(Feature.GATEWAY, "it answers to no host", "say its `hosts`, or `*` for any")
        if self.gateway.trusted_proxies:
            reason = "it takes the word of no proxy before it for who the client is"
            raise NotExpressibleError(Feature.CLIENT_ADDRESS, reason, "leave `trusted-proxies` out")
        for route in self._own_routes():
            if route.limits is not None or route.ejection is not None:
                reason = "bounds and ejection are those of the services that it leads to"
                error = NotExpressibleError(Feature.LIMITS, reason, "say them in the routes of the services")
                self.context.findings.unsupported(route.id, route.origin, error)
            tell_balance(self.context, route)
            tell_moving(self.context, route)

    def _own_routes(self) -> tuple[Route, ...]:
        return tuple(one for one in self.context.mesh.routes if one.node == self.gateway.name)

    def _listener(self, port: ServicePort) -> VirtualGatewayListener:
        if port.layer is not Layer.HTTP:
            raise NotExpressibleError(Feature.GATEWAY, f"it takes no connections of {port.protocol}, requests alone")
        tls = None
        if port.protocol is Protocol.HTTPS:
            tls = edge_tls(self.gateway)
        return VirtualGatewayListener(VirtualGatewayPortMapping(port.workload, _spoken(port)), tls=tls)

    def _routes(self, port: ServicePort) -> Iterator[Value]:
        """First match first, for each host: what one host is asked for is not tried with the routes of another."""
        self._open(port)
        if not any(self._branches(port)):
            reason = f"no route of it is for its port {port.workload}, so it would take nothing"
            error = NotExpressibleError(Feature.GATEWAY, reason, "give it a route, or leave the port out")
            self.context.findings.unsupported(str(self.gateway.name), port.origin, error)
            return
        at = Entrance(self.name, port.workload, _spoken(port))
        self._check_names()
        for route, branch in self._branches(port):
            try:
                yield from self._behind(branch, route, at)
            except NotExpressibleError as error:
                self.context.findings.unsupported(branch.id, branch.origin, error)
                return
        priority = 0
        for host in self._hosts():
            place = replace(at, host=None if host == "*" else host.removeprefix("*"))
            if not any(self._is_meant(branch, host) for _, branch in self._branches(port)):
                self._lose_host(port, host)
            for taken, onward in (*self._taken_of(port, host, at),) or ((NOBODY_IN, None),):
                yield gateway_route(self.context, place, priority, taken, onward)
                priority += 1

    def _check_names(self) -> None:
        """MP701 where who asks for a virtual service by its name, as host, might get to it past the routes to it."""
        named: set[str] = set()
        for port in self.gateway.ports:
            at = Entrance(self.name, port.workload, _spoken(port))
            for _, branch in self._branches(port):
                try:
                    named.add(self._onward(branch, at).service)
                except NotExpressibleError:
                    continue  # that is told where it is lowered
        for host in self._hosts():
            taken = sorted(name for name in named if host == name or (host[0] == "*" and name.endswith(host[1:])))
            if taken and len(named) > 1:
                reason = f"behind it `{taken[0]}` is called by that name, and its host `{host}` takes the name in"
                advice = "name its hosts one by one, none of which is a name inside the mesh"
                error = NotExpressibleError(Feature.GATEWAY, reason, advice)
                self.context.findings.unsupported(str(self.gateway.name), self.gateway.origin, error)

    def _is_meant(self, branch: Branch, host: str) -> bool:
        """Whether the branch is for the host, or may be: that is told where it is lowered."""
        try:
            return _is_for(branch.host, host)
        except NotExpressibleError:
            return True

    def _lose_host(self, port: ServicePort, host: str) -> None:
        """To come to a gateway that does not know where to send is to be refused there."""
        before = self._hosts()[: self._hosts().index(host)]
        region = conjunction((_named(host), *(negation(_named(one)) for one in before)))
        message, subject = "what comes for a host that no route is for is refused", str(self.gateway.name)
        loss = Loss(Feature.GATEWAY, Direction.STRICTER, subject, message, self.gateway.origin, region)
        self.context.findings.lose(replace(loss, at=self._place(port)))

    def _place(self, port: ServicePort) -> Destination:
        return Destination(self.gateway.name, (port.workload,))

    def _taken_of(self, port: ServicePort, host: str, at: Entrance) -> Iterator[tuple[RouteMatch, Onward]]:
        """What is done with requests for a host, in order."""
        for _, branch in self._branches(port):
            try:
                for taken in self._taken(port, branch) if _is_for(branch.host, host) else ():
                    yield taken, self._onward(branch, at)
            except NotExpressibleError as error:
                self.context.findings.unsupported(branch.id, branch.origin, error)

    def _open(self, port: ServicePort) -> None:
        """MP701 unless everybody from outside may come to the gateway: it knows nobody from another."""
        may = permission(self.context.mesh, self.context.day, self.gateway, port, Plaintext(is_at_edge=True))
        if may.is_everything:
            return
        reason = f"nobody from outside can be refused at `{self.gateway.name}` by rules of its own"
        error = NotExpressibleError(Feature.GATEWAY, reason, "allow `internet` there, and judge where it sends on")
        for rule in (*may.allowed, *may.denied, *may.unjudgeable):
            self.context.findings.unsupported(str(rule.id), rule.origin, error)
        if may.is_nothing:
            self.context.findings.unsupported(str(self.gateway.name), self.gateway.origin, error)

    def _hosts(self) -> tuple[str, ...]:
        """The hosts, the longest first: of routes with one priority none is sure to be first, so each has its own."""
        return tuple(sorted(self.gateway.hosts, key=lambda one: (-len(one), one)))

    def _branches(self, port: ServicePort) -> Iterator[tuple[str, Branch]]:
        """Each branch for the port, with its route."""
        for route in self._own_routes():
            if route.port in {None, port.workload}:
                yield from ((route.id, branch) for branch in route.branches)

    def _aim(self, branch: Branch) -> Row:
        """The port of a service that a branch leads to. Raises `NotExpressibleError`."""
        _check(branch)
        (target,) = branch.targets
        for row in self.rows:
            is_port = target.port is None or row.port.workload == target.port
            if row.service.name == target.node and is_port and row.port.layer is Layer.HTTP:
                if self.context.is_handed(row.service, row.port):
                    reason = f"it sends requests, and `{target.node}:{row.port.workload}` takes connections unread"
                    advice = "let a service between them judge what a gateway of App Mesh can"
                    raise NotExpressibleError(Feature.GATEWAY, reason, advice)
                return row
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"`{target.node}` is no service with a port for requests")

    def _onward(self, branch: Branch, at: Entrance) -> Onward:
        row = self._aim(branch)
        return Onward(edge_name(self.context.host(row.service), branch.id, at.number), row.port.workload)

    def _behind(self, branch: Branch, route: str, at: Entrance) -> Iterator[Value]:
        """The virtual service of a branch, of which the limits of time are."""
        onward, row = self._onward(branch, at), self._aim(branch)
        hop = Hop(row.service, row.port, onward.port, at.protocol, is_retried=True)
        place = Destination(self.gateway.name, (at.number,))
        found = [(onward.port, edge_way(self.context, hop, branch, route, place))]
        yield from routed(self.context, onward.service, row.service, [(onward.port, at.protocol)], found)

    def _taken(self, port: ServicePort, branch: Branch) -> Iterator[RouteMatch]:
        """What a branch sends on, of which the gateway may send on some. Raises `NotExpressibleError`."""
        may = self._may(self._aim(branch))
        if may.is_everything:
            yield replace(EVERYTHING, subjects=(branch.id,))
            return
        self._lose(port, branch, may)
        if may.is_some:
            yield from self._some(may, self._aim(branch).place)
        yield replace(NOBODY_IN, subjects=(branch.id,))

    def _some(self, may: Permission, place: Destination) -> tuple[RouteMatch, ...]:
        for rule in may.unjudgeable:
            error = NotExpressibleError(Feature.ALLOW, "no route of a gateway can judge what it asks of requests")
            self.context.findings.unsupported(str(rule.id), rule.origin, error)
        if may.unjudgeable:
            return ()
        found = door_routes(may)
        for rule, error in found.problems:
            self.context.findings.unsupported(str(rule.id), rule.origin, error)
        for loss in found.losses:
            self.context.findings.lose(replace(loss, at=place))
        return found.routes

    def _lose(self, port: ServicePort, branch: Branch, may: Permission) -> None:
        """The policy lets everybody come to the gateway, and has the service refuse."""
        denied = disjunction(tuple(rule.content for rule in may.denied))
        allowed = conjunction((disjunction(tuple(rule.content for rule in may.allowed)), negation(denied)))
        message = "what a service behind a gateway would refuse is refused at the gateway"
        subject, origin = str(self.gateway.name), self.gateway.origin
        taken, at = self._what_comes_to(port, branch), self._place(port)
        region = conjunction((taken, negation(allowed)))
        self.context.findings.lose(Loss(Feature.GATEWAY, Direction.STRICTER, subject, message, origin, region, at=at))
        for loss in door_routes(may).losses if may.is_some and not may.unjudgeable else ():
            region = conjunction((taken, loss.region))
            self.context.findings.lose(replace(loss, subject=subject, origin=origin, region=region, at=at))

    def _what_comes_to(self, port: ServicePort, branch: Branch) -> Predicate:
        """What the branch takes, and none before it: they are for hosts, and for whatever comes for those."""
        every = [one for _, one in self._branches(port)]
        before = every[: every.index(branch)]
        return conjunction((_of_host(branch), *(negation(_of_host(one)) for one in before)))

    def _may(self, row: Row) -> Permission:
        return next((may for identity, may in row.known if identity == self.gateway.identity), Permission())


def _named(host: str) -> Predicate:
    if host == "*":
        return Always()
    return Test(Host(), Suffix(host.removeprefix("*")) if host.startswith("*.") else Exact(host))


def _of_host(branch: Branch) -> Predicate:
    return Always() if branch.host is None else Test(Host(), branch.host)


def _check(branch: Branch) -> None:
    """What routes of gateways lack. Raises `NotExpressibleError`."""
    own = branch.settings
    edits = (own.mirror, own.rewrite_path, own.rewrite_host, own.headers, own.cors, own.fault)
    if branch.redirect is not None or branch.answer is not None or any(edits) or len(branch.targets) != 1:
        reason = "a route of a gateway sends on what comes to one service, as it is"
        raise NotExpressibleError(Feature.ROUTE_SETTINGS, reason, "let a service do the rest")
    if branch.methods or branch.when != Always() or branch.path not in {None, Segments("/**")}:
        reason = "what a route of the gateway takes is what rules take of it, so a branch is for a host as a whole"
        raise NotExpressibleError(Feature.ROUTE_MATCH, reason, "give each service a host of its own")


def _is_for(asked: Matcher | None, host: str) -> bool:
    """Whether a branch takes all requests for a host of the gateway. Raises `NotExpressibleError` for some."""
    wanted, below = host.lower(), host.lower().removeprefix("*")
    is_wide = wanted.startswith("*")
    match asked:
        case None:
            return True
        case Exact(value) if not (is_wide and value.lower().endswith(below)):
            return value.lower() == wanted
        case Suffix(value) if below.endswith(value.lower()):
            return True
        case Suffix(value) if not (is_wide and value.lower().endswith(below)):
            return False
        case _:
            reason = f"it cannot tell which requests for `{host}` a route means"
            raise NotExpressibleError(Feature.HOST, reason, "name the hosts of the gateway one by one")


def _spoken(port: ServicePort) -> str:
    return "http2" if port.protocol in {Protocol.HTTP2, Protocol.GRPC} else "http"
