"""A parent whose identity comes from an agent of the Workload API."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.unit.runtime.identity.workload_api.fake_agent import FakeAgent, listening
from tests.unit.runtime.identity.workload_api.wire import svid, svids
from tests.unit.runtime.net.material.given_files import CATALOG, Files, files, leaf, root
from tests.unit.runtime.net.process.scenes import Running, run, running

ADMIN = '[admin]\nlisten = "127.0.0.1:0"\n'
ONE = "[process]\ndrain_seconds = 0\nwatch_seconds = 0\n"
OTHER = "spiffe://shop.example/ns/shop/sa/other"


def _with_agent(folder: Path) -> Files:
    given = files(folder, ADMIN + ONE)
    text = given.config.read_text(encoding="utf-8")
    named = 'certificate = "svid.pem"\nkey = "svid.key"\ntrust_bundle = "bundle.pem"\n'
    assert named in text
    given.config.write_text(text.replace(named, 'workload_api = "agent.sock"\n'), encoding="utf-8")
    return given


def _answer(number: int, *others: bytes) -> bytes:
    return svids(*others, svid(CATALOG, leaf(number=number), root()))


async def _until_serial(running: Running, number: int) -> None:
    """The worker takes what it is told in its own time."""
    while (await running.ask())[2] != f"{leaf(number=number).certificate.serial_number:x}":
        pass


def _run(given: Files, patch: pytest.MonkeyPatch, body: Callable[[Running, FakeAgent], Awaitable[None]]) -> None:
    agent = FakeAgent()

    async def whole() -> None:
        async with listening(given.folder / "agent.sock", agent), running(given) as found:
            await body(found, agent)

    run(whole(), patch)


def test_what_an_agent_gives_and_renews_reaches_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(running: Running, agent: FakeAgent) -> None:
        assert (await running.ask())[2] == "-"
        assert (await running.page("/readyz"))[0] == 503
        agent.say(_answer(0, svid(OTHER, leaf(OTHER), root())))
        await _until_serial(running, 0)
        assert (await running.page("/readyz"))[0] == 200
        agent.say(_answer(1))
        await _until_serial(running, 1)
        assert json.loads((await running.page("/policy"))[1])["identity"]["name"] == CATALOG
        ends = leaf(number=0).certificate.not_valid_after_utc.timestamp()
        name = f'meshproof_certificate_expiry_seconds{{spiffe_id="{CATALOG}"}} '
        (line,) = [one for one in (await running.page("/metrics"))[1].splitlines() if one.startswith(name)]
        assert float(line.removeprefix(name)) == ends
        assert [one["what"] for one in running.lines.of("reloaded")] == ["identity", "identity"]

    _run(_with_agent(tmp_path), monkeypatch, body)


def test_what_is_not_good_is_told_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(running: Running, agent: FakeAgent) -> None:
        agent.say(_answer(0))
        await _until_serial(running, 0)
        agent.say(svids(svid(OTHER, leaf(OTHER), root())), svids())
        assert (await running.lines.until("reload-refused"))["why"] == (
            f"the own certificate is that of `{OTHER}`, not of `{CATALOG}`"
        )
        told = await running.lines.until("reload-refused", 2)
        assert (told["what"], told["why"]) == ("identity", "the agent has no identity for this process")
        assert (await running.ask())[2] == f"{leaf(number=0).certificate.serial_number:x}"

    _run(_with_agent(tmp_path), monkeypatch, body)


def test_an_agent_that_is_not_there_is_told_and_the_sidecar_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, agent = _with_agent(tmp_path), FakeAgent()

    async def body() -> None:
        async with running(given) as found:
            why = (await found.lines.until("reload-refused"))["why"]
            assert why == f"the agent at `{given.folder / 'agent.sock'}` is not there"
            assert (await found.page("/readyz"))[0] == 503
            async with listening(given.folder / "agent.sock", agent):
                agent.say(_answer(0))
                await _until_serial(found, 0)

    run(body(), monkeypatch)
