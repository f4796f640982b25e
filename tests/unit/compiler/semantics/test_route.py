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

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.entities import Issuer
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.predicate import Header, Method, Not, Opaque, Test, TokenIssuer
from meshproof.compiler.ir.routing import Branch, Mirror, Redirect, Retry, Settings
from meshproof.compiler.semantics import MalformedRequest, NotModelled, route

V1, V2 = target(version="v1"), target(version="v2")
IS_GET, IS_POST = (Test(Method(), Exact(name)) for name in ("GET", "POST"))
X = Opaque("x", origin())


def to(policy: Mesh, *branches: Branch, port: int | None = None) -> Mesh:
    return replace(policy, routes=(route_to(SHOP, *branches, port=port),))


def sent_to(policy: Mesh, *, method: str | None = "GET") -> tuple[tuple[str, int], ...] | None:
    outcome = route(policy, replace(request(), method=method), DAY)
    return None if outcome is None else outcome.destinations


def test_the_first_branch_that_takes_the_request() -> None:
    policy = to(mesh(), branch(IS_POST, V1, name="one"), branch(None, V2, name="two"))
    assert sent_to(policy) == (("v2", 100),)
    assert sent_to(policy, method="POST") == (("v1", 100),)
    assert sent_to(to(mesh(), branch(IS_POST, V1))) is None


def test_a_route_is_for_ports_that_are_declared() -> None:
    policy = to(mesh(), branch(None, V2))
    outcome = route(policy, replace(request(), port=49152), DAY)
    assert outcome is not None
    assert outcome.destinations == (("shop:49152", 100),)


def test_without_a_route_a_request_goes_on_as_it_is() -> None:
    expected = RouteOutcome(None, (("shop:8080", 100),), None, None, None, None)
    assert route(mesh(), request(), DAY) == expected


def test_the_route_of_the_port_is_closer_and_the_general_one_is_for_http() -> None:
    general, of_port = route_to(SHOP, branch(None, V1)), route_to(SHOP, branch(None, V2), port=9090)
    policy = replace(mesh(), routes=(general, of_port))
    assert sent_to(policy) == (("v1", 100),)
    for sent, expected in ((replace(request(), port=9090), "v2"), (connection(9090), "v2"), (connection(1), "shop:1")):
        outcome = route(policy, sent, DAY)
        assert outcome is not None
        assert outcome.destinations == ((expected, 100),)


def test_a_branch_that_reads_http_takes_no_connection() -> None:
    policy = to(mesh(), branch(Not(IS_POST), V1), branch(None, V2), port=1)
    outcome = route(policy, connection(1), DAY)
    assert outcome is not None
    assert outcome.destinations == (("v2", 100),)


def test_targets_by_name() -> None:
    elsewhere = replace(target(NodeName("other"), "v1", 9090), weight=10)
    here = target(port=7777, weight=40)
    policy = to(mesh(), branch(None, elsewhere, here, target(weight=50)))
    assert sent_to(policy) == (("other:9090 v1", 10), ("shop:7777", 40), ("shop:8080", 50))


def test_an_outcome_says_all_that_is_done() -> None:
    settings = Settings(
        timeout_ms=2000,
        retry=Retry(2, ("reset",), 500, origin()),
        mirror=Mirror(V2, 10, origin()),
        rewrite_path="/b",
    )
    redirect = Redirect(301, "x", None, origin())
    one = replace(branch(None, V1, name="one", settings=settings), redirect=redirect)
    expected = RouteOutcome("one", (("v1", 100),), "/b", 2000, settings.retry, settings.mirror, (), redirect)
    assert route(to(mesh(), one), request(), DAY) == expected


def test_a_refused_path_is_routed_nowhere() -> None:
    assert route(mesh(), replace(request(), path="/a%2Fb"), DAY) is None
    assert route(to(mesh(), branch(None, V1)), replace(request(), method="CONNECT"), DAY) is None


def test_a_token_is_seen_by_gateways_alone() -> None:
    idp = Issuer(IssuerName("idp"), "https://idp", None, (), origin())
    has_token = Test(TokenIssuer(), Present())
    policy = replace(
        mesh(),
        issuers=(idp,),
        services=(replace(service(), accepts=(idp.name,)),),
        gateways=(replace(gateway(), accepts=(idp.name,)),),
        routes=(route_to(SHOP, branch(has_token, V1)), route_to(EDGE, branch(has_token, target(port=8080)))),
    )
    good = token(iss="https://idp")
    assert route(policy, replace(request(), token=good), DAY) is None
    assert route(policy, replace(request(EDGE), token=good), DAY) is not None
    assert route(policy, request(EDGE), DAY) is None


def test_what_is_left_out_or_not_modelled_may_not_matter() -> None:
    first = branch(None, V1)
    for condition in (X, IS_GET):
        assert sent_to(to(mesh(), first, branch(condition, V2)), method=None) == (("v1", 100),)


def test_where_it_matters_there_is_no_outcome() -> None:
    with pytest.raises(NotModelled, match="depends on `x`"):
        sent_to(to(mesh(), branch(X, V1), branch(None, V2)))
    for branches in ((branch(IS_GET, V1), branch(None, V2)), (branch(IS_GET, V1),)):
        with pytest.raises(MalformedRequest, match="`method` is left out"):
            sent_to(to(mesh(), *branches), method=None)


@given(meshes(), randoms())
def test_shares_sum_and_exactly_one_branch_takes_a_request(policy: Mesh, rng: Random) -> None:
    sent = random_request(rng, policy)
    outcome = route(policy, sent, DAY)
    if outcome is None or outcome.redirect is not None:
        return
    assert sum(share for _, share in outcome.destinations) == 100
    branches = {branch.id for one in policy.routes if one.node == sent.destination for branch in one.branches}
    assert outcome.branch is None or outcome.branch in branches


def test_headers_are_read_as_sent() -> None:
    policy = to(mesh(), branch(Test(Header("x-a"), Exact("1")), V1))
    assert route(policy, replace(request(), headers=(("x-a", "1"),)), DAY) is not None
    assert route(policy, request(), DAY) is None
