"""What a real sidecar tells of what it carries: who asked for what, in one trace to the end, and never a secret."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.runtime.core.http2.ends import headers
from tests.unit.runtime.net.two_sidecars import Application, Two, two

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.hpack import BlockWriter
from meshproof.runtime.settings_run import TelemetrySettings
from meshproof.runtime.telemetry.decisions import NEVER
from meshproof.runtime.telemetry.verify_log import Whole, verify

MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop
  mtls permissive { because "moving" owner "o" until 2099-01-31 } }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
audit deny no-plain: plaintext -> all { because "b" owner "o" until 2099-01-31 }
audit deny no-sevens: front -> catalog:http { GET /items/7 because "b" owner "o" until 2099-01-31 }
"""
FRONT = "spiffe://shop.example/ns/shop/sa/front"
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_LAST = b"connection: close\r\n"

SECRETS = {
    "a token": (b"GET /items/1", b"authorization: Bearer %s\r\n"),
    "a password": (b"GET /items/2", b"Authorization: Basic %s\r\n"),
    "a cookie": (b"GET /items/3", b"cookie: session=%s\r\n"),
    "a key": (b"GET /items/4", b"x-api-key: %s\r\n"),
    "a key of a cloud": (b"GET /items/5", b"x-amz-security-token: %s\r\n"),
    "a query": (b"GET /items/6?password=%s", b""),
    "a query that is refused": (b"POST /nowhere?code=%s", b""),
    "a parameter": (b"GET /items/8;jsessionid=%s", b""),
    "a header of somebody": (b"GET /items/9", b"x-secret: %s\r\n"),
    "a token that is refused": (b"DELETE /items/1", b"authorization: Bearer %s\r\n"),
    "where it came from": (b"GET /items/10", b"referer: https://shop/?token=%s\r\n"),
    "a broken header": (b"GET /items/11", b"authorization : Bearer %s\r\n"),
    "a broken line": (b"GET /items/12", b"%s\x00\r\n"),
    "a broken target": (b"GET /items/%%zz?%s", b""),
    "a broken method": (b"G%s /items/13", b""),
}


def _asked(line: bytes, more: bytes = b"") -> bytes:
    return line + b" HTTP/1.1\r\nhost: catalog\r\n" + more + _LAST + b"\r\n"


def _read(told: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told[name].splitlines()]


async def _all_secrets(folder: Path) -> tuple[dict[str, bytes], dict[str, bytes], Two]:
    settings = TelemetrySettings(decision_log_headers=tuple(name.decode() for name in sorted(NEVER)))
    answers: dict[str, bytes] = {}
    async with two(folder, MESH, settings) as both:

        async def send(number: int, name: str, line: bytes, header: bytes) -> None:
            secret = b"hush%dhush" % number
            data = _asked(line % secret if b"%s" in line else line, header % secret if header else b"")
            answers[name] = await both.send(data)
            await both.send(data, both.inbound)  # in plaintext, past the sidecar of the caller

        await asyncio.gather(*(send(number, name, *each) for number, (name, each) in enumerate(SECRETS.items())))
    return answers, both.told(), both


def test_no_secret_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answers, told, both = asyncio.run(_all_secrets(tmp_path))
    said = capfd.readouterr()
    told["journal"] = (said.out + said.err).encode()
    statuses = {name: answer.partition(b" ")[2][:3] for name, answer in answers.items()}
    assert {statuses[name] for name in ("a token", "a cookie", "a query", "a parameter")} == {b"200"}
    assert {statuses[name] for name in ("a query that is refused", "a token that is refused")} == {b"403"}
    assert statuses["a broken header"] == b"400"
    assert any(b"hush0hush" in head for head in both.application.heads)  # it is passed on, and so was not lost before
    assert len(_read(told, "front-access.jsonl")) >= len(SECRETS) - 4
    assert len(_read(told, "catalog-decisions.jsonl")) > len(SECRETS)
    found = {name: re.findall(rb".{0,40}hush\d+hush.{0,20}", data) for name, data in told.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
    assert all(b"cookie-of-the-answer" not in data for data in told.values())


def test_one_request_is_one_trace_from_end_to_end(tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, bytes], Two]:
        async with two(tmp_path, MESH, TelemetrySettings(trace_headers=("w3c", "b3", "x-ray"))) as both:
            parent = b"traceparent: 00-%s-b7ad6b7169203331-01\r\nx-request-id: mine\r\n" % _TRACE.encode()
            assert b" 200 " in await both.send(_asked(b"GET /items/1", parent))
            assert b" 200 " in await both.send(
                _asked(b"GET /items/2", b"b3: %s-b7ad6b7169203331-1\r\n" % _TRACE.encode())
            )
            assert b" 200 " in await both.send(_asked(b"GET /items/3"))
        return both.told(), both

    told, both = asyncio.run(run())
    first, second, third = (
        dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2]) for head in both.application.heads
    )
    assert first[b"traceparent"] == f"00-{_TRACE}-b7ad6b7169203331-01".encode()  # nobody exports spans here
    assert first[b"x-request-id"] == b"mine"
    assert first[b"x-b3-traceid"] == _TRACE.encode()
    assert first[b"x-amzn-trace-id"].startswith(f"Root=1-{_TRACE[:8]}-{_TRACE[8:]}".encode())
    assert second[b"traceparent"].split(b"-")[1] == _TRACE.encode()
    assert third[b"traceparent"].split(b"-")[1] != _TRACE.encode()
    sent, served = _read(told, "front-access.jsonl"), _read(told, "catalog-access.jsonl")
    for key in ("request_id", "trace_id", "path"):
        assert [one[key] for one in sent] == [one[key] for one in served]
    assert [one["request_id"].encode() for one in sent] == [one[b"x-request-id"] for one in (first, second, third)]
    assert [one["trace_id"] for one in sent[:2]] == [_TRACE, _TRACE]


