from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.traffic.scenes import draws, endpoint

from meshproof.compiler.ir.routing import Balance, BalanceKind
from meshproof.runtime.core.traffic.balance import Hashing, LeastRequest, RoundRobin, balancer_of

POINTS = st.floats(0, 1, exclude_max=True)
COUNTS = st.integers(1, 12)


@given(COUNTS, st.integers(1, 60))
def test_round_robin_keeps_counts_within_one(count: int, requests: int) -> None:
    endpoints = [endpoint(number) for number in range(count)]
    balancer = RoundRobin()
    found = Counter(balancer.choose(endpoints, None, draws(0.5)).name for _ in range(requests))
    counts = [found[one.name] for one in endpoints]
    assert max(counts) - min(counts) <= 1


def test_round_robin_goes_on_when_endpoints_leave() -> None:
    endpoints = [endpoint(number) for number in range(3)]
    balancer = RoundRobin()
    for _ in range(3):
        balancer.choose(endpoints, None, draws(0.0))
    assert {balancer.choose(endpoints[:1], None, draws(0.0)).name for _ in range(2)} == {endpoints[0].name}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(POINTS, min_size=2, max_size=2))
def test_least_request_never_takes_the_busiest_alone(busy: list[int], points: list[float]) -> None:
    endpoints = [endpoint(number) for number in range(len(busy))]
    for one, active in zip(endpoints, busy, strict=True):
        one.active = active
    chosen = LeastRequest().choose(endpoints, None, draws(*points))
    others = [one for one in endpoints if one is not chosen]
    assert not others or chosen.active <= max(one.active for one in others)


@given(POINTS, POINTS)
def test_least_request_draws_two_that_differ(first: float, second: float) -> None:
    endpoints = [endpoint(1), endpoint(2)]
    endpoints[0].active = 9
    assert LeastRequest().choose(endpoints, None, draws(first, second)) is endpoints[1]


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=30), st.integers(2, 8), st.data())
def test_where_one_leaves_only_its_keys_move(keys: list[bytes], count: int, data: st.DataObject) -> None:
    endpoints = [endpoint(number) for number in range(count)]
    gone = data.draw(st.sampled_from(endpoints))
    left = [one for one in endpoints if one is not gone]
    balancer = Hashing()
    before = {key: balancer.choose(endpoints, key, draws(0.0)) for key in keys}
    after = {key: balancer.choose(left, key, draws(0.0)) for key in keys}
    assert all(after[key] is before[key] for key in keys if before[key] is not gone)
    assert gone not in after.values()


def test_keys_are_spread_over_all() -> None:
    endpoints = [endpoint(number) for number in range(8)]
    balancer = Hashing()
    found = Counter(balancer.choose(endpoints, str(key).encode(), draws(0.0)).name for key in range(8000))
    assert len(found) == 8
    assert max(found.values()) < 2 * 1000
    assert min(found.values()) > 1000 / 2


def test_without_a_key_it_is_drawn() -> None:
    endpoints = [endpoint(number) for number in range(4)]
    assert [Hashing().choose(endpoints, None, draws(point)).address.port for point in (0.0, 0.3, 0.99)] == [0, 1, 3]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (None, LeastRequest),
        (Balance(BalanceKind.LEAST_REQUEST), LeastRequest),
        (Balance(BalanceKind.ROUND_ROBIN), RoundRobin),
        (Balance(BalanceKind.HASH, "x-user"), Hashing),
    ],
)
def test_the_route_says_how(said: Balance | None, kind: type[object]) -> None:
    assert isinstance(balancer_of(said), kind)
