"""Sets in words: the terms that are found are the set, and short where a short way is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import Host, Test
from meshproof.compiler.verify.semantic_diff_names import Named, Term, described

CLASSES = 6
EVERY = (1 << CLASSES) - 1


def named(text: str, mask: int, rank: int = 0) -> Named:
    return Named(text, mask, Test(Host(), Exact(text)), rank)


def union(terms: tuple[Term, ...]) -> int:
    found = 0
    for term in terms:
        found |= term.mask(EVERY)
    return found


@given(masks=st.lists(st.integers(0, EVERY), max_size=6), target=st.integers(1, EVERY))
def test_the_terms_are_the_set_or_nothing_tells_it_apart(masks: list[int], target: int) -> None:
    names = [named(f"n{number}", mask) for number, mask in enumerate(masks)]
    terms = described(target, EVERY, names)
    signatures = {tuple(mask >> value & 1 for mask in masks): value for value in range(CLASSES) if target >> value & 1}
    is_told_apart = all(
        target >> value & 1 or tuple(mask >> value & 1 for mask in masks) not in signatures for value in range(CLASSES)
    )

    assert (terms is not None) == is_told_apart
    assert terms is None or union(terms) == target


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (0b000001, "a"),
        (0b000011, "a + b"),
        (0b001111, "most"),
        (0b001110, "most - a"),
        (0b111110, "- a"),
        (0b111111, ""),
    ],
)
def test_the_shortest_way_is_taken(target: int, text: str) -> None:
    names = [named("a", 0b000001), named("b", 0b000010), named("most", 0b001111)]
    terms = described(target, EVERY, names)
    assert terms is not None

    said = [
        " ".join([*(one.text for one in term.inside), *(f"- {one.text}" for one in term.outside)]) for term in terms
    ]
    assert " + ".join(said) == text


def test_the_better_name_of_two_is_used() -> None:
    terms = described(0b11, EVERY, [named("clumsy", 0b11, 2), named("plain", 0b11)])
    assert terms is not None
    assert [one.text for one in terms[0].inside] == ["plain"]


def test_without_a_word_for_everything_it_is_put_together() -> None:
    names = [named("all but the last", 0b011111), named("last", 0b100000)]

    assert described(EVERY, EVERY, names) == (Term(),)
    terms = described(EVERY, EVERY, names, has_everything=False)
    assert terms is not None
    assert len(terms) == 2
    assert union(terms) == EVERY
