"""B3, the headers of Zipkin: the single header `b3`, and the older ones that begin with `x-b3-`."""

from __future__ import annotations

import re

from meshproof.runtime.core.tracing.context import Lines, TraceContext

SINGLE = b"b3"
TRACE, SPAN, PARENT = b"x-b3-traceid", b"x-b3-spanid", b"x-b3-parentspanid"
SAMPLED, FLAGS = b"x-b3-sampled", b"x-b3-flags"

_TRACE = rb"(?!0+(?![0-9a-f]))(?:[0-9a-f]{16}|[0-9a-f]{32})"
_SPAN = rb"(?!0{16})[0-9a-f]{16}"
_SINGLE = re.compile(rb"(%b)-(%b)(?:-([01d])(?:-(%b))?)?" % (_TRACE, _SPAN, _SPAN)).fullmatch
_IS_TRACE, _IS_SPAN = re.compile(_TRACE).fullmatch, re.compile(_SPAN).fullmatch
_SAID = {b"0": False, b"1": True, b"d": True}
# Senders from before B3 was written down say `true` and `false`.
_SAID_MULTI = {None: None, b"0": False, b"1": True, b"false": False, b"true": True}


def parse_single(lines: Lines) -> TraceContext | None:
    """The context of `b3`, if it is there and well-formed."""
    value = lines.get(SINGLE)
    if value is None:
        return None
    if value in _SAID:
        return TraceContext("", "", _SAID[value], is_debug=value == b"d")
    found = _SINGLE(value)
    if found is None:
        return None
    said = found[3]
    return TraceContext(
        _text(found[1]).rjust(32, "0"),
        _text(found[2]),
        None if said is None else _SAID[said],
        _text(found[4]),
        is_debug=said == b"d",
    )


def parse_multi(lines: Lines) -> TraceContext | None:
    """The context of the headers `x-b3-…`, if those that are there are well-formed, and make sense together."""
    said, debug = lines.get(SAMPLED), lines.get(FLAGS)
    if said not in _SAID_MULTI or debug not in {None, b"0", b"1"}:
        return None
    is_debug = debug == b"1"
    is_sampled = True if is_debug else _SAID_MULTI[said]
    trace, span, parent = lines.get(TRACE), lines.get(SPAN), lines.get(PARENT)
    if trace is None and span is None and parent is None:
        return None if is_sampled is None else TraceContext("", "", is_sampled, is_debug=is_debug)
    if trace is None or span is None or not _IS_TRACE(trace) or not _IS_SPAN(span):
        return None
    if parent is not None and not _IS_SPAN(parent):
        return None
    return TraceContext(_text(trace).rjust(32, "0"), _text(span), is_sampled, _text(parent), is_debug=is_debug)


def emit_single(context: TraceContext) -> tuple[tuple[bytes, bytes], ...]:
    """The header `b3`."""
    said = "d" if context.is_debug else "1" if context.is_sampled else "0"
    parent = f"-{context.parent_id}" if context.parent_id else ""
    return ((SINGLE, f"{context.trace_id}-{context.span_id}-{said}{parent}".encode("ascii")),)


def emit_multi(context: TraceContext) -> tuple[tuple[bytes, bytes], ...]:
    """The headers `x-b3-…`. A debug trace says so by `x-b3-flags` alone, as B3 has it."""
    said = (FLAGS, b"1") if context.is_debug else (SAMPLED, b"1" if context.is_sampled else b"0")
    ids = ((TRACE, context.trace_id.encode("ascii")), (SPAN, context.span_id.encode("ascii")), said)
    return (*ids, (PARENT, context.parent_id.encode("ascii"))) if context.parent_id else ids


def _text(digits: bytes | None) -> str:
    return "" if digits is None else digits.decode("ascii")
