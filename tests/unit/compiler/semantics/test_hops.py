from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from tests.strategies.building import (
    EDGE,
    SHOP,
    branch,
    connection,
    gateway,
    mesh,
    port,
    request,
    route_to,
    service,
    target,
    token,
)
from tests.strategies.meshes import meshes, randoms
from tests.strategies.predicates import origin
from tests.strategies.requests import random_request
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import Issuer, Layer, Protocol
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, ServiceScope
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.request import Peer, RequestProtocol
from meshproof.compiler.ir.routing import HeaderAction, HeaderEdit, Mirror, Settings, Target
from meshproof.compiler.semantics import MalformedRequest, forwarded, is_well_formed, mirrored
from meshproof.compiler.semantics.hops import client_address

TO_SHOP = target(port=8080)
OUTSIDE = replace(
    request(EDGE, identity=None),
    path="/%61?q=%61",
    headers=(("x-a", "0"), ("x-b", "1")),
    sni="x.example",
    destination_ip="10.0.0.9",
    client_ip="10.9.9.9",
)
IDP = Issuer(IssuerName("idp"), "https://idp", None, (), origin())


def routed(*targets: Target, settings: Settings | None = None) -> Mesh:
    one = replace(branch(None, *targets, settings=settings), path=Segments("/**"))
    return replace(mesh(), routes=(route_to(EDGE, one),))


def test_the_second_request() -> None:
    (hop,) = forwarded(routed(TO_SHOP), OUTSIDE, DAY)
    assert hop == replace(
        OUTSIDE,
        source=Peer(gateway().identity.uri),
        destination=SHOP,
        destination_ip=None,
        path="/a?q=%61",
        client_ip="10.0.0.1",
        sni=None,
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (HeaderAction.SET, (("x-b", "1"), ("x-a", "9"))),
        (HeaderAction.ADD, (("x-a", "0"), ("x-b", "1"), ("x-a", "9"))),
        (HeaderAction.REMOVE, (("x-b", "1"),)),
    ],
)
def test_header_edits_are_seen_behind(action: HeaderAction, expected: tuple[tuple[str, str], ...]) -> None:
    settings = Settings(headers=(HeaderEdit(action, "x-a", "9"),))
    (hop,) = forwarded(routed(TO_SHOP, settings=settings), OUTSIDE, DAY)
    assert hop.headers == expected


def test_a_rewrite_is_seen_behind() -> None:
    (hop,) = forwarded(routed(TO_SHOP, settings=Settings(rewrite_path="/b")), OUTSIDE, DAY)
    assert hop.path == "/b/a?q=%61"


def test_what_is_left_out_stays_left_out() -> None:
    (hop,) = forwarded(routed(TO_SHOP), replace(OUTSIDE, path=None), DAY)
    assert hop.path is None


def test_targets_without_a_share_get_nothing_unless_a_controller_moves_the_shares() -> None:
    targets = (replace(TO_SHOP, weight=100), replace(TO_SHOP, port=9090, weight=0))
    policy = routed(*targets)
    assert [hop.port for hop in forwarded(policy, OUTSIDE, DAY)] == [8080]
    moving = replace(policy, routes=(replace(policy.routes[0], weights_by="argo-rollouts"),))
    assert [hop.port for hop in forwarded(moving, OUTSIDE, DAY)] == [8080, 9090]


def test_nothing_is_forwarded() -> None:
    assert forwarded(mesh(), OUTSIDE, DAY) == ()
    assert forwarded(routed(TO_SHOP), replace(OUTSIDE, path="/a#b"), DAY) == ()
    assert forwarded(routed(TO_SHOP), request(), DAY) == ()
    in_mesh = replace(mesh(), routes=(route_to(SHOP, branch(None, target(version="v1"))),))
    assert forwarded(in_mesh, request(), DAY) == ()


def test_where_mtls_is_disabled_the_gateway_has_no_identity() -> None:
    policy = replace(routed(TO_SHOP), mtls=(MtlsPolicy(ServiceScope(SHOP), MtlsMode.DISABLED, origin()),))
    (hop,) = forwarded(policy, OUTSIDE, DAY)
    assert hop.source == Peer(None)
    assert is_well_formed(policy, hop, DAY) is None


