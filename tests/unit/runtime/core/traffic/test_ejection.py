from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.traffic.scenes import endpoint

from meshproof.compiler.ir.routing import Ejection
from meshproof.runtime.core.traffic.ejection import Ejector

STEPS = st.lists(
    st.tuples(st.sampled_from(["fail", "good", "time", "shrink", "settings"]), st.integers(0, 7), st.integers(0, 100)),
    max_size=120,
)


@given(STEPS, st.integers(1, 3), st.integers(0, 100))
def test_no_more_than_its_share_is_ever_left_out(steps: list[tuple[str, int, int]], errors: int, percent: int) -> None:
    members = [endpoint(number) for number in range(8)]
    ejector = Ejector(Ejection(errors, 30_000, percent))
    ejector.watch(members)
    now = 0.0
    for step, number, amount in steps:
        if step == "fail":
            ejector.failed(members[number % len(members)], now)
        elif step == "good":
            members[number % len(members)].failures = 0
        elif step == "time":
            now += amount
            ejector.readmit(now)
            assert all((one.ejected_until or 0) > now for one in ejector.ejected)
        elif step == "shrink":
            members = members[: max(1, number)]
            ejector.watch(members)
        else:
            percent = amount
            ejector.adopt(Ejection(errors, number * 1000 + 1, percent))
        assert len(ejector.ejected) <= len(members) * percent // 100
        assert {id(one) for one in members if one.is_ejected} == {id(one) for one in ejector.ejected}


def test_after_so_many_errors_in_a_row_for_so_long() -> None:
    one, other = endpoint(1), endpoint(2)
    ejector = Ejector(Ejection(3, 30_000, 50))
    ejector.watch([one, other])
    assert [ejector.failed(one, 10.0), ejector.failed(one, 11.0)] == [False, False]
    one.failures = 0  # it has answered
    assert [ejector.failed(one, 12.0) for _ in range(3)] == [False, False, True]
    assert ejector.next_return == 42.0
    assert not ejector.readmit(41.9)
    assert ejector.readmit(42.0)
    back: tuple[bool, int, float | None] = (one.is_ejected, one.failures, ejector.next_return)
    assert back == (False, 0, None)


def test_who_is_left_out_already_stays_as_long_as_was_said() -> None:
    one = endpoint(1)
    ejector = Ejector(Ejection(1, 1000, 100))
    ejector.watch([one])
    assert ejector.failed(one, 0.0)
    assert not ejector.failed(one, 0.5)
    assert one.ejected_until == 1.0


def test_without_settings_nobody_is_left_out() -> None:
    one = endpoint(1)
    ejector = Ejector(None)
    ejector.watch([one])
    assert not any(ejector.failed(one, 0.0) for _ in range(100))


def test_who_has_gone_is_not_counted() -> None:
    one, other = endpoint(1), endpoint(2)
    ejector = Ejector(Ejection(1, 1000, 50))
    ejector.watch([one, other])
    assert ejector.failed(one, 0.0)
    ejector.watch([other, endpoint(3)])
    assert ejector.ejected == ()
    assert ejector.failed(other, 0.0)
    assert not ejector.failed(one, 5.0)