def test_both_ends_count_and_log_the_same_requests(tmp_path: Path) -> None:
    async def run() -> dict[str, bytes]:
        async with two(tmp_path, MESH, TelemetrySettings()) as both:
            assert b" 200 " in await both.send(_asked(b"GET /items/7"))
            assert b" 403 " in await both.send(_asked(b"DELETE /items/7"))
            assert b" 403 " in await both.send(_asked(b"GET /items/7"), both.inbound)
        return both.told()

    told = asyncio.run(run())
    served = [(one["peer"], one["decision"], one["rule"]) for one in _read(told, "catalog-access.jsonl")]
    assert served == [(FRONT, "allow", "browse"), (FRONT, "deny", None), (None, "deny", None)]
    decided = _read(told, "catalog-decisions.jsonl")
    assert [one.get("decision") for one in decided] == ["allow", "deny", "deny", None]  # and that it has ended
    assert [one.get("audited") for one in decided] == [["no-sevens"], None, ["no-plain"], None]
    assert isinstance(verify([("d", io.BytesIO(told["catalog-decisions.jsonl"]))]), Whole)
    counted = {name: _counted(told[f"{name} metrics"]) for name in ("front", "catalog")}
    assert counted["front"] == {("source", "front", "200", "unknown"): 1, ("source", "front", "403", "unknown"): 1}
    assert counted["catalog"] == {
        ("destination", "front", "200", "mutual_tls"): 1,
        ("destination", "front", "403", "mutual_tls"): 1,
        ("destination", "unknown", "403", "none"): 1,
    }


class Slow(Application):
    """Waits before it answers, and again before the body of the answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                await _pass(_SLOW)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
                await _pass(_SLOW)
                writer.write(b"ok")


async def _pass(seconds: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


_SLOW = 0.03
_LINES = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/items/1"), (b":authority", b"catalog")]
_HTTP2 = f.PREFACE + f.write_settings(()) + headers(1, BlockWriter().write(list(_LINES)), is_end=True)


@pytest.mark.parametrize(("asked", "version"), [(_asked(b"GET /items/1"), "HTTP/1.1"), (_HTTP2, "HTTP/2")])
def test_both_ends_say_how_long_the_application_took_until_it_began_to_answer(
    tmp_path: Path, asked: bytes, version: str
) -> None:
    async def run() -> dict[str, bytes]:
        async with two(tmp_path, MESH, TelemetrySettings(), Slow()) as both:
            reader, writer = await asyncio.open_connection(both.outbound.address, both.outbound.port)
            writer.write(asked)
            await asyncio.wait_for(reader.readuntil(b"ok"), 10)
            writer.close()
            await writer.wait_closed()
            assert b" 403 " in await both.send(_asked(b"DELETE /items/1"))
        return both.told()

    told = asyncio.run(run())
    least = int(_SLOW * 1000)
    for name in ("front-access.jsonl", "catalog-access.jsonl"):
        answered, refused = _read(told, name)
        assert answered["protocol"] == version
        took = answered["upstream_service_time"]
        assert least <= took <= answered["duration"] - least + 1  # the rest of a millisecond is cut off of both
        assert (refused["response_code"], refused["upstream_service_time"] is None) == (403, name[0] == "c")


def _counted(text: bytes) -> dict[tuple[str, ...], float]:
    labels = ("reporter", "source_workload", "response_code", "connection_security_policy")
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == "istio_requests_total"
    }


def test_a_full_disk_changes_no_decision_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        told = os.fstat(descriptor)
        if stat.S_ISREG(told.st_mode) and told.st_nlink:  # a file that is on a disk, and no memory
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    async def run() -> bytes:
        async with two(tmp_path, MESH, TelemetrySettings()) as both:
            monkeypatch.setattr(os, "write", write)
            sink = both.catalog._sink
            for count in range(1, 4):
                assert b" 200 " in await both.send(_asked(b"GET /items/1"))
                assert b" 403 " in await both.send(_asked(b"DELETE /items/1"))
                while _lost(both) < 4 * count:
                    sink.tick(time.time(), time.monotonic())
                    await asyncio.sleep(0)
                sink.tick(time.time(), time.monotonic())
            monkeypatch.undo()
        return both.told()["catalog-decisions.jsonl"]

    data = asyncio.run(run())
    assert [json.loads(line).get("event") for line in data.splitlines()] == ["closed"]
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "log" in line]
    losing = [one["log"] for one in said if one["event"] == "log-loses-lines"]
    assert set(losing) == {"access", "decision"}


def _lost(both: Two) -> float:
    lost = both.catalog._sink.snapshot().get("meshproof_log_lines_lost_total", {})
    return sum(sample.value for sample in lost.values())
