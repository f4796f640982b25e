"""Metrics in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from meshproof.runtime.telemetry.metrics.catalogue import CATALOGUE, Kind, Metric
from meshproof.runtime.telemetry.metrics.snapshot import Labels, Sample, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposition(snapshot: Snapshot) -> bytes:
    """The text; metrics in the order of the catalogue, series by their labels."""
    lines: list[str] = []
    for metric in CATALOGUE:
        series = snapshot.get(metric.name)
        if series:
            lines.append(f"# HELP {metric.name} {metric.help}")
            lines.append(f"# TYPE {metric.name} {metric.kind.value}")
            for labels in sorted(series):
                lines += _lines(metric, labels, series[labels])
    lines.append("")
    return "\n".join(lines).encode()


def _lines(metric: Metric, labels: Labels, sample: Sample) -> Iterator[str]:
    told = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(metric.labels, labels, strict=True))
    if metric.kind is not Kind.HISTOGRAM:
        yield f"{metric.name}{_braced(told)} {_number(sample.value)}"
        return
    before = f"{told}," if told else ""
    ends = [*map(_number, metric.bounds), "+Inf"]
    counts = list(accumulate(sample.buckets))
    for end, count in zip(ends, counts, strict=True):
        yield f'{metric.name}_bucket{{{before}le="{end}"}} {count}'
    yield f"{metric.name}_sum{_braced(told)} {_number(sample.value)}"
    yield f"{metric.name}_count{_braced(told)} {counts[-1]}"


def _braced(told: str) -> str:
    return f"{{{told}}}" if told else ""


def _number(value: float) -> str:
    """As short as it can be told."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
