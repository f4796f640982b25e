"""The service on loopback. Nothing here waits for a time: what ends a connection is shown by its end."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from tests.e2e.envoy.certificates import Authority, client_context

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.loading import check
from meshproof.runtime.net.loop import loop_factory
from meshproof.runtime.net.service import Service
from meshproof.runtime.settings import AuthzSettings, Limits, Listen, TlsSettings
from meshproof.runtime.settings_run import PolicyFiles
from meshproof.runtime.signature import generate, sign

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
"""
DAY = date(2026, 11, 23)
CALLER = b"x-forwarded-client-cert: URI=spiffe://cluster.local/ns/shop/sa/front\r\n"
ALLOWED = b"GET /catalog/items/7 HTTP/1.1\r\nhost: shop\r\n" + CALLER + b"\r\n"
REFUSED = ALLOWED.replace(b"GET", b"PUT")
PATIENCE = 20.0


def _silent() -> Journal:
    return Journal(lambda _: None)


def _bundle(text: str, digest: str, revision: int | None = None) -> bytes:
    return dump(Bundle(digest, "known", enforced(policy_of_texts({"m.mesh": text}).meshes[0]), (), revision))


@dataclass
class Running:
    service: Service
    place: tuple[str, int]
    admin: tuple[str, int]
    lines: list[str]
    bundle: Path
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.place)
        self.writers.append(writer)
        return reader, writer

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


@asynccontextmanager
async def _running(folder: Path, limits: Limits) -> AsyncIterator[Running]:
    bundle = folder / "policy.json"
    bundle.write_bytes(_bundle(TEXT, "first"))
    settings = AuthzSettings(
        PolicyFiles(bundle), (Destination("/catalog", "catalog", 8080),), Listen(port=0), Listen(port=0), limits
    )
    lines: list[str] = []
    service = Service(settings, Journal(lines.append), lambda: DAY)
    places = await service.start()
    running = Running(service, places["listen"], places["admin"], lines, bundle)
    try:
        yield running
    finally:
        for writer in running.writers:
            writer.close()
        await service.drain()


def _with(folder: Path, body: Callable[[Running], Coroutine[None, None, None]], limits: Limits | None = None) -> None:
    async def all_of_it() -> None:
        async with _running(folder, limits or Limits(drain_seconds=0)) as running:
            await asyncio.wait_for(body(running), PATIENCE)

    asyncio.run(all_of_it())


