"""A collector that speaks OTLP gets spans and metrics; one that is gone costs what was to be told, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.strategies.telling import WALL, connection, record, sink

from meshproof.runtime.telemetry.spans import span_of

pytestmark = pytest.mark.oracle

_TRACE = "0af7651916cd43dd8448eb211c80319c"


class _Collector(BaseHTTPRequestHandler):
    got: list[tuple[str, bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, body))
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: its own log is not what is tested."""


@pytest.fixture(name="collector")
def _collector() -> Iterator[tuple[str, type[_Collector]]]:
    handler = type("Collector", (_Collector,), {"got": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_arrive_with_their_place_in_the_trace(collector: tuple[str, type[_Collector]]) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415  an oracle
        ExportTraceServiceRequest,
    )

    from meshproof.runtime.telemetry.otlp import OtlpSpans  # noqa: PLC0415

    url, handler = collector
    exporter = OtlpSpans(f"{url}/v1/traces", "catalog")
    one = record(connection(), span_id="1" * 16, parent_span_id="2" * 16)
    assert exporter.export([span_of(one, 10.0, 11.0, frozenset())])
    exporter.close()
    [(path, body)] = handler.got
    assert path == "/v1/traces"
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes} == {"service.name": "catalog"}
    [span] = resource.scope_spans[0].spans
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (_TRACE, "1" * 16, "2" * 16)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (10_000_000_000, 11_000_000_000)
    said = {one.key: one.value.string_value for one in span.attributes}
    assert (said["meshproof.rule"], said["meshproof.decision"]) == ("browse", "allow")


def test_metrics_arrive_as_they_stand(collector: tuple[str, type[_Collector]]) -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: PLC0415  an oracle
        ExportMetricsServiceRequest,
    )

    from meshproof.runtime.telemetry.otlp import OtlpMetrics  # noqa: PLC0415

    url, handler = collector
    told = sink()
    told.request(record(connection()))
    told.request(record(connection()))
    told.certificate("spiffe://cluster.local/ns/shop/sa/catalog", WALL)
    exporter = OtlpMetrics(f"{url}/v1/metrics", "catalog", 5)
    assert exporter.export(told.snapshot(), 7)
    exporter.close()
    [(path, body)] = handler.got
    assert path == "/v1/metrics"
    metrics = {
        one.name: one
        for one in ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    }
    [requests] = metrics["istio_requests_total"].sum.data_points
    assert (requests.as_double, requests.start_time_unix_nano, requests.time_unix_nano) == (2, 5, 7)
    assert metrics["istio_requests_total"].sum.is_monotonic
    assert {one.key: one.value.string_value for one in requests.attributes}["source_workload"] == "front"
    [duration] = metrics["istio_request_duration_milliseconds"].histogram.data_points
    assert (duration.count, len(duration.bucket_counts), len(duration.explicit_bounds)) == (2, 20, 19)
    assert metrics["meshproof_certificate_expiry_seconds"].gauge.data_points[0].as_double == WALL


def test_a_collector_that_refuses_or_is_gone_fails_and_raises_nothing(
    collector: tuple[str, type[_Collector]], capfd: pytest.CaptureFixture[str]
) -> None:
    from meshproof.runtime.telemetry.otlp import OtlpMetrics, OtlpSpans  # noqa: PLC0415  an extra

    url, handler = collector
    handler.status = 400
    spans, metrics = OtlpSpans(f"{url}/v1/traces", "catalog", 0.3), OtlpMetrics(f"{url}/v1/metrics", "catalog", 5, 0.3)
    one = span_of(record(connection(), span_id="1" * 16), 10.0, 11.0, frozenset())
    assert not spans.export([one])
    assert not metrics.export(sink().snapshot(), 7)
    spans.close()
    metrics.close()
    gone = OtlpSpans("http://127.0.0.1:9/v1/traces", "catalog", 0.3)
    assert not gone.export([one])
    gone.close()
    assert capfd.readouterr().err == ""
