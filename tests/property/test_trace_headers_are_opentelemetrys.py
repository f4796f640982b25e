"""Trace headers are read and written as OpenTelemetry's propagators do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.tracing import SPAN, TRACE, digits, noise, states, traced

from meshproof.runtime.core.tracing import b3, w3c, xray
from meshproof.runtime.core.tracing.context import Format, TraceContext
from meshproof.runtime.core.tracing.tracer import TraceSettings

if TYPE_CHECKING:
    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import SpanContext

pytestmark = pytest.mark.oracle

PARSE = {
    Format.W3C: w3c.parse,
    Format.B3_SINGLE: b3.parse_single,
    Format.B3_MULTI: b3.parse_multi,
    Format.XRAY: xray.parse,
}
EMIT = {Format.W3C: w3c.emit, Format.B3_SINGLE: b3.emit_single, Format.B3_MULTI: b3.emit_multi, Format.XRAY: xray.emit}


def _propagator(of: Format) -> TextMapPropagator:
    from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator  # noqa: PLC0415  an oracle
    from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    made: dict[Format, Callable[[], TextMapPropagator]] = {
        Format.W3C: TraceContextTextMapPropagator,
        Format.B3_SINGLE: B3SingleFormat,
        Format.B3_MULTI: B3MultiFormat,
        Format.XRAY: AwsXRayPropagator,
    }
    return made[of]()


def _extracted(of: Format, lines: dict[bytes, bytes]) -> SpanContext:
    from opentelemetry import trace  # noqa: PLC0415

    carrier = {name.decode(): value.decode("latin-1") for name, value in lines.items()}
    if of is Format.XRAY and (value := carrier.pop("x-amzn-trace-id", None)) is not None:
        carrier["X-Amzn-Trace-Id"] = value  # it is not asked for in lower case
    return trace.get_current_span(_propagator(of).extract(carrier)).get_span_context()


def _injected(of: Format, context: TraceContext) -> dict[bytes, bytes]:
    from opentelemetry import trace  # noqa: PLC0415

    state = [tuple(member.split("=", 1)) for member in context.state.decode().split(",") if member]
    span = trace.SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(1 if context.is_sampled else 0),
        trace_state=trace.TraceState([(pair[0], pair[1]) for pair in state]),
    )
    carrier: dict[str, str] = {}
    _propagator(of).inject(carrier, trace.set_span_in_context(trace.NonRecordingSpan(span)))
    return {name.lower().encode(): value.encode() for name, value in carrier.items()}


@given(digits(32), digits(16), st.booleans(), states(), st.sampled_from(tuple(Format)))
def test_what_we_write_is_read_there_and_what_is_written_there_is_read_here(
    trace: str, span: str, is_sampled: bool, state: str, of: Format
) -> None:
    context = TraceContext(trace, span, is_sampled, state=state.encode() if of is Format.W3C else b"")
    read = _extracted(of, dict(EMIT[of](context)))
    assert (read.trace_id, read.span_id) == (int(trace, 16), int(span, 16))
    assert read.trace_flags.sampled is is_sampled
    assert ",".join(f"{key}={value}" for key, value in read.trace_state.items()).encode() == context.state
    assert PARSE[of](_injected(of, context)) == context


@given(
    noise().map(lambda value: value.strip(b" \t"))
    | st.from_regex(rb"(00|01|ff)-[0-9a-f]{32}-[0-9a-f]{15,16}-0[0-9](-[a-z]{0,2})?", fullmatch=True)
)
def test_both_take_the_same_parents(value: bytes) -> None:
    lines = {b"traceparent": value}
    # `$` of a Python expression takes a line end, and `.` none; a header has none.
    if not re.search(rb"[\r\n]", value):
        assert (w3c.parse(lines) is not None) is _extracted(Format.W3C, lines).is_valid


@given(noise())
def test_what_we_take_of_b3_and_x_ray_is_taken_there_as_the_same(value: bytes) -> None:
    for of, name in ((Format.B3_SINGLE, b"b3"), (Format.XRAY, b"x-amzn-trace-id")):
        found = PARSE[of]({name: value})
        if found is not None and found.span_id:
            read = _extracted(of, {name: value})
            assert (f"{read.trace_id:032x}", f"{read.span_id:016x}") == (found.trace_id, found.span_id)


@given(digits(32), st.floats(0, 1))
def test_the_same_traces_are_sampled(trace: str, ratio: float) -> None:
    from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased  # noqa: PLC0415

    there = TraceIdRatioBased(ratio).should_sample(None, int(trace, 16), "").decision is Decision.RECORD_AND_SAMPLE
    _, record = traced((b"b3", f"{trace}-{SPAN}".encode()), settings=TraceSettings(ratio=ratio))
    assert record.is_sampled is there


def test_the_propagators_refuse_at_all() -> None:
    assert not _extracted(Format.W3C, {b"traceparent": b"x"}).is_valid
    assert _extracted(Format.W3C, {b"traceparent": f"00-{TRACE}-{SPAN}-01".encode()}).is_valid
