"""Metrics as lines of CloudWatch's Embedded Metric Format: what was counted since the lines before.

Labels are few, because each combination is a metric that is paid for: who, whom, and the response code.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.catalogue import Metric
from meshproof.runtime.telemetry.metrics.snapshot import Snapshot

_WAYS = ("reporter", "source_workload", "destination_service_name", "response_code")
_REQUEST_SETS = (("reporter", "destination_service_name"), _WAYS)
_TCP_WAYS = ("reporter", "source_workload", "destination_service_name")
_DECIDED = ("decision", "source", "destination")

_Sums = dict[tuple[str, ...], float]


class EmfLines:
    """Lines for one service. Counters never go back here: what ended workers counted is kept."""

    def __init__(self, namespace: str, service: str) -> None:
        self._namespace = namespace
        self._service = service
        self._before: dict[tuple[str, str], _Sums] = {}

    def lines(self, snapshot: Snapshot, wall: float) -> list[str]:
        """What is new since the last call, each line with its end. `wall`: seconds of 1970."""
        return [
            f"{json.dumps(one, separators=(',', ':'))}\n"
            for one in (
                *self._requests(snapshot, wall),
                *self._tcp(snapshot, wall),
                *self._decisions(snapshot, wall),
                self._process(snapshot, wall),
            )
        ]

    def _requests(self, snapshot: Snapshot, wall: float) -> Iterator[dict[str, object]]:
        news = {
            "Requests": self._new(snapshot, catalogue.REQUESTS, _WAYS),
            "RequestDurationSum": self._new(snapshot, catalogue.DURATION, _WAYS),
            "RequestBytes": self._new(snapshot, catalogue.REQUEST_BYTES, _WAYS),
            "ResponseBytes": self._new(snapshot, catalogue.RESPONSE_BYTES, _WAYS),
        }
        units = ("Count", "Milliseconds", "Bytes", "Bytes")
        for key in sorted(key for key, count in news["Requests"].items() if count):
            values = {name: new.get(key, 0.0) for name, new in news.items()}
            yield self._line(
                wall, _REQUEST_SETS, dict(zip(_WAYS, key, strict=True)), dict(zip(values, units, strict=True)), values
            )

    def _tcp(self, snapshot: Snapshot, wall: float) -> Iterator[dict[str, object]]:
        metrics = {
            "TcpConnectionsOpened": (catalogue.TCP_OPENED, "Count"),
            "TcpBytesReceived": (catalogue.TCP_RECEIVED, "Bytes"),
            "TcpBytesSent": (catalogue.TCP_SENT, "Bytes"),
        }
        news = {name: self._new(snapshot, metric, _TCP_WAYS) for name, (metric, _) in metrics.items()}
        for key in sorted({key for new in news.values() for key, value in new.items() if value}):
            values = {name: new.get(key, 0.0) for name, new in news.items()}
            units = {name: unit for name, (_, unit) in metrics.items()}
            yield self._line(wall, (_TCP_WAYS,), dict(zip(_TCP_WAYS, key, strict=True)), units, values)

    def _decisions(self, snapshot: Snapshot, wall: float) -> Iterator[dict[str, object]]:
        for key, value in sorted(self._new(snapshot, catalogue.DECISIONS, _DECIDED).items()):
            if value:
                told = dict(zip(_DECIDED, key, strict=True))
                yield self._line(wall, (("decision",), _DECIDED), told, {"Decisions": "Count"}, {"Decisions": value})

    def _process(self, snapshot: Snapshot, wall: float) -> dict[str, object]:
        counts = {
            "Faults": catalogue.FAULTS,
            "LogLinesLost": catalogue.LOG_LOST,
            "WorkerExits": catalogue.WORKER_EXITS,
        }
        values = {name: self._new(snapshot, metric, ()).get((), 0.0) for name, metric in counts.items()}
        values["ConnectionsOpen"] = sum(one.value for one in snapshot.get(catalogue.CONNECTIONS.name, {}).values())
        units = dict.fromkeys(values, "Count")
        expiries = [one.value for one in snapshot.get(catalogue.CERTIFICATE_EXPIRY.name, {}).values()]
        if expiries:
            values["CertificateSecondsLeft"], units["CertificateSecondsLeft"] = round(min(expiries) - wall), "Seconds"
        return self._line(wall, ((),), {}, units, values)

    def _line(
        self,
        wall: float,
        sets: Sequence[tuple[str, ...]],
        labels: Mapping[str, str],
        units: Mapping[str, str],
        values: Mapping[str, float],
    ) -> dict[str, object]:
        metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
        told = {
            "Namespace": self._namespace,
            "Dimensions": [["service", *names] for names in sets],
            "Metrics": metrics,
        }
        kept = {name: value or "-" for name, value in labels.items()}  # an empty dimension is refused there
        aws = {"Timestamp": int(wall * 1000), "CloudWatchMetrics": [told]}
        return {"_aws": aws, "service": self._service, **kept, **values}

    def _new(self, snapshot: Snapshot, metric: Metric, labels: tuple[str, ...]) -> _Sums:
        """By these labels alone, what was added."""
        places = [metric.labels.index(label) for label in labels]
        sums: _Sums = defaultdict(float)
        for of, sample in snapshot.get(metric.name, {}).items():
            sums[tuple(of[place] for place in places)] += sample.value
        key = (metric.name, ",".join(labels))
        before = self._before.get(key, {})
        self._before[key] = sums
        return {of: round(value - before.get(of, 0.0), 6) for of, value in sums.items()}
