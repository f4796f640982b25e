from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.traffic.shares import Shares, is_hit

SPLITS = st.lists(st.integers(0, 100), min_size=0, max_size=4).map(
    lambda cuts: [high - low for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), 100], strict=True)]
)


@given(SPLITS)
def test_over_a_cycle_each_gets_its_share_exactly(split: list[int]) -> None:
    shares = Shares(list(enumerate(split)))
    found = Counter(shares.at((point + 0.5) / 100) for point in range(100))
    assert found == Counter({place: share for place, share in enumerate(split) if share})


@given(SPLITS, st.floats(0, 1, exclude_max=True))
def test_what_has_no_share_gets_nothing(split: list[int], draw: float) -> None:
    assert split[Shares(list(enumerate(split))).at(draw)] > 0


@pytest.mark.parametrize("split", [[], [99], [100, 1], [101, -1]])
def test_shares_that_are_not_all_are_refused(split: list[int]) -> None:
    with pytest.raises(ValueError, match="do not sum to 100"):
        Shares(list(enumerate(split)))


@given(st.integers(0, 100))
def test_so_many_of_a_hundred_are_hit(percent: int) -> None:
    assert sum(is_hit(percent, (point + 0.5) / 100) for point in range(100)) == percent
    assert is_hit(percent, 1 - 2**-53) is (percent == 100)
