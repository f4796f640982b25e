from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.building import EDGE, connection, gateway, mesh, port, request, rule, service
from tests.strategies.meshes import LIFTED, SMALL, random_mesh, randoms
from tests.strategies.predicates import origin
from tests.strategies.requests import SPARSE, random_request
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.authz import AuthzRule, Effect, Operation
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import Destination, External, Layer, SourceSet
from meshproof.compiler.ir.matchers import Exact, Prefix, Segments
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import AuthorizerName, NodeName
from meshproof.compiler.ir.predicate import And, Header, Method, Never, Not, Opaque, Path, SourceIdentity, Test
from meshproof.compiler.ir.request import Peer, Request
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide
from meshproof.compiler.semantics.authorize import is_open_by_default

X, Y = Opaque("x", origin()), Opaque("y", origin())
NO_POST = Not(Test(Method(), Exact("POST")))
OPEN = replace(mesh(), services=(replace(service(), default_allow=(Layer.HTTP,)),))


def ask(name: str, authorizer: str = "opa") -> AuthzRule:
    return replace(rule(name, Effect.ASK), authorizer=AuthorizerName(authorizer))


def outcome(policy: Mesh, sent: Request) -> tuple[bool, Reason, tuple[str, ...]]:
    decision = decide(policy, sent, DAY)
    return decision.is_allowed, decision.reason, decision.determined_by


def test_a_default_is_for_its_layer() -> None:
    node = replace(service("shop", port(), port(5432, Layer.TCP)), default_allow=(Layer.TCP,))
    policy = replace(mesh(), services=(node,))
    assert decide(policy, connection(), DAY) == Decision(is_allowed=True, reason=Reason.DEFAULT)
    assert decide(policy, request(), DAY) == Decision(is_allowed=False, reason=Reason.DEFAULT)


@pytest.mark.parametrize(("egress", "expected"), [(Egress.OPEN, True), (Egress.CLOSED, False), (None, False)])
def test_what_leaves_is_as_egress_says(egress: Egress | None, expected: bool) -> None:
    outside = External(NodeName("x"), (), (port(),), origin())
    policy = replace(mesh(), egress=egress)
    assert [is_open_by_default(policy, outside, layer) for layer in (Layer.HTTP, Layer.TCP)] == [expected] * 2
    assert not is_open_by_default(policy, service(), Layer.HTTP)


@pytest.mark.parametrize(
    ("layer", "on_http", "on_tcp"), [(None, True, True), (Layer.HTTP, True, False), (Layer.TCP, False, True)]
)
def test_a_layer_binds_a_rule(layer: Layer | None, on_http: bool, on_tcp: bool) -> None:
    policy = mesh(replace(rule(), layer=layer))
    assert decide(policy, replace(request(), port=1), DAY).is_allowed is on_http
    assert decide(policy, connection(1), DAY).is_allowed is on_tcp


@pytest.mark.parametrize(
    "speaking",
    [
        replace(rule(), operations=(Operation(("GET",), Segments("/**"), origin()),)),
        rule(when=NO_POST),
        rule(when=And((NO_POST,))),
        replace(rule(effect=Effect.DENY), when=Not(Test(Header("x"), Exact("1")))),
    ],
)
def test_a_rule_that_reads_http_matches_no_connection(speaking: AuthzRule) -> None:
    policy = mesh(rule("tcp"), speaking)
    assert outcome(policy, connection(1)) == (True, Reason.RULE, ("tcp",))
    assert decide(policy, request(), DAY).determined_by != ("tcp",)


def test_an_operation_may_leave_out_method_or_path() -> None:
    post = replace(rule("post"), operations=(Operation(("POST",), None, origin()),))
    below_a = replace(rule("below-a"), operations=(Operation((), Segments("/a/**"), origin()),))
    policy = mesh(post, below_a)
    assert outcome(policy, request()) == (False, Reason.DEFAULT, ())
    assert decide(policy, replace(request(), method="POST"), DAY).determined_by == ("post",)
    assert decide(policy, replace(request(), path="/a"), DAY).determined_by == ("below-a",)


def test_destinations_are_nodes_and_ports() -> None:
    here = replace(rule("here"), destinations=(Destination(EDGE, None), Destination(NodeName("shop"), (1, 2))))
    assert not decide(mesh(here), request(), DAY).is_allowed
    for sent in (replace(request(), port=2), request(EDGE)):
        assert decide(mesh(here), sent, DAY).is_allowed


def test_internet_is_who_comes_to_a_gateway_without_identity() -> None:
    outside = SourceSet(Never(), has_internet=True, members=(), shared=(), text="internet")
    policy = mesh(replace(rule(), sources=outside, destinations=(Destination(EDGE, None),)))
    assert decide(policy, request(EDGE, identity=None), DAY).is_allowed
    assert not decide(policy, request(EDGE), DAY).is_allowed
    inside = replace(policy.rules[0], destinations=(Destination(NodeName("shop"), None),))
    open_default = replace(OPEN, rules=(replace(inside, effect=Effect.DENY),))
    assert decide(open_default, request(), DAY).is_allowed


