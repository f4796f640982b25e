"""Compilers for App Mesh with one mistake each: what they emit is read back, and found not to be what the policy says.

Mistakes are made wherever they can be: of every kind at every resource. A change that means the same is no mistake: it
is listed with the reason, and must be proved as what was emitted is.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.strategies.app_mesh_mutants import CLIENTS, LISTENERS, NAMES, OPERATORS, ROUTES
from tests.strategies.app_mesh_mutated import POLICIES, reason_for_equal
from tests.strategies.app_mesh_mutation import RENDERINGS, Compiled, Operator, compiled, mutants

from meshproof.compiler.verify.translation import Translation
from meshproof.targets.appmesh.options import Rendering

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
PLACES = None if IS_FULL else 2
"""Of every kind of mistake in every policy: all places in every rendering, or so many, each in one rendering."""

FAMILIES: dict[str, tuple[Operator, ...]] = {
    "listeners": LISTENERS,
    "clients": CLIENTS,
    "routes": ROUTES,
    "names": NAMES,
}
IN_FAST_LANE = (("doors", "listeners"), ("tests", "routes"))


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_compiler_without_a_mistake_is_sound(policy: str, rendering: Rendering) -> None:
    right = compiled(POLICIES[policy])
    found = right.judged(right.tree(), rendering)
    assert found is not None
    assert found.is_sound, found


@pytest.mark.parametrize(
    ("policy", "family"),
    [
        pytest.param(policy, family, marks=() if (policy, family) in IN_FAST_LANE else pytest.mark.slow)
        for policy in POLICIES
        for family in FAMILIES
    ],
)
def test_a_compiler_with_a_mistake_is_caught(policy: str, family: str) -> None:
    right = compiled(POLICIES[policy])
    counted: Counter[str] = Counter()
    survived = []
    for at, (label, rendering) in enumerate(_chosen(right, FAMILIES[family])):
        found = _after(right, label, rendering)
        is_sound = found is not None and found.is_sound
        is_equal = reason_for_equal(policy, label) is not None
        counted["equal" if is_equal else "caught"] += 1
        if is_sound is not is_equal:
            survived.append(f"{at} {rendering} {label}: {'proved' if is_sound else 'refused'}")
    assert survived == []
    print(f"{policy} {family}: {dict(counted)}")  # noqa: T201  `-rP` shows it


def test_there_are_mistakes_of_every_kind_at_many_places() -> None:
    kinds: Counter[str] = Counter()
    for name, text in POLICIES.items():
        labels = [label for label, _ in mutants(compiled(text).tree(), OPERATORS)]
        kinds.update(label.partition(":")[0] for label in labels if reason_for_equal(name, label) is None)
    assert set(kinds) == {one.__name__ for one in OPERATORS}
    assert len(kinds) > 50
    assert kinds.total() > 1300


def _chosen(right: Compiled, operators: tuple[Operator, ...]) -> Iterator[tuple[str, Rendering]]:
    """The mistakes with the renderings in which each is made."""
    seen: Counter[str] = Counter()
    for number, (label, _) in enumerate(mutants(right.tree(), operators)):
        kind = label.partition(":")[0]
        seen[kind] += 1
        if PLACES is None:
            yield from ((label, rendering) for rendering in RENDERINGS)
        elif seen[kind] <= PLACES:
            yield label, RENDERINGS[number % len(RENDERINGS)]


def _after(right: Compiled, label: str, rendering: Rendering) -> Translation | None:
    """What is known of the resources after one mistake."""
    tree = right.tree()
    change = next(change for name, change in mutants(tree, OPERATORS) if name == label)
    before = [(one.is_gone, repr(one.given)) for one in tree]
    change()
    assert [(one.is_gone, repr(one.given)) for one in tree] != before, f"{label} is no mutant"
    return right.judged(tree, rendering)
