"""What goes through real sidecars over HTTP/2 and gRPC stands in no log, no metric and on no page of theirs."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from tests.unit.runtime.net.two_sidecars import Application, Two, two

from meshproof.runtime.settings_run import Place, TelemetrySettings
from meshproof.runtime.telemetry.decisions import NEVER

MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop
  mtls permissive { because "moving" owner "o" until 2099-01-31 } }
service front { port http 80 -> 8080 }
service catalog { port http2 80 -> 8080 }
allow browse: front -> catalog:http2 { GET /items/** }
allow ask: front -> catalog:http2 { POST /shop.Catalog/* }
audit deny no-plain: plaintext -> all { because "b" owner "o" until 2099-01-31 }
"""
PATIENCE = 30.0
HEARD = b"secret-of-the-answer"
Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Sent:
    """A request of HTTP/2, with `%s` where its secret is; a body makes it a message of gRPC."""

    path: bytes = b"/items/1"
    method: bytes = b"GET"
    fields: tuple[tuple[bytes, bytes], ...] = ()
    authority: bytes = b"catalog"
    body: bytes | None = None
    trailers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self, secret: bytes) -> Fields:
        """All header lines."""
        lines = [
            (b":method", self.method),
            (b":scheme", b"http"),
            (b":authority", self.authority),
            (b":path", self.path),
            *((b"content-type", b"application/grpc") for _ in range(self.body is not None)),
            *((b"te", b"trailers") for _ in range(self.body is not None)),
            *self.fields,
        ]
        return [(name, value.replace(b"%s", secret)) for name, value in lines]


def _call(*fields: tuple[bytes, bytes], path: bytes = b"/shop.Catalog/Get", **more: object) -> Sent:
    return Sent(path, b"POST", fields, body=b"\0\0\0\0\x0a%s", **more)  # type: ignore[arg-type]


SENT = {
    "a token": Sent(fields=((b"authorization", b"Bearer %s"),)),
    "a password": Sent(fields=((b"authorization", b"Basic %s"),)),
    "cookies": Sent(fields=((b"cookie", b"a=%s"), (b"cookie", b"b=%s"))),
    "a key": Sent(fields=((b"x-api-key", b"%s"),)),
    "a key of a cloud": Sent(fields=((b"x-amz-security-token", b"%s"),)),
    "a header of somebody": Sent(fields=((b"x-secret", b"%s"), (b"baggage", b"token=%s"))),
    "where it came from": Sent(fields=((b"referer", b"https://shop/?token=%s"),)),
    "a query": Sent(b"/items/6?password=%s"),
    "a parameter": Sent(b"/items/8;jsessionid=%s"),
    "a query that is refused": Sent(b"/nowhere?code=%s", b"POST"),
    "a token that is refused": Sent(method=b"DELETE", fields=((b"authorization", b"Bearer %s"),)),
    "metadata": _call((b"authorization", b"Bearer %s"), (b"x-key-bin", b"%s")),
    "a message": _call(),
    "a message that is refused": _call(path=b"/shop.Stock/Take"),
    "trailers": _call(trailers=((b"x-checksum", b"%s"),)),
    "trailers that are refused": _call(trailers=((b"authorization", b"Bearer %s"),)),
    "a password in the authority": Sent(authority=b"me:%s@catalog"),
    "a fragment": Sent(b"/items/1#%s"),
    "a broken escape": Sent(b"/items/%zz?%s"),
    "a target of a proxy": Sent(b"http://catalog/items?%s"),
    "a name in capitals": Sent(fields=((b"Authorization", b"Bearer %s"),)),
    "a broken value": Sent(fields=((b"authorization", b"Bearer %s\0"),)),
    "a header of a connection": Sent(fields=((b"connection", b"%s"),)),
    "a header with two dots": Sent(fields=((b":secret", b"%s"),)),
    "a head that is too large": Sent(fields=((b"authorization", b"Bearer %s" * 9000),)),
}
ANSWERED = {
    "a token": b"200",
    "cookies": b"200",
    "a query": b"200",
    "a parameter": b"200",
    "metadata": b"200",
    "a message": b"200",
    "trailers": b"200",
    "a message that is refused": b"200",  # as gRPC has it: with a status in its trailers
    "a query that is refused": b"403",
    "a token that is refused": b"403",
}


