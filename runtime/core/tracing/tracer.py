"""One request's place in its trace, and the headers that tell it to the next one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.runtime.core.messages import Fields, Record, RequestHead
from meshproof.runtime.core.tracing import b3, w3c, xray
from meshproof.runtime.core.tracing.context import Format, Lines, TraceContext
from meshproof.runtime.core.tracing.ids import Ids

REQUEST_ID = b"x-request-id"

_NAMES = {
    Format.W3C: (w3c.PARENT, w3c.STATE),
    Format.B3_SINGLE: (b3.SINGLE,),
    Format.B3_MULTI: (b3.TRACE, b3.SPAN, b3.PARENT, b3.SAMPLED, b3.FLAGS),
    Format.XRAY: (xray.HEADER,),
}
_PARSE: dict[Format, Callable[[Lines], TraceContext | None]] = {
    Format.W3C: w3c.parse,
    Format.B3_SINGLE: b3.parse_single,
    Format.B3_MULTI: b3.parse_multi,
    Format.XRAY: xray.parse,
}
_EMIT: dict[Format, Callable[[TraceContext], tuple[tuple[bytes, bytes], ...]]] = {
    Format.W3C: w3c.emit,
    Format.B3_SINGLE: b3.emit_single,
    Format.B3_MULTI: b3.emit_multi,
    Format.XRAY: xray.emit,
}
IS_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}").fullmatch
_LISTS = frozenset({w3c.STATE})
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Which formats are read, the first that is well-formed counts, and which are written.

    `ratio` of the traces that begin here are sampled. With `is_recorded` this proxy exports spans of its own, which
    stand between those of the sender and those of the next one (ADR 0250).
    """

    read: tuple[Format, ...] = (Format.W3C, Format.B3_SINGLE, Format.B3_MULTI, Format.XRAY)
    write: tuple[Format, ...] = (Format.W3C,)
    ratio: float = 0.0
    is_recorded: bool = False


