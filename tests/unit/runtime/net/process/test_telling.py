"""What the parent counts, over the lives of its workers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.runtime.net.material.given_files import CATALOG, NOW, files

from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.net.process.telling import Telling
from meshproof.runtime.net.process.worker import Worker
from meshproof.runtime.settings_run_file import read_run_settings
from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import Snapshot, dump


def _given(folder: Path, telling: Telling) -> Given:
    given = Given(read_run_settings(files(folder).config), telling, lambda _: None, lambda: NOW)
    given.load()
    return given


def _worker(number: int, faults: int) -> Worker:
    registry = Registry()
    registry.number(catalogue.FAULTS, "one").value = faults
    found = Worker(number, "", lambda *_: None, 0.0)
    found.report = Frame("report", {}, (dump(registry.snapshot()),))
    return found


def _faults(snapshot: Snapshot) -> float:
    return snapshot[catalogue.FAULTS.name][("one",)].value


def test_what_a_worker_counted_stays_once_when_it_has_ended(tmp_path: Path) -> None:
    telling = Telling(Journal(lambda _: None))
    given = _given(tmp_path, telling)
    first, other = _worker(0, 3), _worker(1, 4)
    assert _faults(telling.snapshot((first, other), given)) == 7
    first.fail("it is gone")
    telling.exited(first, "SIGKILL")
    assert [_faults(telling.snapshot((first, other), given)) for _ in range(2)] == [7, 7]
    assert _faults(telling.snapshot((_worker(0, 1), other), given)) == 8
    found = telling.snapshot((), given)[catalogue.WORKER_EXITS.name]
    assert found[("SIGKILL",)].value == 1


def test_it_says_what_holds(tmp_path: Path) -> None:
    telling = Telling(Journal(lambda _: None))
    found = telling.snapshot((), _given(tmp_path, telling))
    assert set(found[catalogue.POLICY_INFO.name]) == {("first",)}
    assert set(found[catalogue.CERTIFICATE_EXPIRY.name]) == {(CATALOG,)}
    reloads = found[catalogue.CONFIG_RELOADS.name]
    assert {labels[0]: sample.value for labels, sample in reloads.items()} == {"taken": 0, "refused": 0}


def test_a_report_that_is_none_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    telling = Telling(Journal(lines.append))
    worker = _worker(0, 3)
    worker.report = Frame("report", {}, (b"{",))
    assert _faults(telling.snapshot((worker, _worker(1, 4)), _given(tmp_path, telling))) == 4
    assert [json.loads(line)["event"] for line in lines] == ["report-refused"]
