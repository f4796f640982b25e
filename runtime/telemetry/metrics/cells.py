"""What is counted, as cells that the hot path adds to, and their series, which have caps."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

from meshproof.runtime.telemetry.metrics.snapshot import Labels

OVERFLOW = "overflow"
"""The value of a label that has too many."""

MOST_VALUES = 1000
_MOST_BY_LABEL = {"response_code": 64, "response_flags": 64, "event": 64, "what": 128, "metric": 64}
MOST_SERIES = 10_000


class Cell:
    """One number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class HistogramCell:
    """How many values fell into each bucket, and their sum."""

    __slots__ = ("_bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self.buckets[bisect_left(self._bounds, value)] += 1
        self.sum += value


class RequestCell:
    """All that Istio's metrics say of requests of one kind; they have the same labels.

    How many there were is told by the buckets of any of the three. Durations are in seconds.
    """

    __slots__ = (
        "messages_received",
        "messages_sent",
        "received",
        "received_sum",
        "seconds",
        "seconds_sum",
        "sent",
        "sent_sum",
    )

    def __init__(self, buckets: int) -> None:
        self.seconds = [0] * buckets
        self.received = [0] * buckets
        self.sent = [0] * buckets
        self.seconds_sum = 0.0
        self.received_sum = self.sent_sum = 0
        self.messages_received = self.messages_sent = 0


_T = TypeVar("_T")


class Series(Generic[_T]):
    """The cells of one metric. The values of a label, and the series, have a cap; what is beyond shares a series."""

    def __init__(self, name: str, labels: Labels, make: Callable[[], _T], overflows: Counter[str]) -> None:
        self._name = name
        self._make = make
        self._overflows = overflows
        self._caps = tuple(_MOST_BY_LABEL.get(label, MOST_VALUES) for label in labels)
        self._seen: tuple[set[str], ...] = tuple(set() for _ in labels)
        self._beyond = tuple(OVERFLOW for _ in labels)
        self.cells: dict[Labels, _T] = {}

    def cell(self, labels: Labels) -> _T:
        """The cell of these values of the labels. Whoever counts often keeps it."""
        found = self.cells.get(labels)
        if found is None:
            labels = self._bounded(labels)
            found = self.cells.get(labels)
            if found is None:
                found = self.cells[labels] = self._make()
        return found

    def _bounded(self, labels: Labels) -> Labels:
        found = tuple(
            value if value in seen or len(seen) < cap else OVERFLOW
            for value, seen, cap in zip(labels, self._seen, self._caps, strict=True)
        )
        if found not in self.cells and len(self.cells) >= MOST_SERIES:
            found = self._beyond
        if found != labels:
            self._overflows[self._name] += 1
        else:
            for value, seen in zip(labels, self._seen, strict=True):
                seen.add(value)
        return found
