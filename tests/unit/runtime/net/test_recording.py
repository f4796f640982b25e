"""The decision log of an authorizer: what is decided over HTTP and gRPC, chained by the code that sidecars have."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.extauthz.check import CONTEXT
from meshproof.runtime.extauthz.check_messages import CheckRequest, CheckResponse
from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.loading import check
from meshproof.runtime.net.service import Service
from meshproof.runtime.settings import AuthzSettings, Limits, Listen
from meshproof.runtime.settings_run import PolicyFiles, TelemetrySettings
from meshproof.runtime.telemetry.chains import verify_chains
from meshproof.runtime.telemetry.verify_log import Broken, Whole, verify

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
audit deny no-old: front -> catalog:http { GET /items/old/** because "who?" until 2027-01-01 }
"""
DAY = date(2026, 11, 23)
FRONT = "spiffe://cluster.local/ns/shop/sa/front"
TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {
    "x-request-id": "c0ffee",
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "x-team": "pay",
    "authorization": "Bearer secret",
    "x-forwarded-for": "10.0.0.9",
}
KEY = b"k" * 32
PATIENCE = 60.0
ASKED = (("GET", "/items/old/7?card=secret"), ("GET", "/items/7"), ("PUT", "/items/7"), ("GET", "/items%2f7"))


def _settings(folder: Path, telemetry: TelemetrySettings) -> AuthzSettings:
    bundle = folder / "policy.json"
    bundle.write_bytes(dump(Bundle("first", "known", enforced(policy_of_texts({"m.mesh": TEXT}).meshes[0]))))
    return AuthzSettings(
        PolicyFiles(bundle),
        (Destination("/catalog", "catalog", 8080),),
        Listen(port=0),
        None,
        Limits(drain_seconds=0),
        Listen(port=0),
        telemetry=telemetry,
    )


def _telemetry(folder: Path) -> TelemetrySettings:
    (folder / "chain.key").write_bytes(KEY)
    return TelemetrySettings(
        decision_log=folder / "decisions.jsonl",
        decision_log_headers=("x-team", "authorization"),
        decision_log_masked=("authority",),
        decision_log_key=folder / "chain.key",
    )


Ask = Callable[[str, str, str], Coroutine[None, None, tuple[int, str]]]
"""Asks about a method, a path and who calls; the status of the answer, and what it says of audited rules."""


