from __future__ import annotations

import pytest

from meshproof.runtime.tokens.schedule import Pace, Schedule

PACE = Pace(refresh=300, retry=1, most_retry=60, cooldown=10)


def _schedule(draw: float = 0.5) -> Schedule:
    return Schedule(PACE, lambda: draw, 100.0)


def test_the_first_time_is_now() -> None:
    assert _schedule().next_at == 100.0


@pytest.mark.parametrize(("draw", "expected"), [(0.0, 270.0), (0.5, 300.0), (1.0, 330.0)])
def test_after_a_success_it_is_spread_around_the_pace(draw: float, expected: float) -> None:
    schedule = _schedule(draw)
    schedule.succeeded(1000.0)
    assert schedule.next_at == pytest.approx(1000.0 + expected)


@pytest.mark.parametrize(("draw", "share"), [(0.0, 0.5), (1.0, 1.0)])
def test_failures_wait_ever_longer_to_a_bound(draw: float, share: float) -> None:
    schedule = _schedule(draw)
    waits = []
    for _ in range(2000):
        schedule.failed(0.0)
        waits.append(schedule.next_at)
    assert waits[:8] == [share * wait for wait in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert set(waits[8:]) == {share * 60}
    schedule.succeeded(0.0)
    schedule.failed(0.0)
    assert schedule.next_at == share


def test_what_is_wanted_comes_sooner_and_not_too_often() -> None:
    schedule = _schedule()
    schedule.succeeded(1000.0)
    schedule.wanted(1003.0)
    assert schedule.next_at == 1010.0
    schedule.wanted(1005.0)
    assert schedule.next_at == 1010.0
    schedule.succeeded(1010.0)
    schedule.wanted(1100.0)
    assert schedule.next_at == 1100.0


def test_what_is_wanted_while_it_fails_does_not_come_sooner() -> None:
    schedule = _schedule(1.0)
    for _ in range(7):
        schedule.failed(1000.0)
    schedule.wanted(1030.0)
    assert schedule.next_at == 1060.0
