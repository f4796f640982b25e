"""What goes on of the headers of one request, and what its record says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.tracing import NOW, SPAN, TRACE, counting, digits, noise, states, traced

from meshproof.runtime.core.tracing import b3, w3c, xray
from meshproof.runtime.core.tracing.context import Format, TraceContext
from meshproof.runtime.core.tracing.tracer import HopTracer, TraceSettings

PARENT = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
RID = (b"x-request-id", b"7f3c-1")
OTHER = (b"accept", b"*/*")
ALL = tuple(Format)


def test_what_came_goes_on_as_it_was_where_this_proxy_has_no_span() -> None:
    fields, record = traced(OTHER, PARENT, RID)
    assert fields == [OTHER, PARENT, RID]
    assert (record.trace_id, record.span_id, record.parent_span_id) == (TRACE, SPAN, SPAN)
    assert (record.request_id, record.is_sampled) == ("7f3c-1", True)


@pytest.mark.parametrize("state", [(), ((b"tracestate", b"a=1"),)])
def test_a_span_of_its_own_is_the_parent_of_what_goes_on(state: tuple[tuple[bytes, bytes], ...]) -> None:
    fields, record = traced(PARENT, *state, RID, settings=TraceSettings(is_recorded=True))
    assert (record.trace_id, record.parent_span_id) == (TRACE, SPAN)
    assert record.span_id != SPAN
    assert set(fields) == {(b"traceparent", f"00-{TRACE}-{record.span_id}-01".encode()), *state, RID}


def test_nothing_that_came_begins_a_trace() -> None:
    fields, record = traced(OTHER)
    sent = dict(fields)
    assert fields[0] == OTHER
    assert sent[b"traceparent"] == f"00-{record.trace_id}-{record.span_id}-02".encode()
    assert sent[b"x-request-id"].decode() == record.request_id
    assert (record.parent_span_id, record.is_sampled) == ("", False)


@pytest.mark.parametrize(
    "bad",
    [
        ((b"traceparent", b"nonsense"),),
        (PARENT, PARENT),
        ((b"traceparent", b"nonsense"), (b"tracestate", b"a=1")),
        ((b"tracestate", b"a=1"),),
        ((b"traceparent", f"00-{'0' * 32}-{SPAN}-01".encode()),),
        ((b"traceparent", f"00-{TRACE}-{'0' * 16}-01".encode()),),
    ],
)
def test_what_is_malformed_does_not_go_on(bad: tuple[tuple[bytes, bytes], ...]) -> None:
    fields, record = traced(*bad)
    assert [name for name, _ in fields] == [b"traceparent", b"x-request-id"]
    assert record.trace_id != TRACE
    assert w3c.parse(dict(fields)) is not None


@pytest.mark.parametrize("bad", [b"", b"a b", b'a"b', b"\xc3\xa9", b"x" * 129])
def test_an_odd_request_id_is_replaced(bad: bytes) -> None:
    fields, record = traced(PARENT, (b"x-request-id", bad))
    assert fields == [PARENT, (b"x-request-id", record.request_id.encode())]
    assert len(record.request_id) == 36


def test_two_request_ids_are_none() -> None:
    fields, record = traced(PARENT, RID, (b"x-request-id", b"other"))
    assert [value for name, value in fields if name == b"x-request-id"] == [record.request_id.encode()]
    assert record.request_id not in {"7f3c-1", "other"}


def test_a_state_in_several_lines_is_one() -> None:
    fields, _ = traced((b"tracestate", b"a=1"), PARENT, (b"tracestate", b"b=2"))
    assert dict(fields)[b"tracestate"] == b"a=1,b=2"


def test_the_first_format_that_is_well_formed_counts() -> None:
    other = f"{TRACE[::-1]}-{SPAN}-0".encode()
    assert traced((b"b3", other), PARENT)[1].trace_id == TRACE
    assert traced((b"b3", other), (b"traceparent", b"x"))[1].trace_id == TRACE[::-1]
    settings = TraceSettings(read=(Format.B3_SINGLE, Format.W3C))
    assert traced((b"b3", other), PARENT, settings=settings)[1].trace_id == TRACE[::-1]


def test_a_format_that_is_neither_read_nor_written_is_left_alone() -> None:
    foreign = (b"x-amzn-trace-id", b"Root=what")
    settings = TraceSettings(read=(Format.W3C,))
    assert traced(foreign, PARENT, RID, settings=settings)[0] == [foreign, PARENT, RID]
    assert foreign not in traced(foreign, PARENT, RID)[0]


@pytest.mark.parametrize(("said", "is_sampled"), [(b"0", False), (b"1", True), (b"d", True)])
def test_a_choice_without_a_trace_is_kept(said: bytes, is_sampled: bool) -> None:
    _, record = traced((b"b3", said), settings=TraceSettings(ratio=0.5))
    assert record.is_sampled is is_sampled
    assert (len(record.trace_id), record.parent_span_id) == (32, "")


def test_a_choice_that_is_left_to_others_is_made_here() -> None:
    value = (b"b3", f"{TRACE}-{SPAN}".encode())
    none, every = (TraceSettings(write=(Format.B3_SINGLE,), ratio=ratio) for ratio in (0.0, 1.0))
    assert dict(traced(value, settings=none)[0])[b"b3"] == value[1] + b"-0"
    assert dict(traced(value, settings=every)[0])[b"b3"] == value[1] + b"-1"


def test_a_trace_that_x_ray_is_told_begins_with_its_time() -> None:
    fields, record = traced(settings=TraceSettings(write=(Format.XRAY,)))
    assert int(record.trace_id[:8], 16) == int(NOW)
    assert dict(fields)[b"x-amzn-trace-id"].startswith(b"Root=1-%08x-" % int(NOW))


def test_a_root_without_a_parent_gets_a_span() -> None:
    fields, record = traced((b"x-amzn-trace-id", f"Root=1-{TRACE[:8]}-{TRACE[8:]}".encode()))
    assert (record.trace_id, record.parent_span_id, len(record.span_id)) == (TRACE, "", 16)
    assert dict(fields)[b"traceparent"] == f"00-{TRACE}-{record.span_id}-00".encode()


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_about_so_many_traces_are_sampled(ratio: float) -> None:
    ids, settings = counting(), TraceSettings(ratio=ratio)
    chosen = sum(
        traced((b"b3", f"{TRACE}-{number:016x}".encode()), settings=settings, ids=ids)[1].is_sampled
        for number in (1, 2)
    )
    assert chosen in {0, 2}  # by the trace alone, so that all proxies agree
    assert (chosen == 2) is (int(TRACE[16:], 16) < ratio * 2**64)


@given(st.lists(st.sampled_from(sorted(HopTracer(TraceSettings(), counting(), float).names)).flatmap(
    lambda name: st.tuples(st.just(name), noise())), max_size=6), st.sampled_from(ALL), st.booleans())  # fmt: skip
def test_whatever_comes_one_whole_context_goes_on(
    lines: list[tuple[bytes, bytes]], written: Format, is_recorded: bool
) -> None:
    fields, record = traced(*lines, settings=TraceSettings(write=(written,), is_recorded=is_recorded))
    sent = dict(fields)
    assert len(sent) == len(fields)
    parse = {
        Format.W3C: w3c.parse,
        Format.B3_SINGLE: b3.parse_single,
        Format.B3_MULTI: b3.parse_multi,
        Format.XRAY: xray.parse,
    }
    found = parse[written](sent)
    assert found is not None
    assert (found.trace_id, found.span_id, found.is_sampled) == (record.trace_id, record.span_id, record.is_sampled)
    assert sent[b"x-request-id"] == record.request_id.encode()


@given(digits(32), digits(16), st.booleans(), states(), st.sampled_from(ALL), st.sampled_from(ALL))
def test_a_trace_goes_on_through_every_format(
    trace: str, span: str, is_sampled: bool, state: str, first: Format, second: Format
) -> None:
    emit = {
        Format.W3C: w3c.emit,
        Format.B3_SINGLE: b3.emit_single,
        Format.B3_MULTI: b3.emit_multi,
        Format.XRAY: xray.emit,
    }
    came = TraceContext(trace, span, is_sampled, state=state.encode())
    fields, record = traced(*emit[first](came), settings=TraceSettings(write=(second,)))
    assert (record.trace_id, record.span_id, record.is_sampled) == (trace, span, is_sampled)
    kept = came if first is Format.W3C else came._replace(state=b"")
    assert set(fields) == {*emit[second](kept), (b"x-request-id", record.request_id.encode())}
