"""The authorizer over gRPC, on loopback and over mTLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.e2e.envoy.certificates import Authority, Pair

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.extauthz.check import CONTEXT, health_answer
from meshproof.runtime.extauthz.check_messages import CheckRequest, CheckResponse
from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.net import grpc_authz
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.service import Service
from meshproof.runtime.settings import AuthzSettings, Limits, Listen, TlsSettings
from meshproof.runtime.settings_run import PolicyFiles

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
"""
DAY = date(2026, 11, 23)
ACCOUNT = "spiffe://cluster.local/ns/shop/sa/"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
HEALTH = "/grpc.health.v1.Health/"
PATIENCE = 60.0
Channel = Any


@dataclass
class Running:
    service: Service
    place: str
    files: Path
    authority: Authority
    lines: list[str]

    def channel(self, pair: Pair, root: Path | None = None) -> Channel:
        trusted = (root or self.authority.root).read_bytes()
        own = grpc.ssl_channel_credentials(trusted, pair.key.read_bytes(), pair.certificate.read_bytes())
        return grpc.aio.secure_channel(self.place, own)

    async def status(self, pair: Pair, method: str = "GET") -> int:
        async with self.channel(pair) as channel:
            data = await channel.unary_unary(CHECK)(_question(method), timeout=PATIENCE)
        response: Any = CheckResponse.FromString(data)
        return 200 if response.HasField("ok_response") else int(response.denied_response.status.code)


def _question(method: str, certificate: str = "") -> bytes:
    request: Any = CheckRequest()
    attributes = request.attributes
    attributes.source.principal = f"{ACCOUNT}front"
    attributes.source.certificate = certificate
    attributes.context_extensions[CONTEXT] = "/catalog"
    http = attributes.request.http
    http.method, http.path, http.host = method, "/items/7", "catalog"
    data: bytes = request.SerializeToString()
    return data


def _give(folder: Path, pair: Pair, root: Path) -> None:
    for name, file in (("own.pem", pair.certificate), ("own.key", pair.key), ("ca.pem", root)):
        (folder / name).write_bytes(file.read_bytes())


def _settings(folder: Path, tls: TlsSettings | None) -> AuthzSettings:
    bundle = folder / "policy.json"
    bundle.write_bytes(dump(Bundle("first", "known", enforced(policy_of_texts({"m.mesh": TEXT}).meshes[0]))))
    destinations = (Destination("/catalog", "catalog", 8080),)
    limits = Limits(drain_seconds=0)
    return AuthzSettings(PolicyFiles(bundle), destinations, None, None, limits, Listen(port=0, tls=tls))


def _with(folder: Path, body: Callable[[Running], Coroutine[None, None, None]]) -> None:
    async def all_of_it() -> None:
        authority = Authority(folder, "ca0")
        _give(folder, authority.of(f"{ACCOUNT}authorizer"), authority.root)
        tls = TlsSettings(folder / "own.pem", folder / "own.key", folder / "ca.pem", (f"{ACCOUNT}catalog",))
        lines: list[str] = []
        service = Service(_settings(folder, tls), Journal(lines.append), lambda: DAY)
        places = await service.start()
        address, port = places["grpc"]
        try:
            await asyncio.wait_for(body(Running(service, f"{address}:{port}", folder, authority, lines)), PATIENCE)
        finally:
            await service.drain()

    asyncio.run(all_of_it())


