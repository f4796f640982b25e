"""Workers and their end. docs/operations/sidecar.md promises the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.faults.ground import MESH, OPENED, Ground, Line, Sidecar, bundle, owner, put, run

pytestmark = pytest.mark.slow
TWO = "[process]\nworkers = 2\ndrain_seconds = 5\n"


@dataclass
class Caller:
    """Asks on one connection, over and over, until it is told to stop."""

    line: Line
    owner: int | None
    answers: int = 0
    bad: int = 0
    is_cut: bool = False

    async def go_on(self, until: asyncio.Event) -> None:
        """An answer is 200; a connection that ends is cut."""
        while not until.is_set() and not self.is_cut:
            match await self.line.ask():
                case 200:
                    self.answers += 1
                case 0:
                    self.is_cut = True
                case _:
                    self.bad += 1


async def _callers(ground: Ground, sidecar: Sidecar, pids: list[int]) -> list[Caller]:
    front = ground.leaf("front")
    lines = [await ground.call(sidecar, front) for _ in range(24)]
    return [Caller(line, owner(line.port, pids)) for line in lines]


def test_a_worker_that_is_killed_under_load(tmp_path: Path) -> None:
    """Its connections end, and those that it had not accepted; no other one misses an answer; all can call again."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(TWO) as sidecar:
            pids = await sidecar.workers()
            callers = await _callers(ground, sidecar, pids)
            assert {one.owner for one in callers} == set(pids)
            until = asyncio.Event()
            asking = [asyncio.create_task(one.go_on(until)) for one in callers]
            while min(one.answers for one in callers) < 5:
                await _turn()
            os.kill(pids[0], signal.SIGKILL)
            assert (await sidecar.event("worker-ended"))["code"] == "SIGKILL"
            await sidecar.event("worker-serving", 3)
            again = await ground.call(sidecar)
            assert await again.ask() == 200
            until.set()
            await asyncio.gather(*asking)
            assert {one.is_cut for one in callers if one.owner == pids[0]} == {True}
            assert {one.is_cut for one in callers if one.owner == pids[1]} == {False}
            assert [one.bad for one in callers] == [0] * len(callers)
            assert await sidecar.metric('meshproof_worker_exits_total{how="SIGKILL"}') == 1
            for one in (again, *(one.line for one in callers)):
                await one.close()

    run(body())


async def _turn() -> None:
    """One turn of the loop."""
    await asyncio.get_running_loop().run_in_executor(None, int)


def test_swaps_under_load(tmp_path: Path) -> None:
    """Of policies and certificates, again and again: no connection ends, and no request is refused."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(TWO) as sidecar:
            callers = await _callers(ground, sidecar, await sidecar.workers())
            until = asyncio.Event()
            asking = [asyncio.create_task(one.go_on(until)) for one in callers]
            for number in range(1, 6):
                put(ground.policy, bundle((MESH, OPENED)[number % 2], f"digest {number}"))
                ground.give_identity(ground.leaf("catalog"))
                sidecar.process.send_signal(signal.SIGHUP)
                await sidecar.event("reloaded", 2 * number)
                before = [one.answers for one in callers]
                while any(one.answers < count + 3 for one, count in zip(callers, before, strict=True)):
                    assert not any(one.is_cut for one in callers)
                    await _turn()
                new = await ground.call(sidecar)
                assert await new.ask() == 200
            until.set()
            await asyncio.gather(*asking)
            assert [(one.bad, one.is_cut) for one in callers] == [(0, False)] * len(callers)
            told = json.loads((await sidecar.page("/policy"))[1])
            assert [one["policy"] for one in told["workers"]] == ["digest 5"] * 2

    run(body())


def test_sigterm_under_load(tmp_path: Path) -> None:
    """Every request that has begun is answered; connections end between two requests."""

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(TWO) as sidecar:
            callers = await _callers(ground, sidecar, await sidecar.workers())
            asking = [asyncio.create_task(one.go_on(asyncio.Event())) for one in callers]
            while min(one.answers for one in callers) < 5:
                await _turn()
            sidecar.process.terminate()
            await asyncio.gather(*asking)
            assert await sidecar.process.wait() == 0
            assert [one.bad for one in callers] == [0] * len(callers)
            served = ground.application.requests
            assert sum(one.answers for one in callers) == served
            for one in callers:
                await one.line.close()

    run(body())
