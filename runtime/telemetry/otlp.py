"""Spans and metrics to a collector, by OpenTelemetry's own exporters over HTTP. Needs the extra `otel`.

Nothing here is for the hot path: whoever calls is in a thread of its own. Exporters also read what the environment says
(`OTEL_EXPORTER_OTLP_HEADERS`, certificates, compression), so secrets of a collector stand in no settings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Exported
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from meshproof.runtime.telemetry.metrics.catalogue import CATALOGUE, Kind, Metric
from meshproof.runtime.telemetry.metrics.snapshot import Labels, Sample, Snapshot
from meshproof.runtime.telemetry.spans import Span

_SCOPE = InstrumentationScope("meshproof")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SECONDS = 5.0

logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
logging.getLogger("opentelemetry").propagate = False  # what fails is counted; the journal is JSON


class OtlpSpans:
    """Exports spans of one service."""

    def __init__(self, endpoint: str, service: str, seconds: float = _SECONDS) -> None:
        """`endpoint` as in `http://HOST:4318/v1/traces`; `seconds` a batch may take, all tries included."""
        self._exporter = OTLPSpanExporter(endpoint, timeout=seconds)
        self._shutdown: Callable[[], object] = self._exporter.shutdown
        self._resource = Resource({"service.name": service})

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector has taken them."""
        try:
            result = self._exporter.export([self._readable(span) for span in spans])
        except Exception:  # noqa: BLE001  whatever it is, it must not end the thread: these spans are lost, and counted
            return False
        return result is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Nothing more is exported."""
        self._shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        parent = _context(span.trace_id, span.parent_span_id) if span.parent_span_id else None
        return ReadableSpan(
            span.name,
            _context(span.trace_id, span.span_id),
            parent,
            self._resource,
            dict(span.attributes),
            kind=SpanKind.SERVER if span.is_server else SpanKind.CLIENT,
            status=Status(StatusCode.ERROR if span.has_failed else StatusCode.UNSET),
            start_time=span.started,
            end_time=span.ended,
            instrumentation_scope=_SCOPE,
        )


class OtlpMetrics:
    """Exports metrics as they stand: sums since the start."""

    def __init__(self, endpoint: str, service: str, started: int, seconds: float = _SECONDS) -> None:
        """`endpoint` as in `http://HOST:4318/v1/metrics`; `started` in nanoseconds of 1970."""
        self._exporter = OTLPMetricExporter(endpoint, timeout=seconds)
        self._resource = Resource({"service.name": service})
        self._started = started

    def export(self, snapshot: Snapshot, now: int) -> bool:
        """Whether the collector has taken them; `now` in nanoseconds of 1970."""
        metrics = [_exported(metric, snapshot[metric.name], self._started, now) for metric in _known(snapshot)]
        scope = ScopeMetrics(_SCOPE, metrics, "")
        try:
            result = self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))
        except Exception:  # noqa: BLE001  as above
            return False
        return result is MetricExportResult.SUCCESS

    def close(self) -> None:
        """Nothing more is exported."""
        self._exporter.shutdown()


def _known(snapshot: Snapshot) -> Iterator[Metric]:
    return (metric for metric in CATALOGUE if snapshot.get(metric.name))


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=_SAMPLED)


def _exported(metric: Metric, series: Mapping[Labels, Sample], started: int, now: int) -> Exported:
    cumulative = AggregationTemporality.CUMULATIVE
    data: Sum | Gauge | Histogram
    match metric.kind:
        case Kind.HISTOGRAM:
            data = Histogram(
                [_histogram(metric, labels, series[labels], started, now) for labels in series], cumulative
            )
        case Kind.COUNTER:
            data = Sum(_numbers(metric, series, started, now), cumulative, is_monotonic=True)
        case Kind.GAUGE:
            data = Gauge(_numbers(metric, series, started, now))
    return Exported(metric.name, metric.help, "", data)


def _numbers(metric: Metric, series: Mapping[Labels, Sample], started: int, now: int) -> list[NumberDataPoint]:
    return [
        NumberDataPoint(_attributes(metric, labels), started, now, float(sample.value))
        for labels, sample in series.items()
    ]


def _histogram(metric: Metric, labels: Labels, sample: Sample, started: int, now: int) -> HistogramDataPoint:
    count = sum(sample.buckets)
    ends = (0.0, 0.0)  # the wire has them as optional; none of our cells keeps them
    return HistogramDataPoint(
        _attributes(metric, labels), started, now, count, sample.value, sample.buckets, metric.bounds, *ends
    )


def _attributes(metric: Metric, labels: Labels) -> dict[str, str]:
    return dict(zip(metric.labels, labels, strict=True))
