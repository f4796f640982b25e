from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from tests.strategies.building import EDGE, gateway, mesh, request, rule, service, token_of
from tests.strategies.meshes import LIFTED, SMALL, Size, meshes, random_mesh, randoms, seeded
from tests.strategies.predicates import origin
from tests.strategies.requests import random_request
from tests.strategies.vocabulary import ALIAS, DAY

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import Exemption, External, Issuer, Namespace
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import IssuerName, NodeName, SpiffeId
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import MalformedRequest, decide, is_observed, is_well_formed, passes_transport

IDP = Issuer(IssuerName("idp"), "https://idp", None, (), origin())
STRANGER = "spiffe://stranger.example/a"


def observed(until: date | None) -> Exemption:
    return Exemption("moving in", "sre", until, origin())


def test_the_steps_come_in_order() -> None:
    policy = replace(mesh(rule("d", Effect.DENY)), issuers=(IDP,), services=(replace(service(), accepts=(IDP.name,)),))
    worst = replace(request(identity=STRANGER), path="//%", token=token_of({}, is_valid=False))
    ours = replace(worst, source=request().source)
    normal = replace(ours, path="/")
    reasons = [decide(policy, sent, DAY).reason for sent in (worst, ours, normal, replace(normal, token=None))]
    assert reasons == [Reason.TRANSPORT, Reason.PATH, Reason.TOKEN, Reason.RULE]


@pytest.mark.parametrize(
    ("until", "day", "expected"),
    [(None, DAY, True), (DAY, DAY, True), (DAY - timedelta(days=1), DAY, False), (DAY, DAY + timedelta(days=1), False)],
)
def test_observe_holds_through_its_day(until: date | None, day: date, expected: bool) -> None:
    own = replace(mesh(), services=(replace(service(), observe=observed(until)),))
    of_namespace = replace(mesh(), namespaces=(Namespace("shop", origin(), observe=observed(until)),))
    for policy in (own, of_namespace):
        assert is_observed(policy, policy.services[0], day) is expected
        decision = decide(policy, request(), day)
        assert decision == Decision(is_allowed=expected, reason=Reason.DEFAULT, is_observed=expected)
        assert passes_transport(policy, request(identity=None), day) is expected


def test_who_is_observed() -> None:
    policy = replace(mesh(), namespaces=(Namespace("sre", origin(), observe=observed(None)), Namespace("x", origin())))
    assert is_observed(policy, gateway(), DAY)
    assert not is_observed(policy, service(), DAY)
    assert not is_observed(policy, External(NodeName("x"), (), (), origin()), DAY)
    assert decide(replace(policy, rules=(rule(node=EDGE),)), request(EDGE), DAY).is_observed is False


def test_the_day_of_the_request_wins() -> None:
    policy = mesh(replace(rule(), until=DAY))
    late = DAY + timedelta(days=1)
    assert decide(policy, replace(request(), day=DAY), late).is_allowed
    assert not decide(policy, replace(request(), day=late), DAY).is_allowed


@pytest.mark.parametrize("judge", [decide, passes_transport])
def test_what_cannot_be_is_not_judged(judge: Callable[[Mesh, Request, date], object]) -> None:
    with pytest.raises(MalformedRequest, match="the request is tcp"):
        judge(mesh(), replace(request(), protocol=RequestProtocol.TCP), DAY)


@given(meshes(), randoms())
def test_every_random_request_is_decided_and_its_reasons_are_rules_of_the_mesh(policy: Mesh, rng: Random) -> None:
    sent = random_request(rng, policy)
    assert is_well_formed(policy, sent, DAY) is None
    decision = decide(policy, sent, DAY)
    by_name = {rule.id: rule for rule in policy.rules}
    effects = {by_name[name].effect for name in decision.determined_by}
    is_refused = not decision.is_allowed or decision.is_observed
    assert list(decision.determined_by) == sorted(decision.determined_by)
    match decision.reason:
        case Reason.RULE:
            assert effects == ({Effect.DENY} if is_refused else {Effect.ALLOW})
        case Reason.ASK:
            assert is_refused
            assert effects == {Effect.ASK}
        case _:
            assert effects == set()
    assert passes_transport(policy, sent, DAY) or decision.reason is Reason.TRANSPORT


@given(meshes(), randoms())
def test_a_rule_more_moves_decisions_one_way(policy: Mesh, rng: Random) -> None:
    """The removal lemma's half: without a deny or ask more is allowed, without an allow less."""
    sent = random_request(rng, policy)
    before = decide(policy, sent, DAY).is_allowed
    for index, removed in enumerate(policy.rules):
        fewer = replace(policy, rules=(*policy.rules[:index], *policy.rules[index + 1 :]))
        after = decide(fewer, sent, DAY).is_allowed
        assert after <= before if removed.effect is Effect.ALLOW else after >= before


@given(meshes(), randoms())
def test_the_order_of_statements_means_nothing(policy: Mesh, rng: Random) -> None:
    sent = random_request(rng, policy)
    shuffled = replace(
        policy,
        rules=tuple(rng.sample(policy.rules, len(policy.rules))),
        mtls=tuple(rng.sample(policy.mtls, len(policy.mtls))),
        services=tuple(rng.sample(policy.services, len(policy.services))),
    )
    assert decide(shuffled, sent, DAY) == decide(policy, sent, DAY)


@given(meshes(), randoms())
def test_an_alias_and_the_trust_domain_are_one(policy: Mesh, rng: Random) -> None:
    policy = replace(policy, aliases=(ALIAS,))
    sent = random_request(rng, policy)
    identity = None if sent.source.identity is None else SpiffeId.parse(sent.source.identity)
    if identity is None or identity.trust_domain != policy.trust_domain:
        return
    renamed = replace(sent, source=Peer(SpiffeId(ALIAS, identity.path).uri, sent.source.ip))
    assert decide(policy, renamed, DAY) == decide(policy, sent, DAY)


@pytest.mark.parametrize("size", [SMALL, LIFTED])
def test_the_same_seed_draws_the_same(size: Size) -> None:
    first, second = (random_mesh(seeded(7), size) for _ in range(2))
    assert first == second
    assert random_request(seeded(7), first) == random_request(seeded(7), second)
