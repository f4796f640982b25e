"""What the settings ask for is what is written, and what cannot be written is said before anything is served."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest
from tests.strategies.telling import WALL, connection, record, shop, sink

from meshproof.runtime.settings_run import EmfSettings, OtlpSettings, TelemetrySettings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.making import make_sink, make_tracer
from meshproof.runtime.telemetry.pushing import pushers
from meshproof.runtime.telemetry.verify_log import Whole, verify

_KEY = b"k" * 32


def _silent(event: str, **said: str | int) -> None:
    raise AssertionError(event, said)


def test_logs_are_written_as_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(_KEY)
    settings = TelemetrySettings(
        access_log=tmp_path / "access.jsonl",
        access_log_hidden=("user_agent",),
        decision_log=tmp_path / "decisions.jsonl",
        decision_log_headers=("x-team", "cookie"),
        decision_log_masked=("source_ip",),
        decision_log_key=tmp_path / "key",
    )
    told = make_sink(settings, "catalog", _silent)
    told.policy(shop(), "sha256:ab")
    lines = ((b"x-team", b"pay"), (b"cookie", b"session=1"), (b"user-agent", b"curl"))
    told.request(record(connection(), *lines))
    told.tick(WALL, 1000.0)
    told.close(10)
    access = json.loads((tmp_path / "access.jsonl").read_text(encoding="ascii"))
    assert (access["rule"], access["user_agent"]) == ("browse", None)
    data = (tmp_path / "decisions.jsonl").read_bytes()
    found = verify([("d", io.BytesIO(data))], _KEY)
    assert isinstance(found, Whole)
    assert (found.lines, found.is_closed) == (2, True)
    decided = json.loads(data.splitlines()[0])
    assert (decided["headers"], decided["source_ip"], decided["erased"]) == ([["x-team", "pay"]], None, ["source_ip"])
    assert b"session" not in data


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TelemetrySettings(access_log=Path("/nowhere/a")), "telemetry.access_log: `/nowhere/a` cannot be written"),
        (TelemetrySettings(decision_log=Path("/nowhere/a")), "telemetry.decision_log: `/nowhere/a` cannot be written"),
        (
            TelemetrySettings(decision_log=Path("/nowhere/a"), decision_log_key=Path("/nowhere/k")),
            "telemetry.decision_log_key: `/nowhere/k` cannot be read",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(settings: TelemetrySettings, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        make_sink(settings, "catalog", _silent)


def test_a_log_that_loses_lines_says_so_once_and_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, dict[str, str | int]]] = []
    settings = TelemetrySettings(decision_log=tmp_path / "decisions.jsonl")
    told = make_sink(settings, "catalog", lambda event, **said: events.append((event, said)))
    told.policy(shop(), "sha256:ab")
    real, is_full = os.write, [True]

    def write(descriptor: int, data: memoryview) -> int:
        if is_full[0]:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    log = told._outputs.decisions
    assert log is not None

    def pass_time(requests: int) -> None:
        before = log.lines + log.lost
        for _ in range(requests):
            told.request(record(connection()))
        log.flush()
        while log.lines + log.lost < before + requests:
            os.sched_yield()
        told.tick(WALL, 1000.0)

    for requests in (2, 3, 1):
        pass_time(requests)
    assert events == [("log-loses-lines", {"log": "decision"})]
    is_full[0] = False
    pass_time(1)
    assert events[1:] == [("log-lost-lines", {"log": "decision", "lines": 6})]
    pass_time(1)
    assert len(events) == 2
    monkeypatch.undo()
    told.close(10)
    found = verify([("d", io.BytesIO((tmp_path / "decisions.jsonl").read_bytes()))])
    assert isinstance(found, Whole)
    assert found.lines == 3  # two requests, and the end


def test_all_formats_are_read_and_those_of_the_settings_written() -> None:
    of = record(connection(), (b"b3", b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"))
    make_tracer(TelemetrySettings(trace_headers=("w3c", "x-ray")))(of.head, of)
    names = {name for name, _ in of.head.fields}
    assert names == {b"traceparent", b"x-amzn-trace-id", b"x-request-id"}
    assert (of.trace_id, of.is_sampled) == ("0af7651916cd43dd8448eb211c80319c", True)


def test_metrics_are_pushed_where_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pushers(TelemetrySettings(), "catalog", WALL) == ()
    settings = TelemetrySettings(emf=EmfSettings("Shop/Mesh", tmp_path / "emf.log", 5))
    [pusher] = pushers(settings, "catalog", WALL)
    told = sink()
    told.request(record(connection()))
    assert (pusher.name, pusher.seconds) == ("emf", 5)
    assert pusher.push(told.snapshot(), WALL)
    lines = (tmp_path / "emf.log").read_text(encoding="ascii").splitlines()
    assert json.loads(lines[0])["Requests"] == 1

    def write(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", write)
        assert not pusher.push(told.snapshot(), WALL)
    pusher.close()


def test_lines_for_cloudwatch_that_cannot_be_written_are_refused() -> None:
    settings = TelemetrySettings(emf=EmfSettings("Shop/Mesh", Path("/nowhere/a"), 5))
    with pytest.raises(SettingError, match="`/nowhere/a` cannot be written"):
        pushers(settings, "catalog", WALL)


def test_a_collector_without_what_speaks_to_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TelemetrySettings(otlp=OtlpSettings("http://127.0.0.1:4318/v1/traces"))
    for name in ("opentelemetry", "opentelemetry.exporter.otlp.proto.http"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SettingError, match=r"telemetry\.otlp: it needs the extra `otel`"):
        pushers(settings, "catalog", WALL)
