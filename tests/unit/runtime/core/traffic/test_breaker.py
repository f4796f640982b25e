from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.ir.routing import Limits
from meshproof.runtime.core.traffic.breaker import Breaker, Gate


@given(st.integers(0, 5), st.lists(st.booleans(), max_size=60))
def test_a_gate_never_holds_more_than_its_bound(most: int, comings: list[bool]) -> None:
    gate = Gate(most)
    inside = 0
    for is_coming in comings:
        if is_coming:
            assert gate.is_full is (inside == most)
            inside += gate.enter()
        elif inside:
            gate.leave()
            inside -= 1
        assert gate.count == inside <= most


def test_without_a_bound_everybody_comes_in() -> None:
    gate = Gate(None)
    assert all(gate.enter() for _ in range(10_000))
    assert not gate.is_full


def test_nobody_leaves_who_never_came_in() -> None:
    with pytest.raises(AssertionError, match="never came in"):
        Gate(None).leave()


@given(st.integers(0, 200), st.integers(1, 64))
def test_workers_share_a_bound(most: int, workers: int) -> None:
    parts = [Breaker(Limits(requests=most), workers).requests.most for _ in range(workers)]
    total = sum(part or 0 for part in parts)
    assert total <= max(most, workers if most else 0)
    assert (total == 0) is (most == 0)


def test_bounds_change_and_counts_stay() -> None:
    breaker = Breaker(Limits(1, 2, 3))
    assert (breaker.connections.most, breaker.pending.most, breaker.requests.most) == (1, 2, 3)
    assert breaker.requests.enter()
    breaker.bound(Limits(requests=1))
    assert not breaker.requests.enter()
    breaker.bound(None)
    assert breaker.requests.enter()
    assert breaker.requests.count == 2
