"""`x-amzn-trace-id`, the header of AWS X-Ray."""

from __future__ import annotations

import re

from meshproof.runtime.core.tracing.context import Lines, TraceContext

HEADER = b"x-amzn-trace-id"

_ROOT = re.compile(rb"1-(?=[0-9a-f-]*[1-9a-f])([0-9a-f]{8})-([0-9a-f]{24})").fullmatch
_PARENT = re.compile(rb"(?!0{16})[0-9a-f]{16}").fullmatch
_SAID = {None: None, b"?": None, b"0": False, b"1": True}
_MOST_MEMBERS = 16


def parse(lines: Lines) -> TraceContext | None:
    """The context, if the header is there and well-formed. A load balancer tells a `Root` alone.

    Members that others add (`Self`, `Lineage`) say nothing of where the request stands, and do not go on.
    """
    value = lines.get(HEADER)
    if value is None:
        return None
    pairs = [piece.strip(b" ").partition(b"=") for piece in value.split(b";") if piece.strip(b" ")]
    members = {name: told for name, _, told in pairs}
    if len(members) != len(pairs) or len(pairs) > _MOST_MEMBERS or not all(equals for _, equals, _ in pairs):
        return None
    root, parent, said = _ROOT(members.get(b"Root", b"")), members.get(b"Parent"), members.get(b"Sampled")
    if root is None or said not in _SAID or (parent is not None and not _PARENT(parent)):
        return None
    return TraceContext((root[1] + root[2]).decode("ascii"), (parent or b"").decode("ascii"), _SAID[said])


def emit(context: TraceContext) -> tuple[tuple[bytes, bytes], ...]:
    """The header. The first eight digits of a trace are its time where X-Ray begins one."""
    trace = context.trace_id
    said = "1" if context.is_sampled else "0"
    value = f"Root=1-{trace[:8]}-{trace[8:]};Parent={context.span_id};Sampled={said}"
    return ((HEADER, value.encode("ascii")),)