class Catalog(Application):
    """Answers over HTTP/2, with a secret wherever one may be; it keeps the heads and bodies that it was sent."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.writers.append(writer)
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        h2.initiate_connection()
        writer.write(h2.data_to_send())
        calls: set[int] = set()
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                for event in h2.receive_data(data):
                    match event:
                        case RequestReceived():
                            self.heads.append(repr(event.headers).encode())
                            if (b"content-type", b"application/grpc") in event.headers:
                                calls.add(event.stream_id)
                        case DataReceived():
                            self.heads.append(event.data)
                            h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                        case StreamEnded():
                            self._answer(h2, event.stream_id, is_call=event.stream_id in calls)
                        case _:
                            continue
                writer.write(h2.data_to_send())

    def _answer(self, h2: H2Connection, number: int, *, is_call: bool) -> None:
        cookie = (b"set-cookie", b"s=" + HEARD)
        if is_call:
            h2.send_headers(number, [(b":status", b"200"), (b"content-type", b"application/grpc"), cookie])
            h2.send_data(number, b"\0\0\0\0\x14" + HEARD)
            h2.send_headers(number, [(b"grpc-status", b"7"), (b"grpc-message", HEARD)], end_stream=True)
        else:
            h2.send_headers(number, [(b":status", b"200"), cookie, (b"location", b"/?" + HEARD)])
            h2.send_data(number, HEARD, end_stream=True)


@dataclass
class Caller:
    """One connection of a client that takes no care of what it writes."""

    place: Place
    status: bytes = b""
    received: bytes = b""
    _h2: H2Connection = field(
        default_factory=lambda: H2Connection(
            H2Configuration(header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False)
        )
    )

    async def send(self, sent: Sent, secret: bytes) -> None:
        """Send it, and read until its stream or the connection ends; then leave with a last word."""
        reader, writer = await asyncio.open_connection(self.place.address, self.place.port)
        h2 = self._h2
        h2.initiate_connection()
        h2.ping(secret[:8].ljust(8, b"x"))
        trailers = [(name, value.replace(b"%s", secret)) for name, value in sent.trailers]
        h2.send_headers(1, sent.head(secret), end_stream=sent.body is None)
        if sent.body is not None:
            h2.send_data(1, sent.body.replace(b"%s", secret), end_stream=not trailers)
        if trailers:
            h2.send_headers(1, trailers, end_stream=True)
        with suppress(ConnectionError, ProtocolError):
            writer.write(h2.data_to_send())
            await asyncio.wait_for(self._read(reader, writer), PATIENCE)
            h2.close_connection(1, secret)
            writer.write(h2.data_to_send())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            for event in self._h2.receive_data(data):
                match event:
                    case ResponseReceived():
                        self.status = dict(event.headers)[b":status"]
                    case DataReceived():
                        self.received += event.data
                    case StreamEnded() | StreamReset() | ConnectionTerminated():
                        return
                    case _:
                        continue
            writer.write(self._h2.data_to_send())


async def _all(folder: Path) -> tuple[dict[str, Caller], dict[str, bytes], Two]:
    settings = TelemetrySettings(decision_log_headers=tuple(name.decode() for name in sorted(NEVER)))
    callers: dict[str, Caller] = {}
    async with two(folder, MESH, settings, Catalog()) as both:

        async def send(number: int, name: str) -> None:
            callers[name] = Caller(both.outbound)
            await callers[name].send(SENT[name], b"hush%dhush" % number)
            await Caller(both.inbound).send(SENT[name], b"hush%dhush" % number)  # past the sidecar of the caller

        await asyncio.gather(*(send(number, name) for number, name in enumerate(SENT)))
        broken = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"hush99hush" * 100
        assert b"hush" not in await both.send(broken)
    return callers, both.told(), both


def test_no_secret_of_http2_or_grpc_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    callers, told, both = asyncio.run(_all(tmp_path))
    said = capfd.readouterr()
    told["journal"] = (said.out + said.err).encode()
    statuses = {name: caller.status for name, caller in callers.items()}
    assert {name: statuses[name] for name in ANSWERED} == ANSWERED
    assert {name for name, status in statuses.items() if status == b"200"} <= set(ANSWERED) | {
        "a password", "a key", "a key of a cloud", "a header of somebody", "where it came from",
    }  # fmt: skip
    assert HEARD in callers["metadata"].received
    seen = b"".join(both.application.heads)  # it is passed on, and so was not lost before
    for name in ("a token", "metadata", "a message", "a query"):
        assert b"hush%dhush" % [*SENT].index(name) in seen
    for name in ("front-access.jsonl", "catalog-access.jsonl"):
        spoken = [json.loads(line)["protocol"] for line in told[name].splitlines()]
        assert spoken.count("HTTP/2") > len(ANSWERED)
    assert b'grpc_response_status="7"' in told["catalog metrics"]
    found = {name: re.findall(rb".{0,40}(?:hush\d+hush|" + HEARD + rb").{0,20}", data) for name, data in told.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
