"""The metrics of one process: what counts, and how it stands."""

from __future__ import annotations

from collections import Counter
from functools import partial

from meshproof.runtime.telemetry.metrics.catalogue import (
    CATALOGUE,
    DECISIONS,
    DURATION,
    ENVOY_BOUNDS,
    OVERFLOWS,
    REQUEST_BYTES,
    REQUEST_LABELS,
    REQUEST_MESSAGES,
    REQUESTS,
    RESPONSE_BYTES,
    RESPONSE_MESSAGES,
    SHADOW_DECISIONS,
    Kind,
    Metric,
)
from meshproof.runtime.telemetry.metrics.cells import Cell, HistogramCell, RequestCell, Series
from meshproof.runtime.telemetry.metrics.snapshot import Labels, Sample, Snapshot

_OF_REQUESTS = {REQUESTS, DURATION, REQUEST_BYTES, RESPONSE_BYTES, REQUEST_MESSAGES, RESPONSE_MESSAGES}
_MADE = {*_OF_REQUESTS, SHADOW_DECISIONS, OVERFLOWS}
"""Metrics that a snapshot derives."""

OBSERVE = "observe"


class Registry:
    """All cells. Nothing here is for more than one thread."""

    def __init__(self) -> None:
        self._overflows: Counter[str] = Counter()
        make = partial(RequestCell, len(ENVOY_BOUNDS) + 1)
        self.requests = Series(REQUESTS.name, REQUEST_LABELS, make, self._overflows)
        self._numbers = {
            metric: Series(metric.name, metric.labels, Cell, self._overflows)
            for metric in CATALOGUE
            if metric.kind is not Kind.HISTOGRAM and metric not in _MADE
        }
        self._histograms = {
            metric: Series(metric.name, metric.labels, partial(HistogramCell, metric.bounds), self._overflows)
            for metric in CATALOGUE
            if metric.kind is Kind.HISTOGRAM and metric not in _MADE
        }

    def number(self, metric: Metric, *labels: str) -> Cell:
        """The cell of a counter or a gauge."""
        return self._numbers[metric].cell(labels)

    def histogram(self, metric: Metric, *labels: str) -> HistogramCell:
        """The cell of a histogram."""
        return self._histograms[metric].cell(labels)

    def forget(self, metric: Metric) -> None:
        """All series of a gauge, of which what they told no longer is."""
        self._numbers[metric] = Series(metric.name, metric.labels, Cell, self._overflows)

    def snapshot(self) -> Snapshot:
        """How it stands."""
        found: dict[str, dict[Labels, Sample]] = {metric.name: {} for metric in CATALOGUE}
        for labels, cell in self.requests.cells.items():
            for name, sample in _of_requests(cell).items():
                found[name][labels] = sample
        for metric, numbers in self._numbers.items():
            for labels, number in numbers.cells.items():
                found[metric.name][labels] = Sample(number.value)
        for metric, histograms in self._histograms.items():
            for labels, histogram in histograms.cells.items():
                found[metric.name][labels] = Sample(histogram.sum, tuple(histogram.buckets))
        found[SHADOW_DECISIONS.name] = _shadow(found[DECISIONS.name])
        found[OVERFLOWS.name] = {(name,): Sample(count) for name, count in self._overflows.items()}
        return {name: series for name, series in found.items() if series}


def _of_requests(cell: RequestCell) -> dict[str, Sample]:
    found = {
        REQUESTS.name: Sample(sum(cell.seconds)),
        DURATION.name: Sample(cell.seconds_sum * 1000, tuple(cell.seconds)),
        REQUEST_BYTES.name: Sample(cell.received_sum, tuple(cell.received)),
        RESPONSE_BYTES.name: Sample(cell.sent_sum, tuple(cell.sent)),
    }
    if cell.messages_received or cell.messages_sent:
        found[REQUEST_MESSAGES.name] = Sample(cell.messages_received)
        found[RESPONSE_MESSAGES.name] = Sample(cell.messages_sent)
    return found


def _shadow(decisions: dict[Labels, Sample]) -> dict[Labels, Sample]:
    """What would have been decided: a request that was let through because it is only observed is refused."""
    found: dict[Labels, Sample] = {}
    for labels, sample in decisions.items():
        decision = "deny" if labels[0] == OBSERVE else labels[0]
        key = (decision, *labels[1:])
        found[key] = Sample(found[key].value + sample.value if key in found else sample.value)
    return found
