"""What the proxies of senders do with requests to services: by VirtualService, else by Istio's defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Host, Opaque, Predicate, Test, disjunction
from meshproof.compiler.ir.routing import Branch, Route, Settings
from meshproof.targets.istio.lift.branches import Branches, as_called, placed, under
from meshproof.targets.istio.lift.destination_rules import balance_of, ejection_of, limits_of
from meshproof.targets.istio.lift.destinations import Destinations, Dialled
from meshproof.targets.istio.lift.hosts import MESH, ByHost, closeness, covers, host_test
from meshproof.targets.istio.lift.registry import KnownHost, Registry
from meshproof.targets.istio.lift.route_conditions import sni_test
from meshproof.targets.istio.lift.route_model import RouteRule, RouteTable
from meshproof.targets.istio.lift.route_settings import default_retry
from meshproof.targets.istio.lift.senders import Sender, Senders
from meshproof.targets.istio.lift.sharing import Bearings
from meshproof.targets.istio.lift.workloads import Role

_SIDECARS = frozenset((MESH,))


@dataclass(frozen=True, slots=True)
class Front:
    """A host and port in front of a port of a node, as requests or connections reach it."""

    host: KnownHost
    port: int
    layer: Layer


class MeshRoutes:
    """The routes to services and to what is outside, as sidecars have them."""

    def __init__(
        self, registry: Registry, tables: tuple[RouteTable, ...], senders: Senders, destinations: Destinations
    ) -> None:
        self._registry = registry
        self._tables = ByHost((one, one.hosts) for one in tables if MESH in one.gateways)
        self._bearings = Bearings(destinations)
        self._senders = senders
        self._destinations = destinations
        self._branches = Branches(destinations)
        self._config = registry.context.settings.config

    def routes(self) -> Iterator[Route]:
        """The routes, for each port of each node one for requests and one for connections, where there are any."""
        for (node, port, layer), fronts in sorted(self._fronts().items(), key=lambda item: item[0]):
            branches = self._joined(fronts, Layer(layer))
            if not _says_nothing(branches):
                yield self._route(node, port, Layer(layer), fronts[0], branches)

    def _route(self, node: NodeName, port: int, layer: Layer, front: Front, branches: tuple[Branch, ...]) -> Route:
        host = front.host
        policy = self._destinations.rules.policy(host.name, host.namespace, host.namespace)
        return Route(
            id=f"{node}:{port}/{layer}",
            node=node,
            port=port,
            branches=placed(branches, node, port, layer),
            origin=host.origin,
            limits=limits_of(policy, front.port),
            ejection=ejection_of(policy, front.port),
            balance=balance_of(policy, front.port),
            layer=layer,
        )

    def _fronts(self) -> dict[tuple[NodeName, int, str], list[Front]]:
        """The hosts in front of each port of each node. Gateways say themselves what they do."""
        found: dict[tuple[NodeName, int, str], list[Front]] = {}
        for host in self._registry.all:
            for port in host.ports:
                layers = (Layer.HTTP, Layer.TCP) if port.layer is Layer.SNIFFED else (port.layer,)
                for end in host.ends(port.number):
                    if end.workload is not None and end.workload.role is not Role.SIDECAR:
                        continue
                    for layer in layers:
                        front = Front(host, port.number, layer)
                        found.setdefault((end.node, end.port, layer.value), []).append(front)
        return found

    def _joined(self, fronts: list[Front], layer: Layer) -> tuple[Branch, ...]:
        """The branches of all hosts in front of a port: where they differ, by the host that the request is for."""
        plans = [(front, self._of_senders(front)) for front in fronts]
        different = dict.fromkeys(branches for _, branches in plans)
        if len(different) == 1:
            return next(iter(different))
        plain = [one for one in plans if _is_plain(one[1])]
        special = [one for one in plans if not _is_plain(one[1])]
        ordered = [*special, *plain[:1]]
        found: list[Branch] = []
        for front, branches in ordered[:-1]:
            found.extend(_bounded(branches, front, layer))
        found.extend(ordered[-1][1])
        return tuple(found)

    def _of_senders(self, front: Front) -> tuple[Branch, ...]:
        covering = self._covering(front)
        unknown = {is_closed: self._not_known(front, is_closed=is_closed) for is_closed in (False, True)}
        made: dict[tuple[object, ...], tuple[Branch, ...]] = {}

        def plan(sender: Sender) -> tuple[Branch, ...]:
            view, host = sender.view, front.host
            if host.exports.reach(view.namespace) and view.knows(host.namespace, host.name, front.port):
                tables = _chosen(covering, sender)
                key = self._bearings.of(tables, sender)
                if key not in made:
                    made[key] = self._plan(front, sender, tables)
                return made[key]
            return unknown[view.is_closed]

        groups = self._senders.groups(plan, front.host.origin)
        if len(groups) == 1:
            return groups[0].result
        return tuple(branch for group in groups for branch in under(group.condition, group.result))

    def _not_known(self, front: Front, *, is_closed: bool) -> tuple[Branch, ...]:
        """What a proxy does that does not know the host: it passes on to the address that was dialled, if it may.

        What is outside of the mesh is judged by the sender's proxy: there the refusal is a decision, no route.
        """
        host = front.host
        if is_closed and host.external is None:
            return (_refusing(host),)
        return (as_called(None, host.origin),)

    def _plan(self, front: Front, sender: Sender, tables: tuple[RouteTable, ...]) -> tuple[Branch, ...]:
        """What the proxy of a sender that knows the host, and heeds the tables, does with what is sent there."""
        host = front.host
        if tables:
            table = _merged(tables)
            dialled = Dialled(host, front.port)
            for rules in _rules(table, front.layer):
                found = self._branches.of(rules, table, sender, dialled, _SIDECARS)
                if found:
                    return found
        retry = None if front.layer is Layer.TCP else default_retry(self._config, host.origin)
        return (as_called(retry, host.origin),)

    def _covering(self, front: Front) -> tuple[_Covering, ...]:
        """The tables with a host that takes the one in front, the first in force first: by priority, then the closest
        host, then age.
        """  # noqa: D205
        found = [
            _Covering(table, min(names, key=closeness))
            for table in self._tables.covering(front.host.name)
            if (names := [name for name in table.hosts if covers(name, front.host.name)])
            and (table.ports is None or front.port in table.ports)
        ]
        return tuple(sorted(found, key=lambda one: (-one.table.priority, closeness(one.host))))


@dataclass(frozen=True, slots=True)
class _Covering:
    """A table, and the closest of its hosts that takes the host in front."""

    table: RouteTable
    host: str


def _chosen(covering: tuple[_Covering, ...], sender: Sender) -> tuple[RouteTable, ...]:
    """The table that the sender heeds, if any: routes of the Gateway API for one host count together."""
    heeded = [
        one
        for one in covering
        if one.table.exports.reach(sender.namespace)
        and sender.view.knows_some(one.table.source.namespace, one.table.hosts)
    ]
    if not heeded:
        return ()
    first = heeded[0]
    if first.table.priority == 0:  # a VirtualService stands alone
        return (first.table,)
    same = (one for one in heeded if (one.table.priority, one.host) == (first.table.priority, first.host))
    return tuple(one.table for one in same)


def _merged(all_of_host: tuple[RouteTable, ...]) -> RouteTable:
    """Routes of the Gateway API for one host, in the order of their ranks; a VirtualService as it is."""
    first = all_of_host[0]
    if first.priority == 0:
        return first
    rules = sorted((rule for one in all_of_host for rule in one.http), key=lambda rule: rule.rank or ())
    return RouteTable(first.source, first.hosts, first.gateways, first.exports, tuple(rules), ports=first.ports)


def _rules(table: RouteTable, layer: Layer) -> Iterator[tuple[RouteRule, ...]]:
    """The rules that may be in force on a layer: on TLS that is not ended those by server name come first."""
    if layer is Layer.HTTP:
        yield table.http
    else:
        yield table.opaque_tls
        yield table.tcp


def _is_plain(branches: tuple[Branch, ...]) -> bool:
    return len(branches) == 1 and not branches[0].id and branches[0].is_otherwise


def _says_nothing(branches: tuple[Branch, ...]) -> bool:
    """Whether everything goes on as it is called, and nothing is done to it."""
    return _is_plain(branches) and branches[0].settings == Settings()


def _refusing(host: KnownHost) -> Branch:
    """What a proxy answers that does not pass on what it does not know."""
    origin = host.origin
    return _answering("[outboundTrafficPolicy]", Always(), _BLOCKED, origin)


_BLOCKED = 502
_NOT_FOUND = 404


def _is_for(front: Front, layer: Layer) -> Predicate:
    """That a request is for the host in front, by any of the names that callers have for it."""
    if layer is Layer.TCP:
        if front.host.is_external:
            return sni_test(front.host.name)
        return Opaque(f"whether {front.host.label} was dialled", front.host.origin)
    if front.host.entry is not None:
        return host_test(front.host.name)
    short, namespace = front.host.name.split(".")[:2]
    names = (f"{short}.{namespace}.svc", f"{short}.{namespace}", short)
    return disjunction((host_test(front.host.name), *(Test(Host(), Exact(name)) for name in names)))


def _bounded(branches: tuple[Branch, ...], front: Front, layer: Layer) -> Iterable[Branch]:
    """The branches of one host among others: what none of them takes is answered 404, and goes to no other host."""
    yield from under(_is_for(front, layer), branches)
    if not any(branch.is_otherwise for branch in branches):
        yield _answering(f"{front.host.label}[none]", _is_for(front, layer), _NOT_FOUND, front.host.origin)


def _answering(name: str, condition: Predicate, status: int, origin: Origin) -> Branch:
    return Branch(
        id=name,
        host=None,
        methods=(),
        path=None,
        when=condition,
        condition=condition,
        is_otherwise=isinstance(condition, Always),
        targets=(),
        redirect=None,
        settings=Settings(),
        origin=origin,
        answer=status,
        is_implied=True,
    )
