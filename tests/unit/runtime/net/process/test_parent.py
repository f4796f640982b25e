"""A parent and its workers, real processes each: what is given reaches all, and what is broken changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from tests.unit.runtime.net.material.given_files import CATALOG, bundle, files, leaf
from tests.unit.runtime.net.process.scenes import SMALL, Line, Lines, Running, closed, parent_of, run, run_with

from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.process import supervisor

ADMIN = '[admin]\nlisten = "127.0.0.1:0"\n'
TWO = "[process]\nworkers = 2\ndrain_seconds = 0\nwatch_seconds = 0\n"
ONE = "[process]\ndrain_seconds = 0\nwatch_seconds = 0\n"


def _serial(number: int) -> str:
    return f"{leaf(number=number).certificate.serial_number:x}"


async def _asked_until(running: Running, policy: str) -> None:
    """Ask on new connections until the policy is that one: the workers take what they are told in their own time."""
    while (await running.ask())[1] != policy:
        pass


def test_a_new_policy_and_a_new_identity_are_taken_without_ending_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, ADMIN + ONE)

    async def body(running: Running) -> None:
        line = await running.open()
        pid, policy, serial, _ = await line.ask()
        assert (policy, serial) == ("first", _serial(0))
        given.write_policy(bundle(digest="second"))
        given.write_identity(leaf(number=1))
        await running.parent.reload()
        while (found := await line.ask())[2] != _serial(1):
            pass
        assert found[:2] == [pid, "second"]
        assert [one["what"] for one in running.lines.of("reloaded")] == ["policy", "identity"]
        status, text = await running.page("/policy")
        told = json.loads(text)
        assert status == 200
        assert (told["policy"]["name"], told["identity"]["name"]) == ("second", CATALOG)
        assert [(one["policy"], one["state"]) for one in told["workers"]] == [("second", "serving")]

    run_with(given, body, monkeypatch)


def test_what_is_broken_changes_nothing_and_is_told_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, ADMIN + ONE)

    async def body(running: Running) -> None:
        given.write_policy(bundle()[:-9])
        await running.parent.reload()
        assert (await running.ask())[1] == "first"
        (line,) = running.lines.of("reload-refused")
        assert line["what"] == "policy"
        assert 'meshproof_config_reload_total{result="refused"} 1' in (await running.page("/metrics"))[1]
        assert json.loads((await running.page("/policy"))[1])["policy"]["refused"]["why"] == line["why"]
        assert (await running.page("/readyz"))[0] == 200
        given.write_policy(bundle(digest="third"))
        await running.parent.reload()
        await _asked_until(running, "third")

    run_with(given, body, monkeypatch)


def test_a_worker_that_is_killed_takes_its_connections_along_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, ADMIN + TWO)

    async def body(running: Running) -> None:
        lines = [await running.open() for _ in range(16)]
        owners = [(await line.ask())[0] for line in lines]
        assert len(set(owners)) == 2
        before = (await running.page("/metrics"))[1]
        assert 'meshproof_faults_total{what="a line"} 16' in before
        os.kill(int(owners[0]), signal.SIGKILL)
        told = await running.lines.until("worker-ended")
        assert told["code"] == "SIGKILL"
        after = [(await line.ask())[:1] for line in lines]
        assert after == [[] if owner == owners[0] else [owner] for owner in owners]
        assert {(await running.ask())[0] for _ in range(4)} != {owners[0]}
        counted = (await running.page("/metrics"))[1]
        assert 'meshproof_worker_exits_total{how="SIGKILL"} 1' in counted

    run_with(given, body, monkeypatch)


def test_a_worker_that_ended_is_started_again_with_what_holds_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, ADMIN + ONE)

    async def body(running: Running) -> None:
        first = (await running.ask())[0]
        given.write_policy(bundle(digest="second"))
        await running.parent.reload()
        assert await running.ask("die") == []
        assert (await running.lines.until("worker-ended"))["code"] == "3"
        await running.lines.until("worker-serving", 2)
        pid, policy, *_ = await running.ask()
        assert pid != first
        assert policy == "second"

    run_with(given, body, monkeypatch)


def test_a_worker_that_says_nothing_any_more_is_ended_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, ADMIN + ONE)
    monkeypatch.setattr(supervisor, "_BEAT", 0.05)

    async def body(running: Running) -> None:
        first = int((await running.ask())[0])
        monkeypatch.setattr(supervisor, "_SILENT", 0.05)
        os.kill(first, signal.SIGSTOP)
        await running.lines.until("worker-silent")
        assert (await running.lines.until("worker-ended"))["code"] == "SIGKILL"
        monkeypatch.setattr(supervisor, "_SILENT", 60.0)
        await running.lines.until("worker-serving", 2)
        while (told := await running.ask()) == []:
            pass
        assert told[0] != str(first)

    run_with(given, body, monkeypatch)


def test_a_look_that_fails_is_told_and_is_not_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def look(_: Given) -> None:
        looks.append(1)
        if len(looks) == 1:
            raise ValueError("nobody thought of this")

    async def body() -> None:
        lines = Lines()
        parent = parent_of(files(tmp_path, ONE), lines)
        watching = asyncio.create_task(parent._watch(0))
        told = await lines.until("look-failed")
        assert told["why"] == "ValueError: nobody thought of this"
        while len(looks) < 3:
            await asyncio.to_thread(int)
        watching.cancel()

    monkeypatch.setattr(Given, "look", look)
    run(body(), monkeypatch)


def test_the_end_waits_for_what_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, ADMIN + "[process]\ndrain_seconds = 50\nwatch_seconds = 0\n")

    async def body(running: Running) -> None:
        line = await running.open()
        await line.ask()
        draining = asyncio.create_task(running.parent.drain())
        assert await line.reader.readline() == b"draining\n"
        assert (await running.page("/readyz")) == (503, "draining\n")
        assert (await line.ask())[1] == "first"
        with pytest.raises(ConnectionError):
            await running.open()
        assert not draining.done()
        await line.ask("end")
        await draining
        assert running.lines.found[-1]["event"] == "stopped"

    run_with(given, body, monkeypatch)


def test_signals_reload_and_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, ONE)

    async def body() -> None:
        lines = Lines()
        parent = parent_of(given, lines)
        living = asyncio.create_task(parent.run())
        await lines.until("started")
        given.write_policy(b"{}")
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await lines.until("reload-refused"))["what"] == "policy"
        os.kill(os.getpid(), signal.SIGTERM)
        await living
        assert [one["event"] for one in lines.found[-2:]] == ["draining", "stopped"]

    run(body(), monkeypatch)


ALONE = """
import asyncio, sys
from pathlib import Path
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.process.parent import Config, Parent
from meshproof.runtime.settings_run_file import read_run_settings
path = Path(sys.argv[1])
def write(line): print(line, end="", flush=True)
asyncio.run(Parent(Config(read_run_settings(path), path.read_bytes(), path), Journal(write), sys.argv[2]).run())
"""


def test_a_parent_that_is_killed_leaves_nobody_who_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files(tmp_path, "[process]\nworkers = 2\ndrain_seconds = 50\n")

    async def body() -> None:
        command = (sys.executable, "-c", ALONE, str(given.config), SMALL)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        while (told := json.loads(await process.stdout.readline()))["event"] != "started":
            pass
        host, port = told["listen"].split(":")
        line = Line(*await asyncio.open_connection(host, int(port)))
        assert (await line.ask())[1] == "first"
        process.kill()
        assert await line.reader.readline() == b"draining\n"
        assert (await line.ask())[1] == "first"  # what has begun may end
        await line.ask("end")
        await closed(line.writer)
        assert await process.stdout.read() == b""  # all who hold its pipe have ended
        await process.wait()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(host, int(port))

    run(body(), monkeypatch)


def test_it_starts_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, TWO + '[telemetry]\ncluster = "without 1"\n')

    async def body() -> None:
        lines = Lines()
        parent = parent_of(given, lines)
        with pytest.raises(RefusedError, match="this worker does not want to"):
            await parent.start()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(parent.places[0].address, parent.places[0].port)

    run(body(), monkeypatch)


def test_a_place_where_somebody_listens_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a socket that takes nobody: whoever else on a busy machine tries that port must leave nothing in our loop."""

    async def body(taken: int) -> None:
        given = files(tmp_path, ONE)
        text = given.config.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{taken}")
        given.config.write_text(text, encoding="utf-8")
        with pytest.raises(RefusedError, match=f"`127.0.0.1:{taken}` cannot be listened at"):
            await parent_of(given, Lines()).start()

    with socket.create_server(("127.0.0.1", 0)) as somebody:
        run(body(somebody.getsockname()[1]), monkeypatch)
