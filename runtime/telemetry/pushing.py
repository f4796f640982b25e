"""Metrics that are pushed: to a collector, and as lines for CloudWatch. The parent does so, for all workers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

from meshproof.runtime.settings_run import EmfSettings, OtlpSettings, TelemetrySettings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.emf import EmfLines
from meshproof.runtime.telemetry.making import open_plain
from meshproof.runtime.telemetry.metrics.snapshot import Snapshot

Push = Callable[[Snapshot, float], bool]
"""Pushes metrics as they stand at a time (seconds of 1970), and waits; whether all were taken. It never raises."""


class _Collector(Protocol):
    def export(self, snapshot: Snapshot, now: int) -> bool:
        """Whether it has taken them."""

    def close(self) -> None:
        """Nothing more."""


class Pusher:
    """One place to which metrics go, every so many seconds. Its methods wait, so they are for a thread."""

    def __init__(self, name: str, seconds: int, push: Push, close: Callable[[], None]) -> None:
        self.name = name
        self.seconds = seconds
        self.push = push
        self.close = close


def refuse_what_is_missing(settings: TelemetrySettings) -> None:
    """Raise `SettingError` where a collector is named, and what speaks to it is not installed.

    The parent asks, so that workers need not die of it one after another.
    """
    if settings.otlp is not None and not _has_otel():
        raise SettingError("telemetry.otlp", "it needs the extra `otel`")


def _has_otel() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def pushers(settings: TelemetrySettings, service: str, wall: float) -> tuple[Pusher, ...]:
    """Those that the settings ask for. Raises `SettingError`."""
    refuse_what_is_missing(settings)
    found: list[Pusher] = []
    if settings.emf is not None:
        found.append(_emf(settings.emf, service))
    if settings.otlp is not None and settings.otlp.metrics_endpoint is not None:
        found.append(_otlp(settings.otlp, settings.otlp.metrics_endpoint, service, wall))
    return tuple(found)


def _emf(settings: EmfSettings, service: str) -> Pusher:
    lines = EmfLines(settings.namespace, service)
    write, close = open_plain("telemetry.emf.file", settings.file)

    def push(snapshot: Snapshot, wall: float) -> bool:
        made = lines.lines(snapshot, wall)
        return write(made) == len(made)

    return Pusher("emf", settings.seconds, push, close)


def _otlp(settings: OtlpSettings, endpoint: str, service: str, wall: float) -> Pusher:
    from meshproof.runtime.telemetry.otlp import OtlpMetrics  # noqa: PLC0415  an extra, for those who export alone

    collector: _Collector = OtlpMetrics(endpoint, service, int(wall * 1e9))

    def push(snapshot: Snapshot, wall: float) -> bool:
        return collector.export(snapshot, int(wall * 1e9))

    return Pusher("otlp", settings.seconds, push, collector.close)
