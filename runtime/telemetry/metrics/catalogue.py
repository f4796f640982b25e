"""Every metric that is exported: one place for its name, its labels and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What Prometheus calls the type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """How the values of several workers become one."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `bounds` are the upper ends of the buckets of a histogram, in its unit, without the last one."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()
    merge: Merge = Merge.SUM


_SIDES = tuple(
    f"{side}_{what}"
    for side in ("source", "destination")
    for what in (
        "workload",
        "workload_namespace",
        "principal",
        "app",
        "version",
        "cluster",
        "canonical_service",
        "canonical_revision",
    )
)
TCP_LABELS = (
    "reporter",
    *_SIDES,
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "request_protocol",
    "response_flags",
    "connection_security_policy",
)
"""Istio's labels of connections."""

REQUEST_LABELS = (*TCP_LABELS, "response_code", "grpc_response_status")
"""Istio's labels of requests."""

ENVOY_BOUNDS = (
    *(0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4),
    *(3e5, 6e5, 1.8e6, 3.6e6),
)
"""Those of Envoy's histograms, so that queries over both kinds of proxies fit."""

_DECISION_BOUNDS = (1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
_DECIDED = ("decision", "rule", "source", "destination", "reason")


def _counter(name: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, text)


def _gauge(name: str, labels: tuple[str, ...], text: str, merge: Merge = Merge.SUM) -> Metric:
    return Metric(name, Kind.GAUGE, labels, text, (), merge)


def _histogram(name: str, labels: tuple[str, ...], text: str, bounds: tuple[float, ...]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, labels, text, bounds)


REQUESTS = _counter("istio_requests_total", REQUEST_LABELS, "Requests that have ended.")
DURATION = _histogram("istio_request_duration_milliseconds", REQUEST_LABELS, "How long requests took.", ENVOY_BOUNDS)
REQUEST_BYTES = _histogram("istio_request_bytes", REQUEST_LABELS, "Bytes of the bodies of requests.", ENVOY_BOUNDS)
RESPONSE_BYTES = _histogram("istio_response_bytes", REQUEST_LABELS, "Bytes of the bodies of responses.", ENVOY_BOUNDS)
REQUEST_MESSAGES = _counter("istio_request_messages_total", REQUEST_LABELS, "Messages of gRPC from clients.")
RESPONSE_MESSAGES = _counter("istio_response_messages_total", REQUEST_LABELS, "Messages of gRPC from servers.")
TCP_OPENED = _counter("istio_tcp_connections_opened_total", TCP_LABELS, "Connections over TCP that were accepted.")
TCP_CLOSED = _counter("istio_tcp_connections_closed_total", TCP_LABELS, "Connections over TCP that have ended.")
TCP_SENT = _counter("istio_tcp_sent_bytes_total", TCP_LABELS, "Bytes to clients over TCP.")
TCP_RECEIVED = _counter("istio_tcp_received_bytes_total", TCP_LABELS, "Bytes from clients over TCP.")
DECISIONS = _counter("meshproof_decisions_total", _DECIDED, "Decisions: allow, deny, or observe (a deny let through).")
SHADOW_DECISIONS = _counter(
    "meshproof_shadow_decisions_total", _DECIDED, "The same decisions as they were if nothing was only observed."
)
AUDITED = _counter(
    "meshproof_audited_total", ("rule", "source", "destination"), "Requests that meet an audited rule, however decided."
)
DECISION_SECONDS = _histogram(
    "meshproof_decision_seconds", (), "How long decisions took, where that was measured.", _DECISION_BOUNDS
)
POLICY_INFO = _gauge("meshproof_policy_info", ("hash",), "1 for the policy that is in force.", Merge.MAX)
POLICY_TAKEN = _gauge(
    "meshproof_policy_taken_seconds", ("hash",), "When the policy came into force here, in seconds of 1970.", Merge.MIN
)
CONFIG_RELOADS = _counter(
    "meshproof_config_reload_total", ("result",), "New policies and settings, by whether they were taken."
)
CERTIFICATE_EXPIRY = _gauge(
    "meshproof_certificate_expiry_seconds",
    ("spiffe_id",),
    "When its certificate expires, in seconds of 1970.",
    Merge.MIN,
)
FAULTS = _counter("meshproof_faults_total", ("what",), "Peers that were refused before there was a request, by kind.")
CONNECTIONS = _gauge("meshproof_connections_open", ("side",), "Connections from clients that are open.")
EVENTS = _counter(
    "meshproof_upstream_events_total", ("destination", "event"), "What happened on the way to destinations."
)
WORKER_EXITS = _counter("meshproof_worker_exits_total", ("how",), "Worker processes that have ended.")
LOG_LINES = _counter("meshproof_log_lines_total", ("log",), "Lines that were written to a log.")
LOG_LOST = _counter(
    "meshproof_log_lines_lost_total", ("log",), "Lines that no log holds: it was full, or nobody read it."
)
SPANS = _counter("meshproof_spans_total", ("result",), "Spans: exported, dropped (no room), or failed.")
OVERFLOWS = _counter(
    "meshproof_metric_overflows_total", ("metric",), "Series that were not made, because a label has too many values."
)
BUILD_INFO = _gauge("meshproof_build_info", ("version",), "1 for the version that runs.", Merge.MAX)

CATALOGUE = (
    REQUESTS,
    DURATION,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    REQUEST_MESSAGES,
    RESPONSE_MESSAGES,
    TCP_OPENED,
    TCP_CLOSED,
    TCP_SENT,
    TCP_RECEIVED,
    DECISIONS,
    SHADOW_DECISIONS,
    AUDITED,
    DECISION_SECONDS,
    POLICY_INFO,
    POLICY_TAKEN,
    CONFIG_RELOADS,
    CERTIFICATE_EXPIRY,
    FAULTS,
    CONNECTIONS,
    EVENTS,
    WORKER_EXITS,
    LOG_LINES,
    LOG_LOST,
    SPANS,
    OVERFLOWS,
    BUILD_INFO,
)
"""All of them, in the order in which they are shown."""

BY_NAME = {metric.name: metric for metric in CATALOGUE}
