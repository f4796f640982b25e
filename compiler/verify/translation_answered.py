"""What a policy says of routes without writing it in them: which names a gateway answers to, and how externals that are
called through a gateway are reached. Both are branches here, so that they are compared as such. Where something else
moves weights, files have those that are written.
"""  # noqa: D205

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import External, Gateway, Layer, Protocol, ServicePort
from meshproof.compiler.ir.matchers import Exact, Suffix
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Host, Predicate, Sni, Test, conjunction, disjunction
from meshproof.compiler.ir.routing import Branch, Route, Settings, Target

_TLS = frozenset((Protocol.HTTPS, Protocol.TLS))
_ANY = "*"
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Relay:
    """A port of an external that is called through a gateway, and the port of the gateway that judges.

    `emitted` is the gateway as the lifted mesh names it.
    """

    external: External
    port: ServicePort
    gateway: Gateway
    emitted: NodeName
    at: int

    @property
    def is_offered(self) -> Predicate:
        """That a connection to the gateway is made for the external: it says so by the server name."""
        return _named(Sni(), self.external.hosts)

    @property
    def is_called(self) -> Predicate:
        """That a request to the gateway is one to the external: what speaks HTTP says so by its host too."""
        if self.port.layer is Layer.TCP:
            return self.is_offered
        return conjunction((self.is_offered, _named(Host(), self.external.hosts)))


def relays(source: Mesh, lifted: Mesh, to_new: Mapping[NodeName, NodeName]) -> tuple[Relay, ...]:
    """The relays of a policy. Which port of the gateway takes the requests is where the lifted mesh sends them."""
    return tuple(_relays(source, lifted, to_new))


def _relays(source: Mesh, lifted: Mesh, to_new: Mapping[NodeName, NodeName]) -> Iterator[Relay]:
    gateways = {gateway.name: gateway for gateway in source.gateways}
    for external in source.externals:
        gateway = None if external.via is None else gateways.get(external.via)
        emitted = None if gateway is None else to_new.get(gateway.name)
        if gateway is None or emitted is None:
            continue
        name = to_new.get(external.name, external.name)
        for port in external.ports:
            found = {
                target.port
                for route in lifted.routes
                if route.node == name and route.port == port.workload
                for branch in route.branches
                for target in branch.targets
                if target.node == emitted
            }
            ports = sorted(number for number in found if number is not None) or _ending(gateway)
            yield from (Relay(external, port, gateway, emitted, number) for number in ports)


def _ending(gateway: Gateway) -> list[int]:
    return [port.workload for port in gateway.ports if port.protocol in _TLS][:1]


def without_subsets(lifted: Mesh, found: Iterable[Relay]) -> Mesh:
    """The lifted mesh, in which what is sent to a gateway on its way out is that, whatever version it is called."""
    ways = {(relay.external.name, relay.emitted) for relay in found}
    nodes = {external for external, _ in ways}

    def plain(route: Route) -> Route:
        if route.node not in nodes:
            return route
        return replace(route, branches=tuple(map(plain_branch, route.branches)))

    def plain_branch(branch: Branch) -> Branch:
        gateways = {gateway for _, gateway in ways}
        targets = (replace(one, version=None, label=None) if one.node in gateways else one for one in branch.targets)
        return replace(branch, targets=tuple(targets))

    return replace(lifted, routes=tuple(map(plain, lifted.routes)))


def answered(source: Mesh, found: tuple[Relay, ...]) -> Mesh:
    """The policy with all of that in its routes."""
    gateways = {gateway.name: gateway for gateway in source.gateways}
    written = [replace(route, weights_by=None) for route in source.routes]
    own = [_answering(route, gateways[route.node]) if route.node in gateways else route for route in written]
    outward = [_outward(relay, own) for relay in _by_gateway(found)]
    inward = [_inward(relay) for relay in found]
    return replace(source, routes=(*outward, *inward, *own))


