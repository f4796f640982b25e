"""Metrics are pushed by the parent, from a thread, and a place that does not take them is told of when that begins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.runtime.net.material.given_files import files
from tests.unit.runtime.net.process.scenes import Running, run_with

from meshproof.runtime.telemetry.metrics.snapshot import Snapshot
from meshproof.runtime.telemetry.pushing import Pusher

SETTINGS = "[process]\ndrain_seconds = 0\nwatch_seconds = 0\n"


def test_metrics_of_all_workers_are_pushed_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, SETTINGS)

    async def body(running: Running) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        takes = [True, False, False, True, False]
        snapshots: list[Snapshot] = []

        def push(snapshot: Snapshot, wall: float) -> bool:
            assert wall > 0
            snapshots.append(snapshot)
            if len(snapshots) >= len(takes):
                loop.call_soon_threadsafe(ended.set)
                return True
            return takes[len(snapshots) - 1]

        parent = running.parent
        parent._begin(parent._push(Pusher("here", 0, push, ended.set)))
        await ended.wait()
        assert all("meshproof_policy_info" in one for one in snapshots)
        assert running.lines.of("metrics-not-taken") == [{"event": "metrics-not-taken", "by": "here"}]

    run_with(given, body, monkeypatch)


def test_lines_for_cloudwatch_have_their_file_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = '[telemetry]\nemf = { namespace = "Shop/Mesh", file = "emf.log", seconds = 3600 }\n'
    given = files(tmp_path, more + SETTINGS)

    async def body(running: Running) -> None:
        assert [one.name for one in running.parent._pushers] == ["emf"]
        assert (tmp_path / "emf.log").exists()

    run_with(given, body, monkeypatch)
