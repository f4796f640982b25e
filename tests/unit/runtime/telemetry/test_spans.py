"""Spans reach whoever exports them in batches; who is slow or gone costs spans, never requests, and each is counted."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from tests.strategies.telling import ALLOWED, FRONT, REFUSED, connection, record

from meshproof.runtime.core.messages import Side
from meshproof.runtime.telemetry.spans import Span, SpanQueue, span_of

_TRACE = "0af7651916cd43dd8448eb211c80319c"


def _nothing() -> None:
    pass


def test_all_spans_are_exported_and_then_the_end_is_told() -> None:
    taken: list[Span] = []
    ended = Event()

    def export(spans: Sequence[Span]) -> bool:
        taken.extend(spans)
        return True

    queue = SpanQueue(export, ended.set)
    for number in range(1000):
        queue.add(record(connection(), status=200 + number % 5), 1.0, 2.0)
    queue.close(10)
    assert ended.is_set()
    assert (len(taken), queue.exported, queue.failed, queue.dropped) == (1000, 1000, 0, 0)


def test_a_collector_that_hangs_costs_spans_and_no_more() -> None:
    release, began = Event(), Event()

    def export(_: Sequence[Span]) -> bool:
        began.set()
        return release.wait(10)

    queue = SpanQueue(export, _nothing, most=10)
    for _ in range(10):
        queue.add(record(connection()), 1.0, 2.0)
    queue.flush()
    assert began.wait(10)
    for _ in range(7):
        queue.add(record(connection()), 1.0, 2.0)
    assert queue.dropped == 7
    release.set()
    queue.close(10)
    assert (queue.exported, queue.dropped, queue.failed) == (10, 7, 0)


def test_what_no_collector_takes_is_counted() -> None:
    queue = SpanQueue(lambda _: False, _nothing)
    queue.add(record(connection()), 1.0, 2.0)
    queue.close(10)
    assert (queue.exported, queue.failed) == (0, 1)


def test_a_span_says_who_called_and_what_was_decided() -> None:
    of = record(connection(), span_id="1" * 16, parent_span_id="2" * 16, decision=ALLOWED)
    span = span_of(of, 10.5, 10.75, frozenset())
    assert (span.name, span.is_server, span.trace_id) == ("GET catalog", True, _TRACE)
    assert (span.span_id, span.parent_span_id) == ("1" * 16, "2" * 16)
    assert (span.started, span.ended, span.has_failed) == (10_500_000_000, 10_750_000_000, False)
    said = dict(span.attributes)
    assert said["url.path"] == "/items/7"
    assert said["http.response.status_code"] == 200
    assert (said["meshproof.source"], said["meshproof.decision"], said["meshproof.rule"]) == (FRONT, "allow", "browse")
    assert "page" not in repr(span)  # queries may hold secrets


def test_what_the_access_log_hides_spans_hide_too() -> None:
    said = dict(span_of(record(connection()), 1.0, 2.0, frozenset({"path", "authority", "peer"})).attributes)
    assert not {"url.path", "server.address", "meshproof.source"} & set(said)


def test_a_refusal_is_an_error_of_the_caller_alone() -> None:
    refused = record(connection(), status=403, decision=REFUSED)
    assert not span_of(refused, 1.0, 2.0, frozenset()).has_failed
    outbound = record(connection(side=Side.OUTBOUND), status=403)
    assert span_of(outbound, 1.0, 2.0, frozenset()).has_failed
    assert span_of(record(connection(), status=503), 1.0, 2.0, frozenset()).has_failed
