"""What telling of one request costs: the trace headers, the metrics, the line of the access log, all of them together.

A request has eight header lines besides those of its trace; its connection is bound and its series are there, as they
are for all but the first. A case tells of 20,000 requests and returns the seconds of CPU of one, as the median over
slices of them. The log goes nowhere, so what writing to a file costs is the case `access log to a file`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, process_time, time

from benchmarks.case import Case
from prometheus_client import CollectorRegistry, Counter

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.names import RuleId
from meshproof.runtime.core.messages import ConnectionRecord, Record, RequestHead, ResponseHead, Side
from meshproof.runtime.core.tracing.ids import Ids
from meshproof.runtime.core.tracing.tracer import HopTracer, TraceSettings
from meshproof.runtime.telemetry.decisions import DecisionLines, DecisionLogSettings
from meshproof.runtime.telemetry.metrics.catalogue import REQUEST_LABELS
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.sink import Outputs, Sink

REQUESTS, SLICES = 20_000, 20
FIELDS = [
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en-US,en;q=0.9"),
    (b"content-type", b"application/json"),
    (b"x-forwarded-for", b"10.1.2.3"),
    (b"x-forwarded-proto", b"https"),
    (b"cache-control", b"no-cache"),
]
TRACED = [
    (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
    (b"x-request-id", b"c0ffee00-16cd-43dd-8448-eb211c80319c"),
]
DECISION = Decision(is_allowed=True, reason=Reason.RULE, determined_by=(RuleId("browse"),))


class Nowhere:
    """A log that keeps nothing."""

    lines = 0
    lost = 0

    def add(self, line: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing."""

    def close(self, seconds: float) -> None:
        """Nothing."""


def cases() -> Iterator[Case]:
    """All together first, then what it is made of, and what a library would take for the counter alone."""
    lines = DecisionLines(DecisionLogSettings())
    log = Outputs(access=Nowhere())
    yield Case(
        "metrics, access log and trace headers", partial(_told, log, is_traced=True), goal=8e-6, is_own_time=True
    )
    yield Case("metrics alone", partial(_told, Outputs(), is_traced=False), is_own_time=True)
    yield Case("metrics and access log", partial(_told, log, is_traced=False), is_own_time=True)
    yield Case("metrics, access log to a file", _to_a_file, is_own_time=True)
    decided = Outputs(decisions=Nowhere(), decision_lines=lines)
    yield Case("metrics and decision log", partial(_told, decided, is_traced=False), is_own_time=True)
    yield Case("trace headers that are continued", partial(_traced, TRACED), is_own_time=True)
    yield Case("trace headers that begin", partial(_traced, []), is_own_time=True)
    yield Case("prometheus-client: one counter with these labels", _library, is_own_time=True)


def _records(extra: list[tuple[bytes, bytes]]) -> list[Record]:
    found = []
    connection = ConnectionRecord(
        Side.INBOUND,
        "10.0.0.1:8443",
        "catalog",
        8080,
        "10.0.0.7:51234",
        "spiffe://cluster.local/ns/shop/sa/front",
        is_tls=True,
    )
    response = ResponseHead(200, [(b"content-type", b"application/json")], 1234)
    for number in range(REQUESTS):
        head = RequestHead("GET", f"/items/{number}?page=7", "catalog.shop", FIELDS + extra)
        at = number * 1e-4
        record = Record(connection, head, at, 0.0, at + 0.001, at + 0.0015, 200, "", DECISION, "sha256:0123456789ab")
        record.response, record.sent, record.upstream = response, 1234, "127.0.0.1:8080"
        found.append(record)
    return found


def _told(outputs: Outputs, *, is_traced: bool) -> float:
    sink = Sink(Registry(), outputs, 1_790_000_000.0, 0.0)
    records = _records(TRACED)
    sink.opened(records[0].connection)
    tracer = HopTracer(TraceSettings(), Ids(os.urandom), time)

    def tell(part: slice) -> None:
        for record in records[part]:
            if is_traced:
                tracer(record.head, record)
            sink.request(record)

    return _median(tell)


def _to_a_file() -> float:
    from meshproof.runtime.telemetry.lines import BackgroundLog, PlainFile  # noqa: PLC0415  it has a thread

    with tempfile.TemporaryDirectory() as folder:
        file = PlainFile(Path(folder) / "access.log", monotonic)
        log = BackgroundLog(file.write, file.close)
        sink = Sink(Registry(), Outputs(access=log), 1_790_000_000.0, 0.0)
        records = _records(TRACED)

        begin = process_time()
        for record in records:
            sink.request(record)
        sink.close(10)
        return (process_time() - begin) / REQUESTS


def _traced(extra: list[tuple[bytes, bytes]]) -> float:
    records = _records(extra)
    tracer = HopTracer(TraceSettings(), Ids(os.urandom), time)

    def trace(part: slice) -> None:
        for record in records[part]:
            tracer(record.head, record)

    return _median(trace)


def _library() -> float:
    counter = Counter("istio_requests", "Requests.", REQUEST_LABELS, registry=CollectorRegistry())
    values = tuple(f"value-{label}" for label in REQUEST_LABELS)

    def count(part: slice) -> None:
        for _ in range(REQUESTS)[part]:
            counter.labels(*values).inc()

    return _median(count)


def _median(tell: Callable[[slice], None]) -> float:
    size = REQUESTS // SLICES
    found = []
    for start in range(0, REQUESTS, size):
        begin = process_time()
        tell(slice(start, start + size))
        found.append((process_time() - begin) / size)
    return median(found)
