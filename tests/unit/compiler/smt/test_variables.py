"""Callers are divided by all sets of them that a port reads, and by nothing else."""

from __future__ import annotations

from random import Random

import pytest

from meshproof.compiler.smt.variables import _divided


@pytest.mark.parametrize("seed", range(30))
def test_two_callers_are_in_one_part_exactly_if_they_are_in_the_same_sets(seed: int) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    size = rng.randint(1, 40)
    masks = [rng.getrandbits(size) & rng.getrandbits(size) for _ in range(rng.randint(0, 12))]
    parts = _divided((1 << size) - 1, masks)
    groups: dict[tuple[int, ...], int] = {}
    for number in range(size):
        signature = tuple(mask >> number & 1 for mask in masks)
        groups[signature] = groups.get(signature, 0) | 1 << number
    assert parts == list(groups.values())
