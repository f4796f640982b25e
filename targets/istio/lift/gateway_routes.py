"""What gateways do with requests: the routes that are bound to them, by host, the closest host first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Always, Predicate, conjunction, negation
from meshproof.compiler.ir.routing import Branch, Redirect, Route, Settings
from meshproof.targets.istio.lift.branches import Branches, placed, under
from meshproof.targets.istio.lift.destinations import Dialled
from meshproof.targets.istio.lift.gateways import Listening, Server
from meshproof.targets.istio.lift.hosts import ANY, closeness, covers, host_test, meet
from meshproof.targets.istio.lift.route_conditions import sni_test
from meshproof.targets.istio.lift.route_model import RouteRule, RouteTable
from meshproof.targets.istio.lift.senders import Sender
from meshproof.targets.istio.lift.sidecars import View

_MOVED = 301


@dataclass(frozen=True, slots=True)
class _Bound:
    """A table that is bound to a server for some names."""

    host: str
    table: RouteTable
    server: Server


class GatewayRoutes:
    """The routes of gateway workloads."""

    def __init__(self, tables: tuple[RouteTable, ...], branches: Branches) -> None:
        self._tables = tables
        self._branches = branches

    def routes(self, listening: tuple[Listening, ...]) -> Iterator[Route]:
        """One route for each port and layer; without any branch it takes nothing."""
        for one in listening:
            for layer in sorted(one.layers):
                node, port = one.workload.name, one.workload_port
                made = self._http(one) if layer is Layer.HTTP else self._tcp(one)
                yield Route(
                    id=f"{node}:{port}/{layer}",
                    node=node,
                    port=port,
                    branches=placed(made, node, port, layer),
                    origin=one.servers[0].origin,
                    layer=layer,
                )

    def _http(self, listening: Listening) -> tuple[Branch, ...]:
        """The branches of requests. What is for a closer name never falls through to the routes of a wider one."""
        servers = tuple(one for one in listening.servers if one.layer is Layer.HTTP)
        moved = {host: one for one in servers if one.redirects_to_https for _, host in one.hosts}
        bound = [one for server in servers if not server.redirects_to_https for one in self._bound(server, listening)]
        names = sorted({*(one.host for one in bound), *moved}, key=closeness)
        found: list[Branch] = []
        for index, name in enumerate(names):
            closer = [other for other in names[:index] if covers(name, other)]
            test = conjunction((host_test(name), *(negation(host_test(other)) for other in closer)))
            if name in moved:
                found.append(_to_https(test, moved[name]))
            of_name = [one for one in bound if one.host == name]
            found.extend(under(test, self._of(of_name, listening)))
        return tuple(found)

    def _of(self, bound: list[_Bound], listening: Listening) -> tuple[Branch, ...]:
        """The branches of all tables for one name: in order of age, those of the Gateway API by rank."""
        tables = {id(one.table): one for one in bound}.values()
        found: list[tuple[tuple[int, ...] | None, tuple[Branch, ...]]] = []
        for one in tables:
            found.extend((rule.rank, self._made((rule,), one, listening)) for rule in one.table.http)
        if any(rank is not None for rank, _ in found):
            found.sort(key=lambda item: item[0] or ())
        return tuple(branch for _, branches in found for branch in branches)

    def _made(self, rules: tuple[RouteRule, ...], bound: _Bound, listening: Listening) -> tuple[Branch, ...]:
        workload = listening.workload
        sender = Sender(View(workload.namespace, None, is_closed=False), workload.labels, workload)
        dialled = Dialled(None, bound.server.port)
        return self._branches.of(rules, bound.table, sender, dialled, listening.names & set(bound.table.gateways))

    def _tcp(self, listening: Listening) -> tuple[Branch, ...]:
        """The branches of connections: where TLS goes through those by server name, else those for all."""
        found: list[Branch] = []
        for server in listening.servers:
            if server.layer is not Layer.TCP:
                continue
            for one in self._bound(server, listening):
                if server.is_passthrough:
                    found.extend(self._made(one.table.opaque_tls, one, listening))
                    continue
                test: Predicate = sni_test(one.host) if server.has_tls and one.host != ANY else Always()
                found.extend(under(test, self._made(one.table.tcp, one, listening)))
        return tuple(dict.fromkeys(found))

    def _bound(self, server: Server, listening: Listening) -> Iterator[_Bound]:
        """The tables that bind to a server, with the names that both have. A table must be visible to the gateway, and
        the server must let its namespace bind.
        """  # noqa: D205
        for table in self._tables:
            if server.gateway not in table.gateways or not table.exports.reach(listening.workload.namespace):
                continue
            namespace = table.source.namespace
            allowed = [host for place, host in server.hosts if place in {ANY, namespace}]
            both = (meet(own, host) for own in table.hosts for host in allowed)
            for name in dict.fromkeys(one for one in both if one is not None):
                yield _Bound(name, table, server)


def _to_https(test: Predicate, server: Server) -> Branch:
    origin: Origin = server.origin
    return Branch(
        id=f"{server.gateway}[httpsRedirect]",
        host=None,
        methods=(),
        path=None,
        when=test,
        condition=test,
        is_otherwise=isinstance(test, Always),
        targets=(),
        redirect=Redirect(_MOVED, None, None, origin, scheme="https"),
        settings=Settings(),
        origin=origin,
    )
