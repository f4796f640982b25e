"""The outbound half of a sidecar on loopback, with servers that do what a test says, and time that it moves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.unit.runtime.core.traffic.scenes import Bell, Clock, draws
from tests.unit.runtime.identity.certificates import Issued, authority, bundles, own
from tests.unit.runtime.net.material.given_files import bundle
from tests.unit.runtime.net.outbound_peers import Peer, Script, Told, ok

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.bundle import Loaded, load_bundle
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.loop import loop_factory
from meshproof.runtime.net.outbound import Outbound, OutboundGiven
from meshproof.runtime.net.process.places import place_of
from meshproof.runtime.settings_run import (
    EndpointGroup,
    IdentityFolder,
    OutboundPort,
    Place,
    PolicyFiles,
    RunLimits,
    RunSettings,
)

DAY = date(2026, 11, 23)
NOW = 1_795_435_200.0
MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict  egress closed }
service front { port http 80 -> 8080 }
service back { port http 80 -> 8080  port grpc 90 -> 9090  port db tcp 5432  versions v1, v2 }
allow calls-back: front -> back { * /** }
allow db: front -> back:db
"""
BACK = NodeName("back")


class Bells(Clock):
    """Time that goes on when it is told to; what is for the same moment is for the next turn of the loop."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Bell:
        bell = Clock.call_later(self, delay, callback)
        if delay <= 0:
            asyncio.get_running_loop().call_soon(self._ring, bell)
        return bell

    def _ring(self, bell: Bell) -> None:
        if not bell.is_off:
            bell.is_off = True
            bell.call()


class Mesh:
    """Who may show what: one authority, and another one that nobody trusts."""

    def __init__(self) -> None:
        self.root = authority()
        self.stranger = authority()
        self.evil = authority("evil.example")

    def identities(self, path: str, *, signer: Issued | None = None, trust_domain: str = "shop.example") -> Identities:
        """Somebody, who trusts `shop.example` and whoever signed for it."""
        signer = signer or self.root
        made = Identities(lambda: NOW)
        made.take(own(signer.account(path, trust_domain), bundles(("shop.example", self.root), (trust_domain, signer))))
        return made


@dataclass
class Answered:
    status: int
    body: bytes
    head: str


class Client:
    """The application: one connection of HTTP/1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, method: str = "GET", target: str = "/", body: bytes = b"", *lines: str) -> None:
        more = "".join(f"{line}\r\n" for line in lines)
        length = f"content-length: {len(body)}\r\n" if body or method in {"POST", "PUT"} else ""
        self.writer.write(f"{method} {target} HTTP/1.1\r\nhost: back\r\n{length}{more}\r\n".encode("latin-1") + body)

    async def hear(self) -> Answered:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.lower().split("\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
        return Answered(int(head.split(" ")[1]), await self.reader.readexactly(length), head)

    async def ask(self, method: str = "GET", target: str = "/", body: bytes = b"", *lines: str) -> Answered:
        self.say(method, target, body, *lines)
        return await self.hear()


class Scene:
    """All of it."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.clock = Bells()
        self.told = Told()
        self.identities = mesh.identities("/ns/shop/sa/front")
        self.peers: list[Peer] = []
        self.ports: list[Place] = []
        self.outbound: Outbound | None = None
        self.days = [DAY]
        self._writers: list[asyncio.StreamWriter] = []

    async def peer(self, script: Script = ok, path: str = "/ns/shop/sa/back", *alpn: str) -> Peer:
        return await self.server(self.mesh.identities(path), script, *alpn)

    async def server(self, identities: Identities | None, script: Script = ok, *alpn: str) -> Peer:
        self.peers.append(await Peer(identities, script, *alpn).start())
        return self.peers[-1]

    async def start(
        self,
        policy: str,
        groups: Sequence[EndpointGroup],
        ports: Sequence[tuple[NodeName, int]] = ((BACK, 8080),),
        *,
        drawn: Sequence[float] = (0.5,),
        lookup: Callable[[str, int], Awaitable[Sequence[Address]]] | None = None,
    ) -> Outbound:
        """Begin."""
        free = [Place("127.0.0.1", 0) for _ in ports]
        self.ports = [_free() for _ in free]
        settings = RunSettings(
            NodeName("front"),
            PolicyFiles(Path("policy.json")),
            IdentityFolder(Path()),
            outbound=tuple(OutboundPort(name, port, at) for (name, port), at in zip(ports, free, strict=True)),
            endpoints=tuple(groups),
            limits=RunLimits(),
        )
        given = OutboundGiven(
            settings,
            self.ports,
            self.identities,
            self.told,
            self.clock,
            lambda: NOW,
            draws(*drawn),
            lambda: self.days[-1],
            lookup=lookup,
        )
        self.outbound = Outbound(given)
        self.outbound.take_policy(loaded(policy))
        await self.outbound.start()
        return self.outbound

    @property
    def endpoints(self) -> list[str]:
        """Where `back` is now."""
        assert self.outbound is not None
        return [str(one) for one in self.outbound.addresses(BACK, 8080)]

    async def client(self, index: int = 0) -> Client:
        place = self.ports[index]
        client = Client(*await asyncio.open_connection(place.address, place.port))
        self._writers.append(client.writer)
        return client

    async def ask(self, method: str = "GET", target: str = "/", body: bytes = b"", *lines: str) -> Answered:
        client = await self.client()
        answered = await client.ask(method, target, body, *lines)
        client.writer.close()
        return answered

    async def end(self) -> None:
        if self.outbound is not None:
            self.outbound.stop()
        for peer in self.peers:
            peer.stop()
        for writer in self._writers:
            writer.close()
        await turns(20)


def loaded(policy: str) -> Loaded:
    return load_bundle(bundle(MESH + policy))


def group(*peers: Peer, version: str | None = None, port: int = 8080, destination: NodeName = BACK) -> EndpointGroup:
    return EndpointGroup(destination, port, version, tuple(peer.place for peer in peers))


def played(play: Callable[[Scene], Awaitable[None]], mesh: Mesh) -> None:
    """Play it, within a time that only a hang takes."""

    async def whole() -> None:
        scene = Scene(mesh)
        try:
            async with asyncio.timeout(20):
                await play(scene)
        finally:
            await scene.end()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(whole())


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    for _ in range(1_000_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never holds")


async def turns(count: int) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


def _free() -> Place:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        return place_of(one)
