"""A fault that repeats is told at once, then once a minute with its count, and nothing is lost at the end."""

from __future__ import annotations

from meshproof.runtime.telemetry.repeating import Repeating


def test_a_fault_is_told_at_once_and_then_once_a_minute_with_its_count() -> None:
    told: list[tuple[str, dict[str, str | int]]] = []
    faults = Repeating("refused", lambda event, **said: told.append((event, said)))
    faults.tick(100.0)
    for _ in range(5):
        faults.add("it speaks no TLS")
    faults.add("it is too slow")
    assert told == [
        ("refused", {"what": "it speaks no TLS", "times": 1}),
        ("refused", {"what": "it is too slow", "times": 1}),
    ]
    told.clear()
    faults.tick(159.0)
    assert told == []
    faults.tick(160.0)
    assert told == [("refused", {"what": "it speaks no TLS", "times": 4})]
    told.clear()
    faults.tick(500.0)
    assert told == []
    faults.add("it speaks no TLS")
    faults.add("it speaks no TLS")
    assert [said["times"] for _, said in told] == [1]
    told.clear()
    faults.close()
    assert told == [("refused", {"what": "it speaks no TLS", "times": 1})]


def test_kinds_are_bounded() -> None:
    told: list[str] = []
    faults = Repeating("refused", lambda event, **said: told.append(f"{event} {said}"))
    for number in range(1000):
        faults.add(f"what {number}")
    assert len(told) == 256
