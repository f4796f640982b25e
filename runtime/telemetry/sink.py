"""Where the data path tells what happened: one call a request, one a connection, one a peer that was refused."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

from meshproof.compiler.ir.mesh import Mesh
from meshproof.runtime.core.messages import ConnectionRecord, Record, Side
from meshproof.runtime.telemetry import access_log
from meshproof.runtime.telemetry.decisions import DecisionLines, DecisionLogSettings
from meshproof.runtime.telemetry.losses import Loss
from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.catalogue import Metric
from meshproof.runtime.telemetry.metrics.cells import Cell
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import Snapshot
from meshproof.runtime.telemetry.pairs import NO_FLAGS, Bound, Pairs
from meshproof.runtime.telemetry.parties import UNKNOWN, Directory
from meshproof.runtime.telemetry.repeating import Repeating, Tell
from meshproof.runtime.telemetry.text import Stamps

TCP = "tcp"
"""The protocol of connections whose requests, if any, nobody reads."""

_BYTES = catalogue.ENVOY_BOUNDS
_SECONDS = tuple(bound / 1000 for bound in catalogue.ENVOY_BOUNDS)
_GRPC = frozenset(str(number).encode("ascii") for number in range(17))


class Lines(Protocol):
    """A log."""

    @property
    def lines(self) -> int:
        """How many lines it keeps."""

    @property
    def lost(self) -> int:
        """How many it could not keep."""

    def add(self, line: str) -> None:
        """One more. It never waits and never raises."""

    def flush(self) -> None:
        """Write what is there, soon."""

    def close(self, seconds: float) -> None:
        """Write what is there, for at most so long."""


class Spans(Protocol):
    """Takes spans of requests that are sampled."""

    @property
    def exported(self) -> int:
        """How many a collector has taken."""

    @property
    def dropped(self) -> int:
        """How many found no room."""

    @property
    def failed(self) -> int:
        """How many no collector has taken."""

    def add(self, record: Record, started: float, ended: float) -> None:
        """One more, with its times in seconds of 1970. It never waits and never raises."""

    def flush(self) -> None:
        """Hand over what is there, soon."""

    def close(self, seconds: float) -> None:
        """Export what is there, for at most so long."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the sink tells things; what is None is not told. `hidden` are keys of the access log.

    `tell` hears of faults, once in a while for each kind, and of logs that lose lines: when that begins, and when it is
    over, with how many.
    """

    access: Lines | None = None
    hidden: frozenset[str] = frozenset()
    decisions: Lines | None = None
    decision_lines: DecisionLines | None = None
    spans: Spans | None = None
    cluster: str = UNKNOWN
    tell: Tell | None = None


class Sink:
    """Counts and logs what it is told, in one process and one thread. `wall` and `monotonic`: what clocks say now."""

    def __init__(self, registry: Registry, outputs: Outputs, wall: float, monotonic: float) -> None:
        self.registry = registry
        self._outputs = outputs
        self._hidden = outputs.hidden
        self._access = None if outputs.access is None else outputs.access.add
        self._decisions = None if outputs.decisions is None else outputs.decisions.add
        self._lines = outputs.decision_lines or DecisionLines(DecisionLogSettings())
        self._spans = outputs.spans
        self._stamps = Stamps(wall, monotonic)
        self._pairs = Pairs(registry, Directory(), outputs.cluster)
        self._bound: dict[int, Bound] = {}
        self._tcp: dict[int, Bound] = {}
        self._open = {side: registry.number(catalogue.CONNECTIONS, side.value) for side in Side}
        self._tell: Tell = _nobody if outputs.tell is None else outputs.tell
        self._faults = Repeating("refused", self._tell)
        self._losses = {name: Loss(name) for name in self._logs()}
        self._timed = registry.histogram(catalogue.DECISION_SECONDS)

    # What the data path tells.

    def request(self, record: Record) -> None:
        """A request has ended, however."""
        connection = record.connection
        bound = self._bound.get(id(connection)) or self._bind(connection)
        pair = bound.pair
        headers = record.headers
        if headers is None:
            headers = dict(record.head.fields)
        grpc = None
        if b"content-type" in headers and headers[b"content-type"].startswith(b"application/grpc"):
            grpc = _grpc_status(record)
        key = (record.status, record.flags, grpc, record.destination)
        cell = pair.cells.get(key)
        if cell is None:
            cell = self._pairs.cell(pair, key)
        taken, received, sent = record.ended - record.started, record.received, record.sent
        cell.seconds[bisect_left(_SECONDS, taken)] += 1
        cell.seconds_sum += taken
        if received:
            cell.received[bisect_left(_BYTES, received)] += 1
            cell.received_sum += received
        else:
            cell.received[0] += 1
        cell.sent[bisect_left(_BYTES, sent)] += 1
        cell.sent_sum += sent
        if grpc is not None:
            cell.messages_received += record.messages_received
            cell.messages_sent += record.messages_sent
        if record.audited:
            self._pairs.audited(pair, record.audited)
        decision = record.decision
        told = None
        if decision is not None:
            told, counted = pair.told.get(id(decision)) or self._pairs.told(pair, decision, record.policy)
            counted.value += 1
            if record.decision_ns:
                self._timed.observe(record.decision_ns * 1e-9)
            if self._decisions is not None:
                self._decisions(self._lines.request(record, told, self._stamps))
        if self._access is not None:
            self._access(access_log.request_line(record, self._stamps, headers, told, bound.tail, self._hidden))
        if record.is_sampled and self._spans is not None:
            seconds = self._stamps.seconds
            self._spans.add(record, seconds(record.started), seconds(record.ended))

    def opened(self, connection: ConnectionRecord) -> None:
        """A connection was accepted, its peer's certificate (if any) too."""
        bound = self._bind(connection)
        if connection.protocol == TCP:
            self._tcp[id(connection)] = bound
            self._number(catalogue.TCP_OPENED, bound, NO_FLAGS).value += 1

    def closed(self, connection: ConnectionRecord) -> None:
        """It has ended."""
        bound = self._bound.pop(id(connection), None)
        if bound is None:
            return
        self._open[connection.side].value -= 1
        if self._tcp.pop(id(connection), None) is not None:
            self._tcp_bytes(bound)
            self._number(catalogue.TCP_CLOSED, bound, connection.flags or NO_FLAGS).value += 1
            self._tell_connection(bound)

    def fault(self, what: str) -> None:
        """A peer broke a rule, or was refused before there was a request: one lower-case clause from a fixed set."""
        self.registry.number(catalogue.FAULTS, what).value += 1
        self._faults.add(what)

    def event(self, destination: str, what: str) -> None:
        """Something happened on the way to a destination: a word from a fixed set, as `retry` or `ejected`."""
        self.registry.number(catalogue.EVENTS, destination, what).value += 1

    # What the process tells.

    def tick(self, wall: float, monotonic: float) -> None:
        """A second or so has passed: log what waits, and count what long connections carried."""
        self._stamps.set(wall, monotonic)
        self._faults.tick(monotonic)
        for bound in self._tcp.values():
            self._tcp_bytes(bound)
        for name, log in self._logs().items():
            log.flush()
            self._losses[name].look(log.lost, self._tell)
        if self._spans is not None:
            self._spans.flush()

    def policy(self, mesh: Mesh | None, digest: str) -> None:
        """Another policy is in force, from the next request on."""
        self._pairs = Pairs(self.registry, Directory(mesh), self._outputs.cluster)
        for bound in self._bound.values():
            bound.pair = self._pairs.pair(bound.connection)
        self.registry.forget(catalogue.POLICY_INFO)
        self.registry.number(catalogue.POLICY_INFO, digest).value = 1

    def reloaded(self, *, is_taken: bool) -> None:
        """A new policy or new settings came, and were taken or refused."""
        self.registry.number(catalogue.CONFIG_RELOADS, "taken" if is_taken else "refused").value += 1

    def certificate(self, spiffe_id: str, expiry: float) -> None:
        """The certificate with which this proxy shows itself, and when it expires, in seconds of 1970."""
        self.registry.forget(catalogue.CERTIFICATE_EXPIRY)
        self.registry.number(catalogue.CERTIFICATE_EXPIRY, spiffe_id).value = expiry

    def snapshot(self) -> Snapshot:
        """All metrics of this process."""
        number = self.registry.number
        for name, log in self._logs().items():
            number(catalogue.LOG_LINES, name).value = log.lines
            number(catalogue.LOG_LOST, name).value = log.lost
        if self._spans is not None:
            number(catalogue.SPANS, "exported").value = self._spans.exported
            number(catalogue.SPANS, "dropped").value = self._spans.dropped
            number(catalogue.SPANS, "failed").value = self._spans.failed
        return self.registry.snapshot()

    def close(self, seconds: float) -> None:
        """Write what waits, for at most so long for each output."""
        outputs = self._outputs
        self._faults.close()
        for one in (outputs.access, outputs.decisions, outputs.spans):
            if one is not None:
                one.close(seconds)

    def _logs(self) -> dict[str, Lines]:
        named = (("access", self._outputs.access), ("decision", self._outputs.decisions))
        return {name: log for name, log in named if log is not None}

    def _bind(self, connection: ConnectionRecord) -> Bound:
        bound = Bound(connection, self._pairs.pair(connection), access_log.tail(connection, self._hidden))
        self._bound[id(connection)] = bound
        self._open[connection.side].value += 1
        return bound

    def _number(self, metric: Metric, bound: Bound, flags: str) -> Cell:
        return self.registry.number(metric, *self._pairs.tcp_labels(bound.pair, flags))

    def _tcp_bytes(self, bound: Bound) -> None:
        connection = bound.connection
        self._number(catalogue.TCP_RECEIVED, bound, NO_FLAGS).value += connection.received - bound.received
        self._number(catalogue.TCP_SENT, bound, NO_FLAGS).value += connection.sent - bound.sent
        bound.received, bound.sent = connection.received, connection.sent

    def _tell_connection(self, bound: Bound) -> None:
        connection, told = bound.connection, None
        if connection.audited:
            self._pairs.audited(bound.pair, connection.audited)
        if connection.decision is not None:
            told, counted = self._pairs.told(bound.pair, connection.decision, connection.policy)
            counted.value += 1
            if self._decisions is not None:
                self._decisions(self._lines.connection(connection, told, self._stamps))
        if self._access is not None:
            self._access(access_log.connection_line(connection, self._stamps, told, bound.tail))


def _nobody(event: str, **said: str | int) -> None:
    del event, said


def _grpc_status(record: Record) -> bytes:
    """The status that gRPC told: in trailers, or in the head of a response that has nothing else."""
    fields = (
        record.trailers if record.trailers is not None else () if record.response is None else record.response.fields
    )
    for name, value in fields:
        if name == b"grpc-status":
            return value if value in _GRPC else b"unknown"
    return b"unknown"