def _answering(route: Route, gateway: Gateway) -> Route:
    """The route for the names of its gateway alone: connections tell theirs where TLS is spoken."""
    port = next((one for one in gateway.ports if one.workload == route.port), None)
    if port is not None and port.layer is Layer.TCP:
        asked = _named(Sni(), gateway.hosts) if port.protocol in _TLS else Always()
    else:
        asked = _named(Host(), gateway.hosts)
    return replace(route, branches=tuple(_under(asked, branch) for branch in route.branches))


def _under(asked: Predicate, branch: Branch) -> Branch:
    if isinstance(asked, Always):
        return branch
    return replace(branch, condition=conjunction((asked, branch.condition)), is_otherwise=False)


def _by_gateway(found: Iterable[Relay]) -> Iterator[tuple[Relay, ...]]:
    """The relays of one port of a gateway and of one layer."""
    grouped: dict[tuple[NodeName, int, bool], list[Relay]] = {}
    for relay in found:
        grouped.setdefault((relay.gateway.name, relay.at, relay.port.layer is Layer.TCP), []).append(relay)
    for group in grouped.values():
        yield tuple(group)


def _outward(group: tuple[Relay, ...], own: Iterable[Route]) -> Route:
    """What a gateway does at a port: its own branches, which are for its hosts, and those for its externals."""
    first = group[0]
    layer = Layer.TCP if first.port.layer is Layer.TCP else Layer.HTTP
    routes = [route for route in own if route.node == first.gateway.name]
    known = next((route for route in routes if route.is_at(first.at, layer)), None)
    if known is None and layer is Layer.HTTP:
        known = next((route for route in routes if route.port is None), None)
    branches = () if known is None else known.branches
    base = known or _route(first.gateway.name, first.at, first.external.origin)
    relayed = tuple(_towards(relay) for relay in group)
    return replace(
        base, id=f"via {first.gateway.name}:{first.at}", port=first.at, layer=layer, branches=(*branches, *relayed)
    )


def _towards(relay: Relay) -> Branch:
    named = Sni() if relay.port.layer is Layer.TCP else Host()
    target = Target(relay.external.name, None, relay.port.workload, _WHOLE, relay.external.origin)
    return _branch(f"to {relay.external.name}", _named(named, relay.external.hosts), target)


def _inward(relay: Relay) -> Route:
    """What senders do: they call the gateway."""
    target = Target(relay.gateway.name, None, relay.at, _WHOLE, relay.external.origin)
    base = _route(relay.external.name, relay.port.workload, relay.external.origin)
    return replace(base, branches=(_branch(f"via {relay.gateway.name}", Always(), target),))


def _route(node: NodeName, port: int, origin: Origin) -> Route:
    return Route(id=f"to {node}:{port}", node=node, port=port, branches=(), origin=origin)


def _branch(name: str, condition: Predicate, target: Target) -> Branch:
    return Branch(
        id=name,
        host=None,
        methods=(),
        path=None,
        when=condition,
        condition=condition,
        is_otherwise=isinstance(condition, Always),
        targets=(target,),
        redirect=None,
        settings=Settings(),
        origin=target.origin,
    )


def _named(attribute: Host | Sni, hosts: Iterable[str]) -> Predicate:
    """That a name is one of these; `*.` before one is any name below it, `*` alone any."""
    found: list[Predicate] = []
    for host in hosts:
        name = host.lower()
        if name == _ANY:
            return Always()
        matcher = Suffix(name[1:]) if name.startswith(_ANY) else Exact(name)
        found.append(Test(attribute, matcher))
    return disjunction(tuple(found))


def called_by_name(external: External, port: ServicePort) -> Predicate:
    """That a request is one to the external: a proxy knows it by the host, or by the server name of opaque TLS."""
    if port.layer is not Layer.TCP:
        return _named(Host(), external.hosts)
    return _named(Sni(), external.hosts) if port.protocol in _TLS else Always()


def takes_some(hosts: Iterable[str], others: Iterable[str]) -> bool:
    """Whether some of the names is one that a gateway with these hosts answers to."""
    names = tuple(name.lower() for name in others)
    return any(_takes(host.lower(), name) for host in hosts for name in names)


def _takes(host: str, name: str) -> bool:
    return host in {name, _ANY} or (host.startswith(_ANY) and name.endswith(host[1:]))
