"""One connection without a socket: its timer and what it does to a peer that does not read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.bundle import load_bundle
from meshproof.runtime.core.http1 import Fault, Head
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.net.halls import AskingHall
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.protocol import AskingConnection
from meshproof.runtime.net.room import Room
from meshproof.runtime.net.service import today
from meshproof.runtime.settings import Limits, TlsSettings

ASKED = b"GET /a/b HTTP/1.1\r\nhost: a\r\n\r\n"
LIMITS = Limits(head_seconds=10, idle_seconds=3600)


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ends: list[str] = []

    def get_extra_info(self, name: str, default: object = None) -> object:
        del name
        return default

    def is_closing(self) -> bool:
        return bool(self.ends)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.ends.append("close")

    def abort(self) -> None:
        self.ends.append("abort")


@dataclass
class Listening:
    limits: Limits = LIMITS
    connections: Room[AskingConnection] = field(default_factory=Room)
    is_draining: bool = False
    faults: list[str] = field(default_factory=list)

    def may_ask(self, certificate: object) -> bool:
        return certificate is None

    def respond(self, head: Head) -> tuple[bytes, bool]:
        return head.target.encode(), False

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault.what)


def test_a_request_that_begins_late_has_no_more_time_than_any_other() -> None:
    async def body() -> None:
        now = 0.0
        wire, hall = Wire(), Listening()
        connection = AskingConnection(hall, lambda: now)
        connection.connection_made(wire)
        connection.data_received(ASKED)
        now = 11.0
        connection._ring()  # too early for an idle connection: it is set anew, an hour ahead
        assert (wire.ends, wire.written) == ([], b"/a/b")
        connection.data_received(ASKED[:9])
        assert connection._timer is not None
        assert connection._timer.when() - asyncio.get_running_loop().time() <= 10
        now = 20.0
        connection.data_received(ASKED[9:12])  # a byte now and then buys no time
        now = 21.5
        connection._ring()
        assert (wire.ends, hall.faults) == (["abort"], ["it does not end its request in time"])
        connection.connection_lost(None)
        assert len(hall.connections) == 0

    asyncio.run(body())


def test_an_idle_connection_ends_without_a_word() -> None:
    async def body() -> None:
        now = 0.0
        wire, hall = Wire(), Listening()
        connection = AskingConnection(hall, lambda: now)
        connection.connection_made(wire)
        connection.data_received(ASKED)
        now = 3601.0
        connection._ring()
        assert (wire.ends, hall.faults) == (["abort"], [])
        connection.connection_lost(None)

    asyncio.run(body())


def test_a_peer_that_does_not_read_is_cut() -> None:
    async def body() -> None:
        wire, hall = Wire(), Listening()
        connection = AskingConnection(hall, lambda: 0.0)
        connection.connection_made(wire)
        connection.pause_writing()
        assert (wire.ends, hall.faults) == (["abort"], ["it does not read its answers"])
        connection.data_received(ASKED)
        assert wire.written == b""
        connection.connection_lost(None)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("uris", "clients", "is_heard"),
    [
        (("spiffe://a/x",), (), True),
        (("spiffe://a/x",), ("spiffe://a/x",), True),
        (("spiffe://a/x",), ("spiffe://a/y",), False),
        (("spiffe://a/x", "spiffe://a/y"), ("spiffe://a/x",), False),
        (("spiffe://a/x", "spiffe://a/y"), (), False),
        ((), (), False),
    ],
)
def test_who_may_ask_has_one_uri(uris: tuple[str, ...], clients: tuple[str, ...], is_heard: bool) -> None:
    mesh = policy_of_texts({"m.mesh": 'mesh m { language 1  trust-domain "a"  namespace n  mtls strict }'}).meshes[0]
    authorizer = Authorizer(load_bundle(dump(Bundle("", "", enforced(mesh)))), ())
    tls = TlsSettings(Path("c"), Path("k"), Path("a"), clients)
    names = tuple(("URI", uri) for uri in uris)
    hall = AskingHall(authorizer, LIMITS, tls, Journal(lambda _: None), today)
    assert hall.may_ask({"subjectAltName": (("DNS", "a"), *names)}) is is_heard
    assert not hall.may_ask(None)
