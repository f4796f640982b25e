"""Small meshes and requests by hand, for tests that are about one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.strategies.predicates import origin

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Gateway, Layer, Protocol, Service, ServicePort, SourceSet
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, RuleId, SpiffeId
from meshproof.compiler.ir.predicate import Always, Predicate
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token
from meshproof.compiler.ir.routing import Branch, Route, Settings, Target

ANYONE = SourceSet(Always(), has_internet=True, members=(), shared=(), text="anyone")
FRONT = "spiffe://cluster.local/ns/shop/sa/front"
SHOP = NodeName("shop")
EDGE = NodeName("edge")


def port(
    workload: int = 8080, layer: Layer = Layer.HTTP, protocol: Protocol = Protocol.HTTP, name: str = "http"
) -> ServicePort:
    """A port whose number callers dial as it is."""
    return ServicePort(name, protocol, layer, workload, workload, origin())


def service(name: str = "shop", *ports: ServicePort) -> Service:
    """A service of the namespace `shop` with an account of its own."""
    identity = SpiffeId.of_account("cluster.local", "shop", name)
    labels = (("app", name),)
    return Service(NodeName(name), "shop", name, name, identity, labels, ports or (port(),), origin())


def gateway(name: str = "edge", *ports: ServicePort) -> Gateway:
    """A gateway of the namespace `sre`."""
    identity = SpiffeId.of_account("cluster.local", "sre", name)
    labels = (("istio", name),)
    ports = ports or (port(protocol=Protocol.HTTPS),)
    return Gateway(NodeName(name), "sre", name, identity, labels, ("x.example",), ports, origin())


def rule(
    name: str = "r", effect: Effect = Effect.ALLOW, when: Predicate | None = None, node: NodeName = SHOP
) -> AuthzRule:
    """A rule for anyone at every port of a node."""
    return AuthzRule(
        id=RuleId(name),
        effect=effect,
        sources=ANYONE,
        destinations=(Destination(node, None),),
        operations=(),
        when=Always() if when is None else when,
        origin=origin(),
    )


def mesh(*rules: AuthzRule) -> Mesh:
    """A mesh with the service `shop`, the gateway `edge` and these rules."""
    base = Mesh(name="m", language=1, trust_domain="cluster.local", namespace="shop", origin=origin())
    return replace(base, services=(service(),), gateways=(gateway(),), rules=rules)


def request(node: NodeName = SHOP, identity: str | None = FRONT) -> Request:
    """`GET /` from the service `front`, to port 8080."""
    return Request(
        source=Peer(identity, "10.0.0.1"),
        destination=node,
        port=8080,
        protocol=RequestProtocol.HTTP,
        method="GET",
        host="shop",
        path="/",
    )


def connection(port: int = 5432) -> Request:
    """A TCP connection from the service `front` to a port of `shop`."""
    return Request(Peer(FRONT, "10.0.0.1"), SHOP, port, RequestProtocol.TCP)


def token(**claims: ClaimValue) -> Token:
    """A valid token with these claims."""
    return token_of(claims)


def token_of(claims: Mapping[str, ClaimValue], *, is_valid: bool = True) -> Token:
    """A token with these claims."""
    return Token(is_valid, ClaimObject(tuple((name, claims[name]) for name in sorted(claims))))


def branch(
    condition: Predicate | None = None, *targets: Target, name: str = "b", settings: Settings | None = None
) -> Branch:
    """A branch that takes what the condition takes."""
    condition = Always() if condition is None else condition
    return Branch(
        id=name,
        host=None,
        methods=(),
        path=None,
        when=condition,
        condition=condition,
        is_otherwise=False,
        targets=targets,
        redirect=None,
        settings=Settings() if settings is None else settings,
        origin=origin(),
    )


def route_to(node: NodeName, *branches: Branch, port: int | None = None) -> Route:
    """A route of these branches."""
    return Route(id=str(node), node=node, port=port, branches=branches, origin=origin())


def target(node: NodeName = SHOP, version: str | None = None, port: int | None = None, weight: int = 100) -> Target:
    """A target of a branch."""
    return Target(node, version, port, weight, origin())
