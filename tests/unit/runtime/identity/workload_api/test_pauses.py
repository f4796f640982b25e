from __future__ import annotations

from meshproof.runtime.identity.workload_api.pauses import Pauses


def test_each_pause_is_twice_as_long_up_to_half_a_minute() -> None:
    pauses = Pauses()
    found = [pauses.ended(0, 1, was_good=False) for _ in range(9)]
    assert found == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_chance_takes_up_to_half_of_it() -> None:
    assert [Pauses().ended(0, chance, was_good=False) for chance in (0, 0.5, 1)] == [0.25, 0.375, 0.5]


def test_who_has_given_for_a_minute_is_asked_again_soon() -> None:
    for lived, was_good, then in ((60, True, 0.5), (59, True, 8), (3600, False, 8)):
        pauses = Pauses()
        for _ in range(4):
            pauses.ended(0, 1, was_good=False)
        assert pauses.ended(lived, 1, was_good=was_good) == then


def test_it_never_overflows() -> None:
    pauses = Pauses()
    assert {pauses.ended(0, 1, was_good=False) for _ in range(5000)} == {0.5, 1, 2, 4, 8, 16, 30}
