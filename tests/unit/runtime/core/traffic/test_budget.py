from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.traffic.backoff import BASE_SECONDS, MOST_SECONDS, pause
from meshproof.runtime.core.traffic.budget import RetryBudget


@given(st.lists(st.sampled_from(["begin", "end", "take", "back"]), max_size=300))
def test_retries_are_a_share_of_what_is_on_its_way(steps: list[str]) -> None:
    budget = RetryBudget()
    active = retries = 0
    for step in steps:
        if step == "begin":
            budget.begin()
            active += 1
        elif step == "end" and active:
            budget.end()
            active -= 1
        elif step == "take":
            is_room = retries < max(3, active // 5)
            assert budget.take() is is_room
            retries += is_room
        elif step == "back" and retries:
            budget.give_back()
            retries -= 1
        assert (budget.active, budget.retries) == (active, retries)


@given(st.integers(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_bound_and_are_never_in_step(retry: int, draw: float) -> None:
    assert 0 <= pause(retry, draw) < MOST_SECONDS
    assert pause(retry, 0.0) == 0.0
    assert pause(1, draw) < BASE_SECONDS
    assert pause(retry, draw) <= pause(retry + 1, draw)
