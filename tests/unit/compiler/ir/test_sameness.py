"""Sameness is what comparing digests would say, and no origin counts in it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.edits import edited
from tests.strategies.meshes import LIFTED, SMALL, Size, random_mesh, seeded

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Always, And, Not, Opaque
from meshproof.compiler.ir.sameness import is_same
from meshproof.compiler.ir.serde import digest
from meshproof.dsl.source import Span


def moved(value: Any) -> Any:  # noqa: ANN401  of the type of the value
    """The value with every origin in it somewhere else."""
    if isinstance(value, Origin):
        span = Span(f"other/{value.span.file}", value.span.start + 7, value.span.end + 9)
        return Origin(span, (*value.chain, span))
    if isinstance(value, tuple):
        return tuple(map(moved, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: moved(getattr(value, one.name)) for one in fields(value) if one.init})
    return value


@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
@given(seed=st.integers(0, 2**32))
def test_what_has_only_moved_is_the_same(size: Size, seed: int) -> None:
    mesh = random_mesh(seeded(seed), size)

    assert is_same(mesh, moved(mesh))


@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
@given(seed=st.integers(0, 2**32))
def test_it_says_what_digests_say(size: Size, seed: int) -> None:
    rng = seeded(seed)
    mesh = random_mesh(rng, size)
    other = edited(rng, mesh, size)

    assert is_same(mesh, other) == (digest(mesh) == digest(other))
    assert is_same(moved(mesh), other) == (digest(mesh) == digest(other))


def test_what_is_not_modelled_is_told_by_its_field_alone() -> None:
    here, there = (Origin(Span("a", place, place)) for place in (1, 2))

    assert is_same(Opaque("x", here), Opaque("x", there))
    assert not is_same(Opaque("x", here), Opaque("y", here))
    assert is_same(And((Not(Opaque("x", here)),)), And((Not(Opaque("x", there)),)))
    assert not is_same(And((Opaque("x", here),)), And((Opaque("x", here), Always())))


def test_values_of_two_kinds_differ() -> None:
    assert not is_same(None, Always())
    assert not is_same(Always(), Not(Always()))
    assert is_same(None, None)
