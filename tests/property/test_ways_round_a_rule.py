"""Ways round a rule, against trying every request of small worlds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from tests.strategies.agree_escapes import compare_callers, compare_hosts, compare_slashes
from tests.strategies.brute import World
from tests.strategies.worlds import IS_FULL, small_worlds

COMPARISONS: tuple[Callable[[World], Counter[str]], ...] = (compare_slashes, compare_hosts, compare_callers)
MANY = 4_000 if IS_FULL else 200
EVERY_KIND = (
    "escaped by a slash",
    "kept with a slash",
    "escaped by a host",
    "kept whatever the host",
    "for every identity",
    "for some",
    "for tokens",
    "without tokens",
)


@pytest.fixture(scope="module")
def few() -> tuple[World, ...]:
    return tuple(small_worlds(7, 40, 600))


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
def test_a_few_policies_are_read_alike(few: tuple[World, ...], compare: Callable[[World], Counter[str]]) -> None:
    counts: Counter[str] = Counter()
    for world in few:
        counts.update(compare(world))
    assert counts.total() > 0


@pytest.mark.slow
def test_many_policies_are_read_alike() -> None:
    counts: Counter[str] = Counter()
    for world in small_worlds(8, MANY, 1_500):
        for compare in COMPARISONS:
            counts.update(compare(world))
    assert [kind for kind in EVERY_KIND if not counts[kind]] == []