def test_a_token_goes_on_unless_its_issuer_strips_it() -> None:
    sent = replace(OUTSIDE, token=token(iss="https://idp"))
    accepting = replace(routed(TO_SHOP), gateways=(replace(gateway(), accepts=(IDP.name,)),))
    for policy, kept in (
        (replace(accepting, issuers=(IDP,)), sent.token),
        (replace(accepting, issuers=(replace(IDP, is_stripped=True),)), None),
        (replace(routed(TO_SHOP), issuers=(replace(IDP, is_stripped=True),)), sent.token),
    ):
        (hop,) = forwarded(policy, sent, DAY)
        assert hop.token == kept


def test_the_protocol_is_the_one_of_the_next_port() -> None:
    ports = (port(), port(9090, protocol=Protocol.GRPC, name="grpc"), port(5432, Layer.TCP, Protocol.TCP, "db"))
    policy = replace(routed(TO_SHOP, target(port=9090), target(port=1)), services=(service("shop", *ports),))
    hops = forwarded(policy, replace(OUTSIDE, protocol=RequestProtocol.GRPC), DAY)
    assert [hop.protocol for hop in hops] == [RequestProtocol.HTTP, RequestProtocol.GRPC, RequestProtocol.GRPC]
    to_db = replace(policy, routes=(route_to(EDGE, branch(None, target(port=5432)), port=1),))
    (hop,) = forwarded(to_db, replace(connection(1), destination=EDGE), DAY)
    assert (hop.port, hop.protocol) == (5432, RequestProtocol.TCP)


def test_a_target_that_nobody_declared_is_an_error() -> None:
    with pytest.raises(MalformedRequest, match="the route sends it to `nobody`, which is not declared"):
        forwarded(routed(target(NodeName("nobody"))), OUTSIDE, DAY)


@pytest.mark.parametrize(
    ("trusted", "lines", "expected"),
    [
        (0, ("192.0.2.1",), "10.0.0.1"),
        (1, ("192.0.2.1",), "192.0.2.1"),
        (1, ("192.0.2.1, 192.0.2.2",), "192.0.2.2"),
        (2, ("192.0.2.1, 192.0.2.2",), "192.0.2.1"),
        (2, ("192.0.2.1", "192.0.2.2"), "192.0.2.1"),
        (3, ("192.0.2.1, 192.0.2.2",), "10.0.0.1"),
        (1, (), "10.0.0.1"),
        (1, ("unknown",), "10.0.0.1"),
        (1, ("::ffff:192.0.2.1",), "192.0.2.1"),
    ],
)
def test_the_client_is_who_stands_behind_the_trusted_proxies(
    trusted: int, lines: tuple[str, ...], expected: str
) -> None:
    sent = replace(OUTSIDE, headers=tuple(("x-forwarded-for", line) for line in lines))
    assert client_address(replace(gateway(), trusted_proxies=trusted), sent) == expected


def test_a_mirror_of_a_sidecar_has_the_senders_identity() -> None:
    settings = Settings(mirror=Mirror(target(NodeName("copy"), None, 8080), 10, origin()), rewrite_path="/b")
    policy = replace(
        mesh(),
        services=(service("copy"), service()),
        routes=(route_to(SHOP, branch(None, target(version="v1"), settings=settings)),),
    )
    assert mirrored(policy, request(), DAY) == replace(request(), destination=NodeName("copy"), path="/b")


def test_a_mirror_of_a_gateway_has_the_gateways() -> None:
    policy = routed(TO_SHOP, settings=Settings(mirror=Mirror(TO_SHOP, 10, origin())))
    copy = mirrored(policy, OUTSIDE, DAY)
    assert copy is not None
    assert (copy.source, copy.client_ip) == (Peer(gateway().identity.uri), "10.0.0.1")
    assert (copy,) == forwarded(policy, OUTSIDE, DAY)


def test_no_copy_of_no_share_and_without_a_mirror() -> None:
    assert mirrored(routed(TO_SHOP, settings=Settings(mirror=Mirror(TO_SHOP, 0, origin()))), OUTSIDE, DAY) is None
    assert mirrored(routed(TO_SHOP), OUTSIDE, DAY) is None
    assert mirrored(mesh(), OUTSIDE, DAY) is None


@given(meshes(), randoms())
def test_whatever_goes_on_is_well_formed(policy: Mesh, rng: Random) -> None:
    sent = random_request(rng, policy)
    for hop in (*forwarded(policy, sent, DAY), mirrored(policy, sent, DAY)):
        assert hop is None or is_well_formed(policy, hop, DAY) is None