async def _ended(reader: asyncio.StreamReader) -> bool:
    """Whether nothing more comes."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def _reply(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ")[1]), head


def test_one_connection_asks_many_times(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        reader, writer = await running.open()
        writer.write(ALLOWED + REFUSED + ALLOWED)
        found = [await _reply(reader) for _ in range(3)]
        assert [status for status, _ in found] == [200, 403, 200]
        assert b"x-meshproof-rules: " in found[0][1]
        assert b"x-meshproof-policy: first\r\n" in found[0][1]
        writer.write(ALLOWED.replace(b"host", b"connection: close\r\nhost"))
        assert (await _reply(reader))[0] == 200
        assert await reader.read() == b""

    _with(tmp_path, body)


def test_a_fault_ends_the_connection_and_no_other(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        good, asking = await running.open()
        asking.write(ALLOWED)
        assert (await _reply(good))[0] == 200
        bad, hiding = await running.open()
        hiding.write(ALLOWED.replace(b"host", b"content-length: 5\r\nhost") + b"GET /" + ALLOWED)
        status, _ = await _reply(bad)
        assert (status, await bad.read()) == (413, b"")
        asking.write(ALLOWED)
        assert (await _reply(good))[0] == 200
        assert not any("items" in line or "spiffe" in line for line in running.lines)

    _with(tmp_path, body)


def test_a_request_that_never_ends_is_ended(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        slow, writer = await running.open()
        writer.write(ALLOWED)
        assert (await _reply(slow))[0] == 200
        writer.write(ALLOWED[:20])
        assert await _ended(slow)
        assert any("does not end its request in time" in line for line in running.lines)

    _with(tmp_path, body, Limits(head_seconds=1, drain_seconds=0))


def test_there_is_room_for_so_many(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        first, asking = await running.open()
        asking.write(ALLOWED)
        assert (await _reply(first))[0] == 200
        second, _ = await running.open()
        status, _ = await _reply(second)
        assert (status, await second.read()) == (403, b"")

    _with(tmp_path, body, Limits(connections=1, drain_seconds=0))


def test_a_new_policy_is_taken_and_a_bad_one_is_not(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        reader, writer = await running.open()
        running.bundle.write_bytes(_bundle(TEXT.replace("GET /items", "PUT /items"), "second"))
        assert await running.service.reload()
        writer.write(ALLOWED + REFUSED)
        assert [(await _reply(reader))[0] for _ in range(2)] == [403, 200]
        for bad in (b"", b"{}", _bundle(TEXT, "third")[:-9], _bundle(TEXT.replace("catalog", "other"), "fourth")):
            running.bundle.write_bytes(bad)
            assert not await running.service.reload()
        running.bundle.unlink()
        assert not await running.service.reload()
        writer.write(REFUSED)
        status, head = await _reply(reader)
        assert (status, b"x-meshproof-policy: second\r\n" in head) == (200, True)
        assert running.events() == ["started", "reloaded", *["reload-refused"] * 5]

    _with(tmp_path, body)


def test_rules_that_ask_others_are_told_when_they_are_taken(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        assert "gap" not in running.events()
        asking = f'{TEXT}authorizer opa {{ address "opa:9191" }}\n'
        asking += "ask check: front -> catalog:http { GET /items/**  via opa }"
        running.bundle.write_bytes(_bundle(asking, "asks"))
        assert await running.service.reload()
        assert running.events()[-2:] == ["reloaded", "gap"]
        reader, writer = await running.open()
        writer.write(ALLOWED)
        status, head = await _reply(reader)
        assert (status, b"x-meshproof-reason: undecided" in head) == (403, True)

    _with(tmp_path, body)


def test_what_has_begun_is_answered_before_the_end(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        begun, asking = await running.open()
        idle, waiting = await running.open()
        for reader, writer in ((begun, asking), (idle, waiting)):
            writer.write(ALLOWED)
            assert (await _reply(reader))[0] == 200
        asking.write(ALLOWED[:30])
        await _turn(running)
        draining = asyncio.create_task(running.service.drain())
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await running.open()
        assert await _health(running, "/readyz") == 503
        assert await _health(running, "/healthz") == 200
        asking.write(ALLOWED[30:])
        status, head = await _reply(begun)
        assert (status, b"connection: close" in head, await begun.read()) == (200, True, b"")
        await draining

    _with(tmp_path, body, Limits(drain_seconds=20))


async def _turn(running: Running) -> None:
    """The service has read all that was written before: another connection was answered since."""
    reader, writer = await running.open()
    writer.write(ALLOWED.replace(b"host", b"connection: close\r\nhost"))
    assert (await _reply(reader))[0] == 200


async def _health(running: Running, path: str) -> int:
    reader, writer = await asyncio.open_connection(*running.admin)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    status, _ = await _reply(reader)
    assert await reader.read() == b""
    writer.close()
    return status


def test_probes_are_answered_and_nothing_else_is_told_there(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        asked = ("/healthz", "/readyz", "/catalog/items/7")
        assert [await _health(running, path) for path in asked] == [200, 200, 404]

    _with(tmp_path, body)


def test_it_starts_whole_or_not_at_all(tmp_path: Path) -> None:
    settings = AuthzSettings(PolicyFiles(tmp_path / "policy.json"), (Destination("/catalog", "catalog", 8080),))
    with pytest.raises(StartError, match="cannot be read"):
        Service(settings, _silent())
    settings.policy.bundle.write_bytes(b"{}")
    with pytest.raises(StartError, match="is refused"):
        Service(settings, _silent())
    settings.policy.bundle.write_bytes(_bundle(TEXT, "digest"))
    with pytest.raises(StartError, match="declares no service"):
        Service(replace(settings, destinations=(Destination("/a", "nobody", 1),)), _silent())


def test_an_older_policy_is_refused_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    secret, public = generate()
    (tmp_path / "signer.pub").write_bytes(public)
    policy = PolicyFiles(tmp_path / "policy.json", (tmp_path / "signer.pub",), 2, tmp_path / "revision")
    settings = AuthzSettings(policy, (Destination("/catalog", "catalog", 8080),), Listen(port=0))

    def put(number: int | None) -> None:
        policy.bundle.write_bytes(sign(_bundle(TEXT, f"revision {number}", number), secret))

    async def body() -> None:
        put(5)
        service = Service(settings, _silent(), lambda: DAY)
        await service.start()
        with pytest.raises(StartError, match="another process's"):
            Service(settings, _silent())
        for number, is_taken in ((4, False), (None, False), (6, True), (5, False)):
            put(number)
            assert await service.reload() is is_taken
        check(replace(settings, policy=replace(policy, revision_file=None)))
        with pytest.raises(StartError, match="5 is older than 6"):
            check(settings)
        await service.drain()
        with pytest.raises(StartError, match="5 is older than 6"):
            Service(settings, _silent())
        put(1)
        with pytest.raises(StartError, match="1 is less than `minimum_revision`, which is 2"):
            Service(settings, _silent())
        put(6)
        service = Service(settings, _silent())
        await service.start()
        await service.drain()

    asyncio.run(body())


def test_a_start_that_grpc_ends_leaves_the_file_of_revisions_to_the_next(tmp_path: Path) -> None:
    secret, public = generate()
    (tmp_path / "signer.pub").write_bytes(public)
    policy = PolicyFiles(tmp_path / "policy.json", (tmp_path / "signer.pub",), 1, tmp_path / "revision")
    policy.bundle.write_bytes(sign(_bundle(TEXT, "digest", 1), secret))
    nothing = TlsSettings(tmp_path / "no.pem", tmp_path / "no.key", tmp_path / "no-ca.pem")
    broken = Listen(port=0, tls=nothing)
    settings = AuthzSettings(policy, (Destination("/catalog", "catalog", 8080),), grpc=broken)

    with pytest.raises(StartError, match="cannot be read") as first:  # what was raised keeps what was half made
        Service(settings, _silent())
    with pytest.raises(StartError) as second:
        Service(settings, _silent())
    assert str(second.value) == str(first.value)


def test_a_place_that_is_taken_is_said(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        listen = Listen(port=running.place[1])
        settings = AuthzSettings(PolicyFiles(running.bundle), (Destination("/catalog", "catalog", 8080),), listen)
        with pytest.raises(StartError, match="cannot be listened at"):
            await Service(settings, _silent()).start()

    _with(tmp_path, body)


def test_faults_are_told_ever_more_rarely() -> None:
    lines: list[str] = []
    journal = Journal(lines.append)
    for _ in range(100):
        journal.fault("it has a body")
    assert [json.loads(line)["times"] for line in lines] == [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, loop_factory()])
def test_over_tls_a_new_authority_is_taken_and_half_a_pair_is_not(
    tmp_path: Path, make_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    old, new = Authority(tmp_path, "ca0"), Authority(tmp_path, "ca1")
    uri = "spiffe://cluster.local/ns/shop/sa/catalog"
    tls = TlsSettings(tmp_path / "own.pem", tmp_path / "own.key", tmp_path / "ca.pem", (uri,))

    def give(authority: Authority) -> None:
        pair = authority.of("spiffe://cluster.local/ns/shop/sa/authorizer")
        for path, file in ((tls.certificate, pair.certificate), (tls.key, pair.key), (tls.client_ca, authority.root)):
            path.write_bytes(file.read_bytes())

    async def asked(place: tuple[str, int], authority: Authority) -> bytes:
        context = client_context(authority.of(uri), ("http/1.1",))
        reader, writer = await asyncio.open_connection(*place, ssl=context, server_hostname="")
        try:
            writer.write(ALLOWED)
            return await reader.read(12)
        except ssl.SSLError:
            return b""
        finally:
            writer.transport.abort()

    async def body() -> None:
        bundle = tmp_path / "policy.json"
        bundle.write_bytes(_bundle(TEXT, "first"))
        destinations = (Destination("/catalog", "catalog", 8080),)
        listen, limits = Listen(port=0, tls=tls), Limits(drain_seconds=0)
        service = Service(
            AuthzSettings(PolicyFiles(bundle), destinations, listen, None, limits), _silent(), lambda: DAY
        )
        place = (await service.start())["listen"]
        assert (await asked(place, old), await asked(place, new)) == (b"HTTP/1.1 200", b"")
        tls.key.write_bytes(new.of(uri).key.read_bytes())
        assert not await service.reload()
        assert await asked(place, old) == b"HTTP/1.1 200"
        give(new)
        assert await service.reload()
        assert (await asked(place, old), await asked(place, new)) == (b"", b"HTTP/1.1 200")
        await service.drain()

    give(old)
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(asyncio.wait_for(body(), PATIENCE))
