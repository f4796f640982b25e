"""Compilers for Istio with one mistake each: what they emit is read back, and found not to be what the policy says."""

from __future__ import annotations

import pytest
from tests.strategies.istio_mutants_authz import AUTHORIZATION, TOKENS
from tests.strategies.istio_mutants_routes import GATEWAYS, OUTSIDE, ROUTES
from tests.strategies.istio_mutants_transport import TRANSPORT
from tests.strategies.istio_mutated import POLICIES, compiled
from tests.strategies.istio_mutation import Mutant

MUTANTS = (*AUTHORIZATION, *TOKENS, *ROUTES, *GATEWAYS, *OUTSIDE, *TRANSPORT)
IN_FAST_LANE = MUTANTS[::5]
"""Some of every kind; all of them take half a minute."""


def _named(one: Mutant) -> str:
    return f"{one.policy}: {one.name}"


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_compiler_without_a_mistake_is_sound(policy: str) -> None:
    right = compiled(policy)
    assert right.judged(right.files).is_sound


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(one, marks=() if one in IN_FAST_LANE else pytest.mark.slow, id=_named(one)) for one in MUTANTS],
)
def test_a_compiler_with_a_mistake_is_caught(mutant: Mutant) -> None:
    found = compiled(mutant.policy).after(mutant.change)
    assert not found.is_sound
    shown = [one.witness for one in (*found.looser, *found.unexplained)]
    assert all(witness is not None for witness in shown)


def test_there_are_mutants_of_everything() -> None:
    assert len({_named(one) for one in MUTANTS}) == len(MUTANTS)
    assert len(MUTANTS) > 200
    assert {one.policy for one in MUTANTS} == set(POLICIES)