class HopTracer:
    """Continues traces, and begins those that nobody has begun. `wall` gives the seconds since 1970."""

    def __init__(self, settings: TraceSettings, ids: Ids, wall: Callable[[], float]) -> None:
        known = {name for one in (*settings.read, *settings.write) for name in _NAMES[one]}
        self._others = frozenset(known - {w3c.PARENT})
        self.names = frozenset({REQUEST_ID, *known})
        self._ids = ids
        self._wall = wall
        self._is_recorded = settings.is_recorded
        self._parse = tuple(_PARSE[one] for one in settings.read)
        self._emit = tuple(_EMIT[one] for one in settings.write)
        self._writes_time = Format.XRAY in settings.write
        self._is_w3c = settings.write == (Format.W3C,)
        self._is_plain = self._is_w3c and settings.read[:1] == settings.write
        self._bound = round(settings.ratio * (1 << 64))

    def __call__(self, head: RequestHead, record: Record) -> None:
        """Replace the trace headers of a request by those of this hop, and note its place in the record."""
        fields, names, headers = head.fields, self.names, record.headers
        if headers is not None and self._is_plain and len(headers) == len(fields):  # nothing is there twice
            value = headers.get(w3c.PARENT)
            if value is not None and w3c.IS_PLAIN(value) and self._others.isdisjoint(headers):
                request_id = headers.get(REQUEST_ID)
                is_good = request_id is None or IS_REQUEST_ID(request_id)
                if is_good and self._pass_on(value, request_id, fields, record):
                    return
        mine = [line for line in fields if line[0] in names]
        if not mine:
            self._start(fields, record)
            return
        lines = dict(mine)
        if len(lines) != len(mine):
            lines = _once(mine)
        request_id = lines.pop(REQUEST_ID, None)
        came = self._came(lines) if lines else None
        fields[:] = [line for line in fields if line[0] not in names]
        self._put(came, request_id, fields, record)

    def _start(self, fields: Fields, record: Record) -> None:
        """Begin a trace of which nobody said anything."""
        if not self._is_w3c:
            self._put(None, None, fields, record)
            return
        digits = self._ids.number(48)
        record.trace_id, record.span_id = trace_id, span_id = digits[:32], digits[32:]
        record.is_sampled = is_sampled = self._is_chosen(trace_id)
        record.request_id = made = self._ids.request_id()
        flags = "03" if is_sampled else "02"
        fields.append((w3c.PARENT, f"00-{trace_id}-{span_id}-{flags}".encode("ascii")))
        fields.append((REQUEST_ID, made.encode("ascii")))

    def _pass_on(self, parent: bytes, request_id: bytes | None, fields: Fields, record: Record) -> bool:
        """What nearly all requests in a mesh are: at most the span changes where it stands. Not if a number is zero."""
        text = parent.decode("ascii")
        trace_id, span_id = text[3:35], text[36:52]
        if trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return False
        record.trace_id = trace_id
        record.parent_span_id = record.span_id = span_id
        record.is_sampled = text[54] in "13"
        if self._is_recorded:
            record.span_id = span_id = self._ids.number(16)
            fields[fields.index((w3c.PARENT, parent))] = (
                w3c.PARENT,
                f"{text[:36]}{span_id}{text[52:]}".encode("ascii"),
            )
        if request_id is None:
            record.request_id = made = self._ids.request_id()
            fields.append((REQUEST_ID, made.encode("ascii")))
        else:
            record.request_id = request_id.decode("ascii")
        return True

    def _put(self, came: TraceContext | None, request_id: bytes | None, fields: Fields, record: Record) -> None:
        if came is None or not came.trace_id:
            context = self._new(came)
        else:
            context = self._continued(came)
            record.parent_span_id = came.span_id
        for emit in self._emit:
            fields += emit(context)
        if request_id is None or not IS_REQUEST_ID(request_id):
            record.request_id = made = self._ids.request_id()
            request_id = made.encode("ascii")
        else:
            record.request_id = request_id.decode("ascii")
        fields.append((REQUEST_ID, request_id))
        record.trace_id = context.trace_id
        record.span_id = context.span_id
        record.is_sampled = context.is_sampled is True

    def _came(self, lines: Lines) -> TraceContext | None:
        for parse in self._parse:
            found = parse(lines)
            if found is not None:
                return found
        return None

    def _new(self, came: TraceContext | None) -> TraceContext:
        """A trace that begins here, sampled as told, or as its number falls."""
        if self._writes_time:  # X-Ray refuses traces whose first digits are no time of these days
            trace_id = f"{int(self._wall()) & 0xFFFFFFFF:08x}{self._ids.number(24)}"
        else:
            trace_id = self._ids.number(32)
        span_id = self._ids.number(16)
        if came is None:
            return TraceContext(trace_id, span_id, self._is_chosen(trace_id), is_random=True)
        return TraceContext(trace_id, span_id, came.is_sampled, is_debug=came.is_debug, is_random=True)

    def _continued(self, came: TraceContext) -> TraceContext:
        is_sampled = self._is_chosen(came.trace_id) if came.is_sampled is None else came.is_sampled
        if self._is_recorded or not came.span_id:
            return came._replace(span_id=self._ids.number(16), parent_id=came.span_id, is_sampled=is_sampled)
        return came if came.is_sampled is not None else came._replace(is_sampled=is_sampled)

    def _is_chosen(self, trace_id: str) -> bool:
        """By the digits that are random in every format, as OpenTelemetry's sampler does, so that all agree."""
        bound = self._bound
        return bound > 0 and int(trace_id[16:], 16) < bound


def _once(lines: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that came once; lists that were told in several lines are one list."""
    counts = Counter(name for name, _ in lines)
    return {
        name: b",".join(value for of, value in lines if of == name)
        for name, count in counts.items()
        if count == 1 or name in _LISTS
    }