def test_it_answers_who_may_ask_by_the_policy(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        envoy = running.authority.of(f"{ACCOUNT}catalog")
        assert [await running.status(envoy, method) for method in ("GET", "PUT")] == [200, 403]

    _with(tmp_path, body)


@pytest.mark.parametrize("uris", [(f"{ACCOUNT}front",), (f"{ACCOUNT}catalog", f"{ACCOUNT}front"), ()])
def test_nobody_else_may_ask(tmp_path: Path, uris: tuple[str, ...]) -> None:
    async def body(running: Running) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await running.status(running.authority.of(*uris))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "nobody who may ask" in running.lines[-1]

    _with(tmp_path, body)


def test_strangers_get_no_connection(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        (tmp_path / "other").mkdir()
        stranger = Authority(tmp_path / "other", "other").of(f"{ACCOUNT}catalog")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await running.status(stranger)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    _with(tmp_path, body)


def test_what_is_no_question_is_refused_and_told(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        async with running.channel(running.authority.of(f"{ACCOUNT}catalog")) as channel:
            check = channel.unary_unary(CHECK)
            for data in (b"\xff", b"", _question("GET", "no%20certificate"), _question("GET", "%ff")):
                response: Any = CheckResponse.FromString(await check(data, timeout=PATIENCE))
                assert response.denied_response.status.code == 403
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await check(_question("GET", "a" * 70_000), timeout=PATIENCE)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert any("it is no `CheckRequest`" in line for line in running.lines)

    _with(tmp_path, body)


def test_the_certificate_of_a_caller_is_read_where_it_is_told(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        async with running.channel(running.authority.of(f"{ACCOUNT}catalog")) as channel:
            check = channel.unary_unary(CHECK)
            for uris, status in (((f"{ACCOUNT}front",), 0), ((f"{ACCOUNT}front", "a:b"), 403), (("a:b",), 403)):
                told = running.authority.of(*uris).certificate.read_text().replace("+", "%2B").replace("\n", "%0A")
                for _ in range(2):
                    response: Any = CheckResponse.FromString(await check(_question("GET", told), timeout=PATIENCE))
                    assert response.denied_response.status.code == status

    _with(tmp_path, body)


def test_health_is_told_and_its_end_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_authz, "FAREWELL_SECONDS", PATIENCE)  # nobody is cut off by a machine that is busy

    async def body(running: Running) -> None:
        async with running.channel(running.authority.of(f"{ACCOUNT}catalog")) as channel:
            check = channel.unary_unary(f"{HEALTH}Check")
            assert await check(b"", timeout=PATIENCE) == health_answer(is_serving=True)
            with pytest.raises(grpc.aio.AioRpcError) as unknown:
                await check(b"\x0a\x01a", timeout=PATIENCE)
            assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
            watch = channel.unary_stream(f"{HEALTH}Watch")
            assert [one async for one in watch(b"\x0a\x01a")] == [health_answer(is_serving=None)]
            watching = watch(b"")
            assert await watching.read() == health_answer(is_serving=True)
            draining = asyncio.create_task(running.service.drain())
            assert await watching.read() == health_answer(is_serving=False)
            assert await watching.read() is grpc.aio.EOF
            assert await watching.code() is grpc.StatusCode.OK
            await draining

    _with(tmp_path, body)


def test_a_new_authority_and_certificate_are_taken_and_bad_ones_are_not(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        old, new = running.authority, Authority(tmp_path, "ca1")
        envoy = old.of(f"{ACCOUNT}catalog")
        (tmp_path / "own.key").write_bytes(new.of(f"{ACCOUNT}authorizer").key.read_bytes())
        assert not await running.service.reload()
        assert await running.status(envoy) == 200
        _give(tmp_path, new.of(f"{ACCOUNT}authorizer"), new.root)
        assert await running.service.reload()
        with pytest.raises(grpc.aio.AioRpcError):
            await running.status(envoy)
        running.authority = new
        assert await running.status(new.of(f"{ACCOUNT}catalog")) == 200

    _with(tmp_path, body)


def test_a_place_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    async def body(running: Running) -> None:
        settings = _settings(tmp_path, None)
        port = int(running.place.rpartition(":")[2])
        taken = replace(settings, grpc=Listen(port=port))
        with pytest.raises(StartError, match="cannot be listened at over gRPC"):
            await Service(taken, Journal(lambda _: None)).start()

    _with(tmp_path, body)