def test_sources_are_identities() -> None:
    ours = SourceSet(Test(SourceIdentity(), Prefix("spiffe://cluster.local/ns/shop/")), False, (), (), "namespace shop")
    policy = mesh(replace(rule(), sources=ours))
    assert decide(policy, request(), DAY).is_allowed
    assert not decide(policy, request(identity=gateway().identity.uri), DAY).is_allowed


def test_an_ask_without_an_authorizer_gets_no_yes() -> None:
    policy = mesh(rule(), replace(ask("a"), authorizer=None))
    assert outcome(policy, request()) == (False, Reason.ASK, ("a",))


def test_rules_decide_in_name_order_whatever_the_order_of_the_mesh() -> None:
    policy = mesh(rule("b"), rule("c"), rule("a"))
    assert decide(policy, request(), DAY).determined_by == ("a", "b", "c")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((rule("a"), rule("o", when=X)), (True, Reason.RULE, ("a",))),
        ((rule("d", Effect.DENY), rule("o", when=X)), (False, Reason.RULE, ("d",))),
        ((rule("d", Effect.DENY, X),), (False, Reason.DEFAULT, ())),
        ((rule("o", when=X), rule("p", when=Not(X))), (True, Reason.RULE, ("p",))),
        ((rule("a"), rule("d", Effect.DENY, And((X, Not(X))))), (True, Reason.RULE, ("a",))),
        ((rule("a"), rule("d", Effect.DENY, And((X, Never())))), (True, Reason.RULE, ("a",))),
    ],
)
def test_what_is_not_modelled_may_not_matter(
    rules: tuple[AuthzRule, ...], expected: tuple[bool, Reason, tuple[str, ...]]
) -> None:
    assert outcome(mesh(*rules), request()) == expected


@pytest.mark.parametrize(
    "rules",
    [
        (rule("o", when=X),),
        (rule("a"), rule("d", Effect.DENY, X)),
        (rule("a"), replace(ask("o"), when=X)),
        (rule("a", when=X), rule("b", when=Y)),
    ],
)
def test_where_it_matters_there_is_no_decision(rules: tuple[AuthzRule, ...]) -> None:
    sent = replace(request(), answers=((AuthorizerName("opa"), False),))
    with pytest.raises(NotModelled) as caught:
        decide(mesh(*rules), sent, DAY)
    assert caught.value.field == "x"


def test_sources_may_hold_what_is_not_modelled() -> None:
    foreign = SourceSet(X, has_internet=False, members=(), shared=(), text="x")
    with pytest.raises(NotModelled):
        decide(mesh(replace(rule(), sources=foreign)), request(), DAY)


def test_beyond_ten_unknown_things_more_is_undecided_and_never_less() -> None:
    many = [Opaque(str(number), origin()) for number in range(12)]
    rules = [rule(f"o{number}", when=opaque) for number, opaque in enumerate(many)]
    with pytest.raises(NotModelled):
        decide(mesh(*rules, rule("p", when=Not(many[9]))), request(), DAY)  # the last of them in name order
    assert decide(mesh(*rules, rule("p", when=Not(many[0]))), request(), DAY).determined_by == ("p",)
    assert decide(mesh(*rules, rule("a")), request(), DAY).is_allowed


def test_a_missing_answer_is_named_if_it_matters() -> None:
    sent = replace(request(), answers=((AuthorizerName("opa"), True),))
    with pytest.raises(MissingAnswer) as caught:
        decide(mesh(rule(), ask("a"), ask("b", "risk")), sent, DAY)
    assert caught.value.authorizer == "risk"
    assert str(caught.value) == "the decision needs the answer of `risk`"
    assert outcome(mesh(ask("a"), ask("b", "risk")), sent) == (False, Reason.DEFAULT, ())
    assert outcome(mesh(rule(), ask("b", "risk"), rule("d", Effect.DENY)), sent) == (False, Reason.RULE, ("d",))


def test_of_two_causes_the_field_comes_before_the_answer() -> None:
    sent = replace(request(), path=None)
    policy = mesh(rule(when=Test(Path(), Exact("/"))), ask("a"))
    with pytest.raises(MalformedRequest, match="`path` is left out"):
        decide(policy, sent, DAY)


@given(randoms(), st.booleans())
def test_a_decision_over_what_is_left_out_holds_whatever_that_is(rng: Random, is_lifted: bool) -> None:
    """If a sparse request is decided, then every request that fills it in is decided the same way."""
    policy = random_mesh(rng, LIFTED if is_lifted else SMALL)
    sparse = random_request(rng, policy, SPARSE)
    try:
        decision = decide(policy, sparse, DAY)
    except (MalformedRequest, MissingAnswer, NotModelled):
        return
    filled = replace(
        sparse,
        source=Peer(sparse.source.identity, sparse.source.ip or "10.0.0.1"),
        client_ip=sparse.client_ip or rng.choice(("10.0.0.1", "192.0.2.9")),
        answers=tuple((one.name, dict(sparse.answers).get(one.name, rng.random() < 0.5)) for one in policy.authorizers),
    )
    if sparse.protocol != "tcp":
        filled = replace(
            filled,
            method=sparse.method or rng.choice(("GET", "POST")),
            path=sparse.path or rng.choice(("/", "/a", "/api/v1")),
            host=sparse.host or rng.choice(("shop.example.com", "api.example.com")),
        )
    assert decide(policy, filled, DAY).is_allowed == decision.is_allowed
