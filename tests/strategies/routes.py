"""Random routes."""

from __future__ import annotations

from random import Random

from tests.strategies import vocabulary as words
from tests.strategies.entities import some
from tests.strategies.predicates import Scope, origin, random_predicate

from meshproof.compiler.ir.authz import Operation
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service
from meshproof.compiler.ir.matchers import Exact, Segments
from meshproof.compiler.ir.predicate import Always, Host, Predicate, Test, conjunction
from meshproof.compiler.ir.routing import (
    Branch,
    HeaderAction,
    HeaderEdit,
    Mirror,
    Redirect,
    Retry,
    Route,
    Settings,
    Target,
)

_SHARES = ((100,), (95, 5), (50, 50), (0, 100))


def random_routes(rng: Random, nodes: tuple[Node, ...], share: float, *, is_lifted: bool = False) -> tuple[Route, ...]:
    """Routes of some services with versions and of some gateways, sorted by name.

    Lifted ones may be for requests or for connections alone, and for ports where either arrives.
    """
    found = [
        _route(rng, node, nodes, is_lifted=is_lifted)
        for node in nodes
        if rng.random() < share and (isinstance(node, Gateway) or (isinstance(node, Service) and node.versions))
    ]
    routed = (route for route in found if route is not None)
    return tuple(sorted(routed, key=lambda route: route.id))


def _route(rng: Random, node: Node, nodes: tuple[Node, ...], *, is_lifted: bool) -> Route | None:
    layers = (Layer.HTTP, Layer.SNIFFED) if is_lifted else (Layer.HTTP,)
    ports = [port.workload for port in node.ports if port.layer in layers]
    services = tuple(other for other in nodes if isinstance(other, Service) and _http_ports(other))
    if not ports or not services:
        return None
    port = rng.choice((None, *ports))
    name = str(node.name) if port is None else f"{node.name}:{port}"
    branches = [_branch(rng, f"{name}#{index}", node, services) for index in range(rng.randint(1, 3))]
    if rng.random() < 0.6:
        branches.append(_branch(rng, f"{name}#{len(branches)}", node, services, is_otherwise=True))
    layer = rng.choice((None, Layer.HTTP, Layer.TCP)) if is_lifted and port is not None else None
    return Route(id=name, node=node.name, port=port, branches=tuple(branches), origin=origin(), layer=layer)


def _branch(rng: Random, name: str, node: Node, services: tuple[Service, ...], *, is_otherwise: bool = False) -> Branch:
    host = Exact(rng.choice(words.HOSTS)) if not is_otherwise and rng.random() < 0.3 else None
    methods = () if is_otherwise else some(rng, words.METHODS, most=2)
    path = None if is_otherwise or rng.random() < 0.4 else Segments(words.path_pattern(rng))
    scope = Scope(has_token=isinstance(node, Gateway), has_client_ip=False)
    when: Predicate = Always() if is_otherwise or rng.random() < 0.6 else random_predicate(rng, scope, depth=1)
    on_host = (Test(Host(), host),) if host is not None else ()
    condition = conjunction((*on_host, Operation(methods, path, origin()).condition, when))
    redirect = Redirect(302, words.HOSTS[0], None, origin()) if rng.random() < 0.1 else None
    return Branch(
        id=name,
        host=host,
        methods=methods,
        path=path,
        when=when,
        condition=condition,
        is_otherwise=is_otherwise,
        targets=() if redirect is not None else _targets(rng, node, services),
        redirect=redirect,
        settings=_settings(rng, node, services),
        origin=origin(),
    )


def _targets(rng: Random, node: Node, services: tuple[Service, ...]) -> tuple[Target, ...]:
    shares = rng.choice(_SHARES)
    if isinstance(node, Service):
        versions = node.versions[: len(shares)]
        return tuple(
            Target(node.name, version, None, share, origin()) for version, share in zip(versions, shares, strict=True)
        )
    return tuple(_elsewhere(rng, services, share) for share in shares)


def _elsewhere(rng: Random, services: tuple[Service, ...], share: int) -> Target:
    service = rng.choice(services)
    return Target(service.name, None, rng.choice(_http_ports(service)), share, origin())


def _http_ports(service: Service) -> tuple[int, ...]:
    return tuple(port.workload for port in service.ports if port.layer is Layer.HTTP)


def _settings(rng: Random, node: Node, services: tuple[Service, ...]) -> Settings:
    if rng.random() < 0.4:
        return Settings()
    edits = (
        HeaderEdit(HeaderAction.SET, "x-a", "1"),
        HeaderEdit(HeaderAction.ADD, "x-a", "2"),
        HeaderEdit(HeaderAction.REMOVE, "x-tenant"),
    )
    mirror = None
    if rng.random() < 0.3 and not isinstance(node, External):
        mirror = Mirror(_elsewhere(rng, services, 100), rng.choice((0, 10, 100)), origin())
    return Settings(
        timeout_ms=rng.choice((None, 2000)),
        retry=Retry(2, ("unavailable", "reset"), 500, origin()) if rng.random() < 0.3 else None,
        mirror=mirror,
        rewrite_path=rng.choice((None, None, "/", "/b", "/v1/a")),
        headers=some(rng, edits),
    )
