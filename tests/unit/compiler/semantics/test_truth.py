from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import given
from tests.strategies.building import gateway, mesh, request
from tests.strategies.meshes import randoms
from tests.strategies.predicates import Scope, origin, random_predicate
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Cidr, Exact, Present
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    ClientIp,
    Host,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Predicate,
    Query,
    RawAuthority,
    SourceIp,
    Test,
)
from meshproof.compiler.ir.request import Peer
from meshproof.compiler.semantics import Facts, MalformedRequest, NotModelled, facts_of, holds
from meshproof.compiler.semantics.truth import conjunction_of, disjunction_of, opaques_in, truth, worlds

SENT = replace(request(), destination_ip="10.0.0.9")
FACTS = facts_of(mesh(), SENT, DAY)
SPARSE = replace(request(identity=gateway().identity.uri), method=None, path=None, host=None)
NOTHING_GIVEN = facts_of(mesh(), replace(SPARSE, source=Peer(gateway().identity.uri)), DAY)
X, Y = Opaque("x", origin()), Opaque("y", origin())
IS_GET = Test(Method(), Exact("GET"))
IS_POST = Test(Method(), Exact("POST"))
VALUES = (True, False, None)


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (Always(), True),
        (Never(), False),
        (IS_GET, True),
        (IS_POST, False),
        (Not(IS_POST), True),
        (And(()), True),
        (Or(()), False),
        (And((IS_GET, IS_POST)), False),
        (Or((IS_POST, IS_GET)), True),
        (Or((X, Not(X))), True),
        (And((X, Not(X))), False),
        (And((X, IS_POST)), False),
        (Or((IS_GET, X)), True),
    ],
)
def test_holds(predicate: Predicate, expected: bool) -> None:
    assert holds(predicate, FACTS) is expected


@pytest.mark.parametrize(("predicate", "field"), [(X, "x"), (And((IS_GET, Y)), "y"), (Or((Not(X), Y)), "x")])
def test_what_hangs_on_something_not_modelled_is_not_decided(predicate: Predicate, field: str) -> None:
    with pytest.raises(NotModelled) as caught:
        holds(predicate, FACTS)
    assert (caught.value.field, caught.value.origin) == (field, origin())
    assert str(caught.value) == f"the decision depends on `{field}`, which is not modelled"


@pytest.mark.parametrize(
    ("attribute", "field"),
    [
        (Method(), "method"),
        (Path(), "path"),
        (Query("q"), "path"),
        (Host(), "host"),
        (RawAuthority(), "host"),
        (SourceIp(), "source.ip"),
        (ClientIp(), "client_ip"),
    ],
)
def test_what_hangs_on_a_field_left_out_is_an_error_that_names_it(attribute: Attribute, field: str) -> None:
    predicate = And((Test(attribute, Present()), Or((Never(), Not(Test(attribute, Exact("x")))))))
    with pytest.raises(MalformedRequest) as caught:
        holds(predicate, NOTHING_GIVEN)
    assert caught.value.reason == f"`{field}` is left out, and the outcome depends on it"


def test_a_field_left_out_that_does_not_matter_does_not() -> None:
    assert holds(Or((Always(), IS_GET)), NOTHING_GIVEN)
    assert not holds(And((IS_GET, Never())), NOTHING_GIVEN)


def test_three_values_are_what_two_can_become() -> None:
    for left, right in product(VALUES, VALUES):
        choices = [(a, b) for a in _may_be(left) for b in _may_be(right)]
        assert _may_be(conjunction_of((left, right))) == {a and b for a, b in choices}
        assert _may_be(disjunction_of((left, right))) == {a or b for a, b in choices}


def _may_be(value: bool | None) -> set[bool]:
    return {True, False} if value is None else {value}


def test_worlds_tell_ten_apart_and_begin_with_nothing() -> None:
    many = tuple(Opaque(str(number), origin()) for number in range(11))
    found = list(worlds(many))
    assert len(found) == 1024
    assert set(found[0].values()) == {False}
    assert all(many[10] not in world for world in found)
    assert list(worlds(())) == [{}]


def test_opaques_are_found_once_each_in_order() -> None:
    assert opaques_in(And((Or((Y, X)), Not(Y), Always(), IS_GET))) == (Y, X)


@given(randoms())
def test_not_turns_every_truth_round(rng: Random) -> None:
    predicate = random_predicate(rng, Scope(is_lifted=True))
    for facts in (FACTS, NOTHING_GIVEN):
        value = truth(predicate, facts, {})
        negated = truth(Not(predicate), facts, {})
        assert negated is (None if value is None else not value)


@given(randoms())
def test_what_is_known_without_a_world_holds_in_every_world(rng: Random) -> None:
    predicate = random_predicate(rng, Scope(is_lifted=True), depth=3)
    value = truth(predicate, FACTS, {})
    found = {truth(predicate, FACTS, world) for world in worlds(opaques_in(predicate))}
    assert None not in found
    assert value is None or found == {value}


def test_facts_are_a_value() -> None:
    assert facts_of(mesh(), SENT, DAY) == FACTS
    assert isinstance(FACTS, Facts)
    assert FACTS.layer is Layer.HTTP
    assert holds(Test(SourceIp(), Cidr("10.0.0.0/8")), FACTS)
