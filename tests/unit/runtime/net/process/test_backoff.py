"""How long to wait before a worker is started again."""

from __future__ import annotations

from meshproof.runtime.net.process.backoff import Backoff


def test_short_lives_wait_twice_as_long_each_time_and_half_a_minute_at_most() -> None:
    backoff = Backoff()
    waits = [backoff.ended(0.5) for _ in range(100)]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits[-1] == 30.0


def test_a_long_life_begins_anew() -> None:
    backoff = Backoff()
    assert [backoff.ended(lived) for lived in (1.0, 1.0, 3600.0, 1.0)] == [0.1, 0.2, 0.1, 0.2]
