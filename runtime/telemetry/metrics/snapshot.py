"""The metrics of one process as plain data, which another process can read and add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshproof.runtime.telemetry.metrics.catalogue import BY_NAME, CATALOGUE, Kind, Merge


class SnapshotError(Exception):
    """A text is no snapshot. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of one series: of a histogram the sum, and how many fell into each bucket, the last one included."""

    value: float
    buckets: tuple[int, ...] = ()


Labels = tuple[str, ...]
Snapshot = Mapping[str, Mapping[Labels, Sample]]
"""Series by the name of their metric and the values of its labels."""


def dump(snapshot: Snapshot) -> bytes:
    """One line of JSON."""
    told = {
        name: [[list(labels), sample.value, list(sample.buckets)] for labels, sample in series.items()]
        for name, series in snapshot.items()
    }
    return json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"


def load(text: bytes) -> Snapshot:
    """What `dump` wrote, by a worker of this very version. Raises `SnapshotError`."""
    try:
        told = json.loads(text)
        return {
            name: {tuple(labels): Sample(value, tuple(buckets)) for labels, value, buckets in series}
            for name, series in told.items()
            if name in BY_NAME
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise SnapshotError("it is no snapshot of metrics") from None


def total(snapshots: Iterable[Snapshot]) -> Snapshot:
    """All of them as if one process had counted."""
    found: dict[str, dict[Labels, Sample]] = {}
    for snapshot in snapshots:
        for name, series in snapshot.items():
            merge = BY_NAME[name].merge
            into = found.setdefault(name, {})
            for labels, sample in series.items():
                seen = into.get(labels)
                into[labels] = sample if seen is None else _merged(merge, seen, sample)
    return found


def lasting(snapshot: Snapshot) -> Snapshot:
    """What stays of a process that has ended: its counts, which never go back, and not how it was."""
    kept = {metric.name for metric in CATALOGUE if metric.kind is not Kind.GAUGE}
    return {name: series for name, series in snapshot.items() if name in kept}


def _merged(merge: Merge, one: Sample, other: Sample) -> Sample:
    match merge:
        case Merge.SUM:
            buckets = tuple(map(int.__add__, one.buckets, other.buckets))
            return Sample(one.value + other.value, buckets)
        case Merge.MIN:
            return one if one.value <= other.value else other
        case Merge.MAX:
            return one if one.value >= other.value else other


class Totals:
    """The metrics of all workers, in their parent. Those of a worker that has ended still count."""

    def __init__(self) -> None:
        self._alive: dict[int, Snapshot] = {}
        self._gone: Snapshot = {}

    def told(self, worker: int, snapshot: Snapshot) -> None:
        """A worker, by the number of its process, says how it stands."""
        self._alive[worker] = snapshot

    def ended(self, worker: int) -> None:
        """It has ended; what it counted since it last told is lost with it."""
        last = self._alive.pop(worker, None)
        if last is not None:
            self._gone = total((self._gone, lasting(last)))

    def snapshot(self, *more: Snapshot) -> Snapshot:
        """All together, with `more`, which is the parent's own."""
        return total((self._gone, *self._alive.values(), *more))
