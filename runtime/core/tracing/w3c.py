"""`traceparent` and `tracestate`, as W3C Trace Context has them, with the random flag of its level 2."""

from __future__ import annotations

import re

from meshproof.runtime.core.tracing.context import Lines, TraceContext

PARENT, STATE = b"traceparent", b"tracestate"

_PARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
).fullmatch
_KEY = rb"(?:[a-z][_0-9a-z*/-]{0,255}|[a-z0-9][_0-9a-z*/-]{0,240}@[a-z][_0-9a-z*/-]{0,13})"
_MEMBER = re.compile(rb"(%b)=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]" % _KEY).fullmatch
IS_PLAIN = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]").fullmatch
"""A `traceparent` that would be written as it came, if neither of its numbers is zero."""

_SAMPLED, _RANDOM = 1, 2
_MOST_MEMBERS, _MOST_BYTES, _LONG = 32, 512, 128


def parse(lines: Lines) -> TraceContext | None:
    """The context, if `traceparent` is there and well-formed. A `tracestate` that is not is dropped alone.

    A version that is not known yet is read by the form of version 00, as the recommendation says.
    """
    value = lines.get(PARENT)
    found = None if value is None else _PARENT(value)
    if found is None or (found[1] == b"00" and found[5] is not None):
        return None
    flags = int(found[4], 16)
    state = lines.get(STATE)
    return TraceContext(
        found[2].decode("ascii"),
        found[3].decode("ascii"),
        bool(flags & _SAMPLED),
        is_random=bool(flags & _RANDOM),
        state=b"" if state is None else kept_state(state),
    )


def emit(context: TraceContext) -> tuple[tuple[bytes, bytes], ...]:
    """The headers, in version 00."""
    flags = (_SAMPLED if context.is_sampled else 0) | (_RANDOM if context.is_random else 0)
    parent = (PARENT, f"00-{context.trace_id}-{context.span_id}-{flags:02x}".encode("ascii"))
    return (parent, (STATE, context.state)) if context.state else (parent,)


def kept_state(value: bytes) -> bytes:
    """What goes on of a `tracestate`: nothing if it is malformed, has a key twice or too many members.

    Of one that is longer than 512 bytes the long members go first, then the last ones.
    """
    members = [member for member in (piece.strip(b" \t") for piece in value.split(b",")) if member]
    found = [_MEMBER(member) for member in members]
    keys = {one[1] for one in found if one is not None}
    if len(keys) != len(members) or len(members) > _MOST_MEMBERS:
        return b""
    if _length(members) > _MOST_BYTES:
        members = [member for member in members if len(member) <= _LONG]
        while _length(members) > _MOST_BYTES:
            members.pop()
    return b",".join(members)


def _length(members: list[bytes]) -> int:
    return sum(map(len, members)) + len(members) - 1
