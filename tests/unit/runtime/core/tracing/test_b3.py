from __future__ import annotations

import pytest
from tests.strategies.tracing import SPAN, TRACE

from meshproof.runtime.core.tracing.b3 import emit_multi, emit_single, parse_multi, parse_single
from meshproof.runtime.core.tracing.context import TraceContext

UP = "05e3ac9a4f6e3b90"
MULTI = {b"x-b3-traceid": TRACE.encode(), b"x-b3-spanid": SPAN.encode()}


@pytest.mark.parametrize(
    ("value", "context"),
    [
        (f"{TRACE}-{SPAN}-1-{UP}", TraceContext(TRACE, SPAN, is_sampled=True, parent_id=UP)),
        (f"{TRACE}-{SPAN}-1", TraceContext(TRACE, SPAN, is_sampled=True)),
        (f"{TRACE}-{SPAN}-0", TraceContext(TRACE, SPAN, is_sampled=False)),
        (f"{TRACE}-{SPAN}-d", TraceContext(TRACE, SPAN, is_sampled=True, is_debug=True)),
        (f"{TRACE}-{SPAN}", TraceContext(TRACE, SPAN, None)),
        (f"{TRACE[16:]}-{SPAN}-1", TraceContext("0" * 16 + TRACE[16:], SPAN, is_sampled=True)),
        ("0", TraceContext("", "", is_sampled=False)),
        ("1", TraceContext("", "", is_sampled=True)),
        ("d", TraceContext("", "", is_sampled=True, is_debug=True)),
    ],
)
def test_the_single_header_is_read(value: str, context: TraceContext) -> None:
    assert parse_single({b"b3": value.encode()}) == context


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "2",
        "true",
        TRACE,
        f"{TRACE}-",
        f"{TRACE}-{SPAN}-",
        f"{TRACE}-{SPAN}-x",
        f"{TRACE}-{SPAN}-1-",
        f"{TRACE}-{SPAN}-1-{UP}-",
        f"{TRACE}-{SPAN}-1-{'0' * 16}",
        f"{'0' * 32}-{SPAN}-1",
        f"{'0' * 16}-{SPAN}-1",
        f"{TRACE}-{'0' * 16}-1",
        f"{TRACE[1:]}-{SPAN}-1",
        f"{TRACE.upper()}-{SPAN}-1",
    ],
)
def test_a_single_header_that_is_malformed_is_none(bad: str) -> None:
    assert parse_single({b"b3": bad.encode()}) is None


@pytest.mark.parametrize(
    ("more", "context"),
    [
        ({}, TraceContext(TRACE, SPAN, None)),
        ({b"x-b3-sampled": b"1"}, TraceContext(TRACE, SPAN, is_sampled=True)),
        ({b"x-b3-sampled": b"false"}, TraceContext(TRACE, SPAN, is_sampled=False)),
        ({b"x-b3-flags": b"0"}, TraceContext(TRACE, SPAN, None)),
        ({b"x-b3-flags": b"1"}, TraceContext(TRACE, SPAN, is_sampled=True, is_debug=True)),
        (
            {b"x-b3-sampled": b"1", b"x-b3-parentspanid": UP.encode()},
            TraceContext(TRACE, SPAN, is_sampled=True, parent_id=UP),
        ),
    ],
)
def test_the_headers_are_read(more: dict[bytes, bytes], context: TraceContext) -> None:
    assert parse_multi({**MULTI, **more}) == context


@pytest.mark.parametrize(
    ("lines", "context"),
    [
        ({}, None),
        ({b"x-b3-sampled": b"0"}, TraceContext("", "", is_sampled=False)),
        ({b"x-b3-flags": b"1"}, TraceContext("", "", is_sampled=True, is_debug=True)),
        ({b"x-b3-flags": b"0"}, None),
        ({b"x-b3-traceid": TRACE.encode()}, None),
        ({b"x-b3-spanid": SPAN.encode()}, None),
        ({b"x-b3-parentspanid": UP.encode(), b"x-b3-sampled": b"1"}, None),
        ({**MULTI, b"x-b3-sampled": b"yes"}, None),
        ({**MULTI, b"x-b3-flags": b"2"}, None),
        ({**MULTI, b"x-b3-traceid": b"0" * 32}, None),
        ({**MULTI, b"x-b3-spanid": SPAN.encode() + b"0"}, None),
        ({**MULTI, b"x-b3-parentspanid": b"x"}, None),
    ],
)
def test_headers_that_make_no_sense_are_none(lines: dict[bytes, bytes], context: TraceContext | None) -> None:
    assert parse_multi(lines) == context


@pytest.mark.parametrize(
    "context",
    [
        TraceContext(TRACE, SPAN, is_sampled=True),
        TraceContext(TRACE, SPAN, is_sampled=False, parent_id=UP),
        TraceContext(TRACE, SPAN, is_sampled=True, is_debug=True),
    ],
)
def test_what_is_written_is_read_as_it_was(context: TraceContext) -> None:
    assert parse_single(dict(emit_single(context))) == context
    assert parse_multi(dict(emit_multi(context))) == context
