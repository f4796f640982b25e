"""A sink, a decision log and a tracer as settings ask for them. Each worker makes its own, after it was started."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from meshproof.runtime.core.tracing.context import Format
from meshproof.runtime.core.tracing.ids import Ids
from meshproof.runtime.core.tracing.tracer import HopTracer, TraceSettings
from meshproof.runtime.new_files import why_unwritable
from meshproof.runtime.settings_run import STANDARD_OUTPUT, OtlpSettings, TelemetrySettings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.chained_file import ChainedFile, ChainError
from meshproof.runtime.telemetry.chained_key import KeyFileError, read_key
from meshproof.runtime.telemetry.decision_log import DecisionLog
from meshproof.runtime.telemetry.decisions import DecisionLines, DecisionLogSettings
from meshproof.runtime.telemetry.lines import BackgroundLog, PlainFile, Stream, Write
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.repeating import Tell
from meshproof.runtime.telemetry.sink import Outputs, Sink
from meshproof.runtime.telemetry.spans import SpanQueue


def make_sink(settings: TelemetrySettings, service: str, tell: Tell) -> Sink:
    """A sink whose logs are open. Raises `SettingError` where one cannot be written, and `ModuleNotFoundError`."""
    hidden = frozenset(settings.access_log_hidden)
    decisions = _decision_log(settings)
    outputs = Outputs(
        None if settings.access_log is None else _plain("telemetry.access_log", settings.access_log),
        hidden,
        decisions,
        _decision_lines(settings),
        None if settings.otlp is None else _spans(settings.otlp, service, hidden),
        settings.cluster,
        tell,
    )
    return Sink(Registry(), outputs, time.time(), time.monotonic())


def make_decision_log(settings: TelemetrySettings, tell: Tell) -> DecisionLog | None:
    """The decision log alone, open, where the settings ask for one. Raises `SettingError`."""
    log = _decision_log(settings)
    if log is None:
        return None
    return DecisionLog(log, _decision_lines(settings), tell, time.time(), time.monotonic())


def make_tracer(settings: TelemetrySettings) -> HopTracer:
    """What continues traces: all formats are read, those of the settings are written."""
    otlp = settings.otlp
    write = tuple(Format(name) for name in settings.trace_headers)
    ratio = 0.0 if otlp is None else otlp.percent / 100
    told = TraceSettings(write=write, ratio=ratio, is_recorded=otlp is not None)
    return HopTracer(told, Ids(os.urandom), time.time)


def refuse_unwritable(settings: TelemetrySettings) -> None:
    """Raise `SettingError` where a log could not be written. Nothing is opened: another process may have them."""
    emf = None if settings.emf is None else settings.emf.file
    logs = (("access_log", settings.access_log), ("decision_log", settings.decision_log), ("emf.file", emf))
    for key, path in logs:
        why = None if path is None or path == STANDARD_OUTPUT else why_unwritable(path)
        if why is not None:
            raise SettingError(f"telemetry.{key}", f"`{path}` cannot be written: {why}")


def open_plain(place: str, path: Path) -> tuple[Write, Callable[[], None]]:
    """What adds lines to a file, or to standard output, and what ends that. Raises `SettingError`."""
    if path == STANDARD_OUTPUT:
        stream = Stream(1)
        return stream.write, stream.close
    try:
        file = PlainFile(path, time.monotonic)
    except OSError as error:
        raise SettingError(place, f"`{path}` cannot be written: {error.strerror}") from None
    return file.write, file.close


def _plain(place: str, path: Path) -> BackgroundLog:
    write, end = open_plain(place, path)
    return BackgroundLog(write, end)


def _decision_log(settings: TelemetrySettings) -> BackgroundLog | None:
    if settings.decision_log is None:
        return None
    try:
        key = None if settings.decision_log_key is None else read_key(settings.decision_log_key)
        file = ChainedFile(settings.decision_log, time.monotonic, key)
    except KeyFileError as error:
        raise SettingError("telemetry.decision_log_key", str(error)) from None
    except ChainError as error:
        raise SettingError("telemetry.decision_log", str(error)) from None
    return BackgroundLog(file.write, file.close)


def _decision_lines(settings: TelemetrySettings) -> DecisionLines:
    headers = tuple(name.encode("ascii") for name in settings.decision_log_headers)
    return DecisionLines(DecisionLogSettings(headers, settings.decision_log_masked))


def _spans(settings: OtlpSettings, service: str, hidden: frozenset[str]) -> SpanQueue:
    from meshproof.runtime.telemetry.otlp import OtlpSpans  # noqa: PLC0415  an extra, for those who export alone

    exporter = OtlpSpans(settings.endpoint, service)
    return SpanQueue(exporter.export, exporter.close, hidden)
