"""Series of a caller and a service, bound once for all of their connections."""

from __future__ import annotations

from meshproof.compiler.ir.decision import Decision
from meshproof.runtime.core.messages import ConnectionRecord, Side
from meshproof.runtime.telemetry.decisions import Told
from meshproof.runtime.telemetry.metrics.catalogue import AUDITED, DECISIONS
from meshproof.runtime.telemetry.metrics.cells import Cell, RequestCell
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.parties import Directory, Party

NO_FLAGS = "-"
"""What Envoy says of a request or a connection with which nothing went wrong."""

_MOST_PAIRS = 4096
_MOST_KEPT = 256

ResponseClass = tuple[int, str, bytes | None, str]
"""Status, flags, status of gRPC (None for other requests), and the destination where a caller's proxy chose one."""


class Pair:
    """What the requests of one caller to one service have in common; connections share it."""

    __slots__ = ("cells", "destination", "is_mutual", "side", "source", "told")

    def __init__(self, connection: ConnectionRecord, source: Party, destination: Party) -> None:
        self.side = connection.side
        self.is_mutual = connection.is_tls and connection.identity is not None
        self.source = source
        self.destination = destination
        self.cells: dict[ResponseClass, RequestCell] = {}
        self.told: dict[int, tuple[Told, Cell]] = {}
        """By `id` of decisions, which are kept with what is told of them, so that no other gets their number."""


class Bound:
    """One connection, with what it has told so far of the bytes that it carried."""

    __slots__ = ("connection", "pair", "received", "sent", "tail")

    def __init__(self, connection: ConnectionRecord, pair: Pair, tail: str) -> None:
        self.connection = connection
        self.pair = pair
        self.tail = tail
        self.received = self.sent = 0


_Key = tuple[Side, str, int, str | None, str | None, bool]


class Pairs:
    """All of them, under one policy. Each kind of memory has a bound: what is forgotten is bound anew."""

    def __init__(self, registry: Registry, directory: Directory, cluster: str) -> None:
        self._registry = registry
        self._directory = directory
        self._cluster = cluster
        self._pairs: dict[_Key, Pair] = {}

    def pair(self, connection: ConnectionRecord) -> Pair:
        """That of a connection."""
        side, identity, own = connection.side, connection.identity, connection.local_identity
        key = (side, connection.service, connection.port, identity, own, connection.is_tls)
        found = self._pairs.get(key)
        if found is None:
            if len(self._pairs) >= _MOST_PAIRS:
                self._pairs.clear()
            caller = self._directory.caller(own if side is Side.OUTBOUND else identity)
            found = self._pairs[key] = Pair(connection, caller, self._directory.service(connection.service))
        return found

    def cell(self, pair: Pair, key: ResponseClass) -> RequestCell:
        """Where requests of a caller that were answered in one way count."""
        status, flags, grpc, destination = key
        protocol = "http" if grpc is None else "grpc"
        told = "" if grpc is None else grpc.decode("ascii")
        labels = (*self._labels(pair, protocol, flags or NO_FLAGS, destination), str(status), told)
        if len(pair.cells) >= _MOST_KEPT:
            pair.cells.clear()
        found = pair.cells[key] = self._registry.requests.cell(labels)
        return found

    def told(self, pair: Pair, decision: Decision, policy: str) -> tuple[Told, Cell]:
        """What is told of a decision, and where it counts."""
        found = pair.told.get(id(decision))
        if found is None:
            told = Told(decision, policy)
            parties = (pair.source.name, pair.destination.name)
            cell = self._registry.number(DECISIONS, told.word, told.rule, *parties, decision.reason.value)
            if len(pair.told) >= _MOST_KEPT:
                pair.told.clear()
            found = pair.told[id(decision)] = (told, cell)
        return found

    def audited(self, pair: Pair, rules: tuple[str, ...]) -> None:
        """Requests or connections that meet audited rules are few enough for a look-up each."""
        for rule in rules:
            self._registry.number(AUDITED, rule, pair.source.name, pair.destination.name).value += 1

    def tcp_labels(self, pair: Pair, flags: str) -> tuple[str, ...]:
        """The values of Istio's labels of a connection over TCP."""
        return self._labels(pair, "tcp", flags, "")

    def _labels(self, pair: Pair, protocol: str, flags: str, destination: str) -> tuple[str, ...]:
        party = self._directory.chosen(pair.destination, destination)
        if pair.side is Side.OUTBOUND:
            reporter, security = "source", "unknown"  # as Istio has it: the destination says whether it was mutual TLS
        else:
            reporter, security = "destination", "mutual_tls" if pair.is_mutual else "none"
        return (
            reporter,
            *pair.source.labels(self._cluster),
            *party.labels(self._cluster),
            party.host,
            party.workload,
            party.namespace,
            protocol,
            flags,
            security,
        )
