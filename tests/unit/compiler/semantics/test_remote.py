from __future__ import annotations

import pytest
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import Gateway, Layer, Protocol, Service, ServicePort
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NodeName, Origin, SpiffeId
from meshproof.compiler.ir.predicate import DestinationIp, JoinedHeader, RemoteIp
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import facts_of
from meshproof.dsl.source import Span

ORIGIN = Origin(Span("a.yaml", 0, 1))
PORT = ServicePort("http", Protocol.HTTP, Layer.HTTP, 80, 8080, ORIGIN)
ME = SpiffeId.of_account("cluster.local", "shop", "web")
FORWARDED = (("x-forwarded-for", "192.0.2.1, 192.0.2.2"), ("x-forwarded-for", "192.0.2.3"))


def _mesh(trusted: int = 0, paths: PathMode = PathMode.LANGUAGE) -> Mesh:
    web = Service(NodeName("web"), "shop", "web", "web", ME, (), (PORT,), ORIGIN)
    edge = Gateway(NodeName("edge"), "shop", "edge", ME, (), ("*",), (PORT,), ORIGIN, trusted_proxies=trusted)
    return Mesh("m", 1, "cluster.local", None, ORIGIN, services=(web,), gateways=(edge,), paths=paths)


def _request(node: str, headers: tuple[tuple[str, str], ...] = (), client: str | None = None) -> Request:
    return Request(
        source=Peer(None, "10.0.0.9"),
        destination=NodeName(node),
        port=8080,
        protocol=RequestProtocol.HTTP,
        destination_ip="10.0.0.1",
        client_ip=client,
        method="GET",
        host="web",
        path="/a//b",
        headers=headers,
    )


@pytest.mark.parametrize(
    ("node", "trusted", "headers", "client", "expected"),
    [
        ("web", 0, (), None, "10.0.0.9"),
        ("web", 0, FORWARDED, None, "192.0.2.3"),
        ("web", 0, FORWARDED, "198.51.100.4", "198.51.100.4"),
        ("web", 0, (("x-forwarded-for", "no address"),), None, "10.0.0.9"),
        ("edge", 0, FORWARDED, None, "10.0.0.9"),
        ("edge", 0, FORWARDED, "198.51.100.4", "10.0.0.9"),
        ("edge", 1, FORWARDED, None, "192.0.2.3"),
        ("edge", 1, FORWARDED, "198.51.100.4", "198.51.100.4"),
        ("edge", 3, FORWARDED, None, "192.0.2.1"),
        ("edge", 4, FORWARDED, None, "10.0.0.9"),
    ],
)
def test_the_client_is_what_envoy_takes_for_it(
    node: str, trusted: int, headers: tuple[tuple[str, str], ...], client: str | None, expected: str
) -> None:
    facts = facts_of(_mesh(trusted), _request(node, headers, client), DAY)
    assert facts.values(RemoteIp()) == (expected,)
    assert facts.values(DestinationIp()) == ("10.0.0.1",)


def test_a_joined_header_is_one_value() -> None:
    facts = facts_of(_mesh(), _request("web", (("x-a", "1"), ("x-b", "2"), ("x-a", "3"))), DAY)
    assert facts.values(JoinedHeader("x-a")) == ("1,3",)
    assert facts.values(JoinedHeader("x-c")) == ()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(PathMode.LANGUAGE, "/a/b"), (PathMode.BASE, "/a//b"), (PathMode.MERGE_SLASHES, "/a/b")],
)
def test_a_mesh_says_how_paths_become_normal(mode: PathMode, expected: str) -> None:
    assert facts_of(_mesh(paths=mode), _request("web"), DAY).path == (expected,)
