"""Applications, disks and callers that do not do their part. docs/operations/sidecar.md promises the same."""

from __future__ import annotations

import asyncio
import resource
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.ground import PATIENCE, Ground, Line, run
from tests.unit.runtime.identity.handshakes import stranger

from meshproof.runtime.settings_run import RunLimits

pytestmark = pytest.mark.slow
QUICK = "[process]\ndrain_seconds = 1\n"
IDLE = 10_000
DEFAULT = RunLimits().connections
SPARE = 500


def test_an_application_that_dies_and_returns(tmp_path: Path) -> None:
    """Meanwhile each request is answered with 503, at once; the caller's connection stays, and works again after."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(QUICK) as sidecar:
            line = await ground.call(sidecar)
            assert await line.ask() == 200
            ground.application.stop()
            assert {await line.ask() for _ in range(5)} == {503}
            assert (await sidecar.page("/readyz"))[0] == 200
            await ground.application.start()
            assert await line.ask() == 200
            await line.close()

    run(body())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Requests are decided and carried as before; the lines that no log holds are counted."""

    async def body() -> None:
        ground = Ground(tmp_path)
        logs = '[telemetry]\naccess_log = "/dev/full"\n'
        async with ground.sidecar(QUICK + logs) as sidecar:
            line = await ground.call(sidecar)
            for _ in range(50):
                assert [await line.ask(), await line.ask(method="PUT")] == [200, 403]
            lost = 'meshproof_log_lines_lost_total{log="access"}'
            while await sidecar.metric(lost) < 100:
                pass
            await line.close()
        assert sidecar.process.returncode == 0

    run(body())


def test_callers_that_send_slowly(tmp_path: Path) -> None:
    """A request whose head does not come in time, and a handshake that does not end, are cut; others are served."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(f"{QUICK}[limits]\nhead_seconds = 1\nhandshake_seconds = 1\n") as sidecar:
            line = await ground.call(sidecar)
            slow = [await ground.call(sidecar) for _ in range(20)]
            for one in slow:
                one.writer.write(b"GET /items/1 HTTP/1.1\r\nhost: ")
            silent = [await sidecar.connect(None) for _ in range(20)]
            for one in silent:
                one.writer.write(b"\x16\x03\x01")
            trickling = asyncio.create_task(_trickle(slow[0], await ground.call(sidecar)))
            ends = [asyncio.create_task(_end(one)) for one in (*slow[1:], *silent)]
            assert await line.ask() == 200
            await asyncio.gather(*ends)
            await trickling
            assert await line.ask() == 200
            assert await sidecar.metric("meshproof_faults_total") >= 20
            for one in (line, *slow, *silent):
                await one.close()

    run(body())


async def _trickle(slow: Line, other: Line) -> None:
    """Send a byte each time that another request is answered: each byte alone must not win time."""
    ending = asyncio.create_task(_end(slow))
    while not ending.done():
        slow.writer.write(b"x")
        await other.ask()


async def _end(line: Line) -> bytes:
    """What comes until the connection ends."""
    try:
        return await line.reader.read()
    except (OSError, ssl.SSLError):
        return b""


async def _turn() -> None:
    """One turn of the loop."""
    await asyncio.get_running_loop().run_in_executor(None, int)


@contextmanager
def _descriptors(most: int | None) -> Iterator[int]:
    """So many, or as many as the system lets us have, while this lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = hard if most is None else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (found, hard))
    try:
        yield found
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.filterwarnings("default:.* connections, because there are")
@pytest.mark.parametrize("few", [None, 1_000])
def test_ten_thousand_idle_connections(tmp_path: Path, few: int | None) -> None:
    """They cost memory and nothing else: new callers are served at once, and idle ones when they ask. A sidecar that
    begins with few descriptors takes what it may have."""

    async def body(count: int) -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar("[process]\nworkers = 2\ndrain_seconds = 1\n") as sidecar:
            least = min(DEFAULT + SPARE // 2, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            assert [_limits(pid)[0] >= least for pid in await sidecar.workers()] == [True] * 2
            context = stranger(ground.leaf("front"))
            idle: list[Line] = []
            while len(idle) < count:
                some = min(50, count - len(idle))
                new = await asyncio.gather(*(sidecar.connect(context) for _ in range(some)))
                assert {await one.ask() for one in new} == {200}  # the first request is not waited for as long
                idle += new
            line = await ground.call(sidecar)
            assert await line.ask() == 200
            assert [await idle[at].ask() for at in (0, count // 2, -1)] == [200] * 3
            assert await sidecar.metric("meshproof_connections_open") == count + 1
            for one in (line, *idle):
                one.writer.transport.abort()

    with _descriptors(few) as most:
        count = min(IDLE, max(most - SPARE, most // 4))
        if count < IDLE:
            warnings.warn(f"{count} connections, because there are {most} descriptors", stacklevel=1)
        run(body(count), 5 * PATIENCE)


def _limits(pid: int) -> tuple[int, int]:
    """How many descriptors a process may have, and could."""
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def test_too_few_descriptors(tmp_path: Path) -> None:
    """It says so at the start. Callers whom it cannot take wait, and are served when others end; those who are there go
    on, and are judged as before."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(QUICK, limit="-n 100") as sidecar:
            assert "a process may have 100 descriptors, and `connections` = 16384" in str(
                (await sidecar.event("gap"))["what"]
            )
            assert "a process may have 100 descriptors" in (await sidecar.page("/policy"))[1]
            context = stranger(ground.leaf("front"))
            first = await ground.call(sidecar)
            assert await first.ask() == 200
            calling = [asyncio.create_task(sidecar.connect(context)) for _ in range(150)]
            none = "there are no descriptors left for connections"
            while not any(one["event"] == "refused" and one["what"] == none for one in sidecar.events):
                assert sidecar.process.returncode is None
                await _turn()
            assert [await first.ask(), await first.ask(method="POST")] == [200, 403]
            served = 0
            for one in asyncio.as_completed(calling):
                line = await one
                assert await line.ask() in {200, 503}  # 503 where none is left for a connection to the application
                served += 1
                await line.close()
            assert served == len(calling)
            last = await ground.call(sidecar)
            assert await last.ask() == 200
            for one_line in (first, last):
                await one_line.close()

    run(body())
