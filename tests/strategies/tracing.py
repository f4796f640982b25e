"""Trace contexts and headers, well-formed and not."""

from __future__ import annotations

from hypothesis import strategies as st

from meshproof.runtime.core.messages import ConnectionRecord, Record, RequestHead, Side, begun
from meshproof.runtime.core.tracing.ids import Ids
from meshproof.runtime.core.tracing.tracer import HopTracer, TraceSettings

NOW = 1_790_000_000.5
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def counting() -> Ids:
    """Ids out of draws that never repeat, and are the same each time."""
    drawn = [0]

    def draw(count: int) -> bytes:
        drawn[0] += 1
        return b"".join((drawn[0] * 65_536 + at).to_bytes(4, "big") for at in range(1, count // 4 + 1))

    return Ids(draw)


def traced(
    *fields: tuple[bytes, bytes], settings: TraceSettings | None = None, ids: Ids | None = None
) -> tuple[list[tuple[bytes, bytes]], Record]:
    """The header lines of a request after the tracer, and its record."""
    head = RequestHead("GET", "/", "a", list(fields))
    record = begun(ConnectionRecord(Side.INBOUND, "127.0.0.1:1", "a", 1), head, 0.0)
    HopTracer(settings or TraceSettings(), ids or counting(), lambda: NOW)(head, record)
    return head.fields, record


def digits(count: int) -> st.SearchStrategy[str]:
    """A number of so many lower-case hex digits that is not zero."""
    return st.integers(1, 16**count - 1).map(lambda number: f"{number:0{count}x}")


_KEY = st.from_regex(r"([a-z][_0-9a-z*/-]{0,9}|[a-z0-9][_0-9a-z*/-]{0,9}@[a-z][_0-9a-z*/-]{0,13})", fullmatch=True)
_VALUE = st.from_regex(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,9}[\x21-\x2b\x2d-\x3c\x3e-\x7e]", fullmatch=True)


def states() -> st.SearchStrategy[str]:
    """A `tracestate` that is well-formed and short enough to go on whole."""
    members = st.lists(st.tuples(_KEY, _VALUE), max_size=9, unique_by=lambda member: member[0])
    # No blanks at the start of a value: whoever trims members would see another one.
    return members.map(lambda some: ",".join(f"{key}={value.lstrip()}" for key, value in some))


def noise() -> st.SearchStrategy[bytes]:
    """A header value that a peer might send: near what is well-formed, or anything."""
    pieces = st.sampled_from(
        [
            b"00",
            b"ff",
            b"-",
            b"1",
            b"0",
            b"d",
            TRACE.encode(),
            SPAN.encode(),
            b"0" * 16,
            b"Root=1-",
            b";",
            b"=",
            b"\xff",
        ]
    )
    return st.lists(pieces, max_size=9).map(b"".join) | st.binary(max_size=60)