def _over_http(places: dict[str, tuple[str, int]]) -> Ask:
    async def ask(method: str, path: str, caller: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection(*places["listen"])
        told = {**HEADERS, "x-forwarded-client-cert": f"URI={caller}", "connection": "close"}
        lines = [
            f"{method} /catalog{path} HTTP/1.1",
            "host: shop",
            *(f"{name}: {value}" for name, value in told.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = (await reader.read()).decode("ascii").partition("\r\n\r\n")[0]
        writer.close()
        found = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return int(head.split(" ")[1]), found.get("x-meshproof-audited", "")

    return ask


def _over_grpc(places: dict[str, tuple[str, int]]) -> Ask:
    async def ask(method: str, path: str, caller: str) -> tuple[int, str]:
        request: Any = CheckRequest()
        request.attributes.source.principal = caller
        request.attributes.context_extensions[CONTEXT] = "/catalog"
        http = request.attributes.request.http
        http.method, http.path, http.host = method, path, "shop"
        http.headers.update(HEADERS)
        address, port = places["grpc"]
        async with grpc.aio.insecure_channel(f"{address}:{port}") as channel:
            data = await channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")(
                request.SerializeToString(), timeout=PATIENCE
            )
        response: Any = CheckResponse.FromString(data)
        status = 200 if response.HasField("ok_response") else int(response.denied_response.status.code)
        return status, str(response.dynamic_metadata.fields["audited"].string_value)

    return ask


WAYS = {"http": _over_http, "grpc": _over_grpc}


def _served(
    settings: AuthzSettings,
    way: str,
    body: Callable[[Ask], Coroutine[None, None, None]],
    hear: Callable[[str], object] = len,
) -> None:
    async def all_of_it() -> None:
        service = Service(settings, Journal(hear), lambda: DAY)
        places = await service.start()
        try:
            await asyncio.wait_for(body(WAYS[way](places)), PATIENCE)
        finally:
            await service.drain()

    asyncio.run(all_of_it())


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


@pytest.mark.parametrize("way", WAYS)
def test_each_decision_is_a_line_of_a_chain(tmp_path: Path, way: str) -> None:
    answers: list[tuple[int, str]] = []

    async def body(ask: Ask) -> None:
        answers.extend([await ask(method, path, FRONT) for method, path in ASKED])
        assert (await ask("GET", "/items/7", "https://nobody"))[0] == 403  # no decision, and so no line

    _served(_settings(tmp_path, _telemetry(tmp_path)), way, body)
    assert answers == [(200, "no-old"), (200, ""), (403, ""), (403, "")]
    path = tmp_path / "decisions.jsonl"
    [whole] = verify_chains(path, KEY, {}).values()
    assert isinstance(whole, Whole)
    assert (whole.lines, whole.is_closed) == (5, True)
    first, *others, closed = _lines(path)
    assert first["time"].endswith("Z")
    del first["time"], first["seq"], first["prev"], first["hash"]
    assert first == {
        "id": "c0ffee",
        "trace_id": TRACE,
        "source": FRONT,
        "source_ip": None,
        "destination": "catalog",
        "port": 8080,
        "method": "GET",
        "authority": None,
        "path": "/items/old/7",
        "headers": [["x-team", "pay"]],
        "status": 200,
        "decision": "allow",
        "rule": "browse",
        "reason": "rule",
        "policy_hash": "first",
        "audited": ["no-old"],
        "erased": ["authority"],
    }
    assert [(one["decision"], one["rule"], one["reason"], one["status"]) for one in others] == [
        ("allow", "browse", "rule", 200),
        ("deny", None, "default", 403),
        ("deny", None, "path", 403),
    ]
    assert closed["event"] == "closed"
    assert "secret" not in path.read_text(encoding="ascii")


def test_a_line_that_was_changed_is_found(tmp_path: Path) -> None:
    async def body(ask: Ask) -> None:
        assert (await ask("PUT", "/items/7", FRONT))[0] == 403

    _served(_settings(tmp_path, _telemetry(tmp_path)), "http", body)
    data = (tmp_path / "decisions.jsonl").read_bytes()
    assert isinstance(verify([("d", io.BytesIO(data))], KEY), Whole)
    assert isinstance(verify([("d", io.BytesIO(data.replace(b'"deny"', b'"allow"')))], KEY), Broken)
    assert isinstance(verify([("d", io.BytesIO(data))], b"j" * 32), Broken)


def test_a_restart_goes_on_with_the_chain(tmp_path: Path) -> None:
    settings = _settings(tmp_path, TelemetrySettings(decision_log=tmp_path / "decisions.jsonl"))

    async def body(ask: Ask) -> None:
        assert (await ask("GET", "/items/7", FRONT))[0] == 200

    for _ in range(2):
        _served(settings, "http", body)
    found = verify_chains(tmp_path / "decisions.jsonl", None, {})
    assert [one.lines for one in found.values() if isinstance(one, Whole)] == [4]


def test_a_full_disk_stops_no_decision_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(tmp_path, TelemetrySettings(decision_log=tmp_path / "decisions.jsonl"))
    lines: list[str] = []
    told = asyncio.Event()

    def hear(line: str) -> None:
        lines.append(line)
        if "log-loses-lines" in line:
            told.set()

    async def body(ask: Ask) -> None:
        with monkeypatch.context() as full:
            full.setattr(os, "write", _full)
            assert (await ask("GET", "/items/7", FRONT))[0] == 200
            await told.wait()

    _served(settings, "http", body, hear)
    assert json.loads(next(line for line in lines if "log-" in line)) == {"event": "log-loses-lines", "log": "decision"}


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_without_a_log_audited_rules_are_told_all_the_same(tmp_path: Path) -> None:
    async def body(ask: Ask) -> None:
        assert await ask("GET", "/items/old/7", FRONT) == (200, "no-old")

    _served(_settings(tmp_path, TelemetrySettings()), "http", body)
    assert not (tmp_path / "decisions.jsonl").exists()


@pytest.mark.parametrize(
    ("telemetry", "said"),
    [
        (TelemetrySettings(decision_log=Path("/nowhere/d")), "telemetry.decision_log: `/nowhere/d` cannot be written"),
        (
            TelemetrySettings(decision_log=Path("/nowhere/d"), decision_log_key=Path("/nowhere/k")),
            "telemetry.decision_log_key: `/nowhere/k` cannot be read",
        ),
    ],
)
def test_a_log_that_cannot_be_written_stops_the_start(tmp_path: Path, telemetry: TelemetrySettings, said: str) -> None:
    with pytest.raises(StartError, match=said):
        Service(_settings(tmp_path, telemetry), Journal(lambda _: None), lambda: DAY)


def test_check_looks_at_the_key_and_writes_nothing(tmp_path: Path) -> None:
    telemetry = _telemetry(tmp_path)
    check(_settings(tmp_path, telemetry))
    assert not (tmp_path / "decisions.jsonl").exists()
    (tmp_path / "chain.key").write_bytes(b"short")
    with pytest.raises(StartError, match="does not hold 32 to 4096 bytes"):
        check(_settings(tmp_path, telemetry))
