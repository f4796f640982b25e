"""Spans on their way to a collector: a bounded queue and a thread, so that no request waits for whoever takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from meshproof.runtime.core.messages import Record, Side
from meshproof.runtime.telemetry.text import decision_word, path_of, rule_names

_BATCH = 512
_MOST = 4096
_MOST_TEXT = 512

Value = str | int
"""What an attribute of a span says."""


@dataclass(frozen=True, slots=True)
class Span:
    """One request as a span. Times are in nanoseconds of 1970; numbers of traces and spans in hex digits."""

    name: str
    is_server: bool
    trace_id: str
    span_id: str
    parent_span_id: str
    started: int
    ended: int
    has_failed: bool
    attributes: tuple[tuple[str, Value], ...]


Export = Callable[[Sequence[Span]], bool]
"""Hands spans to a collector and waits for it; whether it has taken them. It never raises."""


class SpanQueue:
    """Takes what is to be told of a request at once, because records are not kept; hands spans over in batches."""

    def __init__(
        self, export: Export, end: Callable[[], None], hidden: frozenset[str] = frozenset(), most: int = _MOST
    ) -> None:
        """`hidden` are keys of the access log. `most` spans wait; `end` is called by the thread when all are out."""
        self._export = export
        self._end = end
        self._hidden = hidden
        self._most = most
        self._waiting: list[Span] = []
        self._handed = 0  # of this thread alone
        self._done = 0  # of the other thread alone; so neither needs a lock
        self._failed = 0
        self._dropped = 0
        self._queue: SimpleQueue[list[Span] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="meshproof-spans", daemon=True)
        self._thread.start()

    @property
    def exported(self) -> int:
        """How many a collector has taken."""
        return self._done - self._failed

    @property
    def dropped(self) -> int:
        """How many found no room."""
        return self._dropped

    @property
    def failed(self) -> int:
        """How many no collector has taken."""
        return self._failed

    def add(self, record: Record, started: float, ended: float) -> None:
        """One more; it is dropped if too many wait."""
        if self._handed - self._done + len(self._waiting) >= self._most:
            self._dropped += 1
            return
        self._waiting.append(span_of(record, started, ended, self._hidden))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits."""
        if self._waiting:
            self._handed += len(self._waiting)
            self._queue.put(self._waiting)
            self._waiting = []

    def close(self, seconds: float) -> None:
        """Export what waits, for at most so long."""
        self.flush()
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            if not self._export(batch):
                self._failed += len(batch)
            self._done += len(batch)
        self._end()


def span_of(record: Record, started: float, ended: float, hidden: frozenset[str]) -> Span:
    """The span of a request, in the words of OpenTelemetry's conventions. It holds no header and no query."""
    head, connection, decision = record.head, record.connection, record.decision
    said: list[tuple[str, Value]] = [
        ("http.request.method", head.method[:_MOST_TEXT]),
        ("http.response.status_code", record.status),
        ("network.protocol.version", head.version),
        ("http.request.body.size", record.received),
        ("http.response.body.size", record.sent),
        ("meshproof.destination", connection.service),
    ]
    told = {
        "path": ("url.path", path_of(head.target)),
        "authority": ("server.address", head.authority[:_MOST_TEXT]),
        "peer": ("meshproof.source", connection.identity or ""),
    }
    said += [pair for key, pair in told.items() if key not in hidden and pair[1]]
    if record.flags:
        said.append(("response_flags", record.flags))
    if record.upstream:
        said.append(("upstream_address", record.upstream))
    if record.request_id:
        said.append(("guid:x-request-id", record.request_id))
    if decision is not None:
        said += [("meshproof.decision", decision_word(decision)), ("meshproof.policy", record.policy)]
        rules = rule_names(decision)
        if rules:
            said.append(("meshproof.rule", rules))
    is_server = connection.side is Side.INBOUND
    return Span(
        f"{head.method[:_MOST_TEXT]} {connection.service}",
        is_server,
        record.trace_id,
        record.span_id,
        record.parent_span_id,
        int(started * 1e9),
        int(ended * 1e9),
        record.status == 0 or record.status >= (500 if is_server else 400),
        tuple(said),
    )
