"""Compilers for Istio with one mistake each: what they emit is read back, and found not to be what the policy says."""

from __future__ import annotations

import pytest
from tests.strategies.istio_mutants_authz import AUTHORIZATION, TOKENS
from tests.strategies.istio_mutants_routes import GATEWAYS, OUTSIDE, ROUTES
from tests.strategies.istio_mutated import POLICIES, compiled
from tests.strategies.istio_mutation import Mutant

MUTANTS = (*AUTHORIZATION, *TOKENS, *ROUTES, *GATEWAYS, *OUTSIDE)
CAUGHT = tuple(one for one in MUTANTS if not one.gap)
IN_FAST_LANE = CAUGHT[::5]
"""Some of every kind; all of them take half a minute."""


def _named(one: Mutant) -> str:
    return f"{one.policy}: {one.name}"


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_compiler_without_a_mistake_is_sound(policy: str) -> None:
    right = compiled(policy)
    assert right.judged(right.files).is_sound


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(one, marks=() if one in IN_FAST_LANE else pytest.mark.slow, id=_named(one)) for one in CAUGHT],
)
def test_a_compiler_with_a_mistake_is_caught(mutant: Mutant) -> None:
    found = compiled(mutant.policy).after(mutant.change)
    assert not found.is_sound
    shown = [one.witness for one in (*found.looser, *found.unexplained)]
    assert all(witness is not None for witness in shown)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(one, marks=(pytest.mark.slow, pytest.mark.xfail(strict=True, reason=one.gap)), id=_named(one))
        for one in MUTANTS
        if one.gap
    ],
)
def test_a_compiler_with_a_mistake_that_is_not_compared(mutant: Mutant) -> None:
    assert not compiled(mutant.policy).after(mutant.change).is_sound


def test_there_are_mutants_of_everything() -> None:
    assert len({_named(one) for one in MUTANTS}) == len(MUTANTS)
    assert len(CAUGHT) > 150
    assert {one.policy for one in CAUGHT} == set(POLICIES)
