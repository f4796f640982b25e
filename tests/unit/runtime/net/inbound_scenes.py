"""A whole sidecar of one process on loopback, with callers over TLS and an application that says what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import Issued, authority
from tests.unit.runtime.identity.handshakes import stranger
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.runtime.identity.keys import private_pem
from meshproof.runtime.net.material.identity import IdentityMaterial
from meshproof.runtime.net.material.policy import PolicyMaterial
from meshproof.runtime.net.process.places import place_of, reserved
from meshproof.runtime.net.sidecar import Sidecar, make_sidecar
from meshproof.runtime.settings_run import IdentityFolder, InboundPort, Place, PolicyFiles, RunLimits, RunSettings

PATIENCE = 30.0
MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service other { port http 80 -> 8080 }
service catalog { port http 80 -> 8080  port db tcp 5432 }
allow browse: front -> catalog:http { GET|HEAD|POST /items/** }
allow db: front -> catalog:db
"""
_WHY = 'because "moving" owner "o" until 2099-01-31'
OPEN = (
    MESH.replace("mtls strict", f"mtls permissive {{ {_WHY} }}")
    .replace("front -> catalog", "{ front, plaintext } -> catalog")
    .replace("/items/** }", '/items/** because "moving" }')
    .replace("catalog:db\n", 'catalog:db { because "moving" }\n')
)


@cache
def root() -> Issued:
    return authority()


@cache
def evil() -> Issued:
    return authority("evil.example")


@cache
def caller(name: str = "front", *, is_evil: bool = False) -> ssl.SSLContext:
    """A client that shows the certificate of that service."""
    signer, domain = (evil(), "evil.example") if is_evil else (root(), "shop.example")
    return stranger(signer.account(f"/ns/shop/sa/{name}", domain))


def material() -> IdentityMaterial:
    own = root().account("/ns/shop/sa/catalog", "shop.example")
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in own.shown)
    trusted = root().certificate.public_bytes(Encoding.PEM)
    return IdentityMaterial(pem, private_pem(own.key), (("shop.example", trusted),))


Answer = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Application:
    """Answers each request with its head; `answer` does something else. Of TCP it sends back what comes, backwards."""

    answer: Answer | None = None
    heads: list[bytes] = field(default_factory=list)
    server: asyncio.Server | None = None
    place: Place = field(default_factory=Place)
    is_http: bool = True

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, self.place.address, self.place.port)
        self.place = place_of(self.server.sockets[0])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_http:
                await self._requests(reader, writer)
            else:
                writer.write((await reader.read())[::-1])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self.answer is not None:
                await self.answer(head, reader, writer)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(head), head))


@dataclass
class Caller:
    """One connection to the sidecar."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, target: str, more: str = "", method: str = "GET") -> tuple[int, bytes]:
        """The status and the body of an answer that has a length."""
        self.writer.write(f"{method} {target} HTTP/1.1\r\nhost: catalog\r\n{more}\r\n".encode())
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), b": 0")
        return int(head[9:12]), await self.reader.readexactly(int(length.partition(b": ")[2]))

    async def is_ended(self) -> bool:
        """Whether nothing more comes: an end, or a reset."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@dataclass
class Scene:
    """A sidecar that serves."""

    sidecar: Sidecar
    places: tuple[Place, ...]
    application: Application
    opened: list[Caller] = field(default_factory=list)

    async def call(self, context: ssl.SSLContext | None, port: int = 0) -> Caller:
        place = self.places[port]
        name = None if context is None else "catalog"
        found = Caller(*await asyncio.open_connection(place.address, place.port, ssl=context, server_hostname=name))
        self.opened.append(found)
        return found

    async def take(self, mesh: str) -> None:
        await self.sidecar.take_policy(PolicyMaterial(bundle(mesh, digest=str(len(mesh)))))

    def metrics(self) -> str:
        return repr(self.sidecar.report()[1])


@asynccontextmanager
async def serving(
    mesh: str = MESH, answer: Answer | None = None, limits: RunLimits | None = None
) -> AsyncIterator[Scene]:
    """A sidecar of `catalog` in this process: port 0 speaks HTTP, port 1 TCP."""
    application, database = Application(answer), Application(is_http=False)
    await application.start()
    await database.start()
    held = [reserved(Place()) for _ in range(2)]
    places = tuple(map(place_of, held))
    inbound = (InboundPort(8080, places[0], application.place), InboundPort(5432, places[1], database.place))
    nowhere = Path("nowhere")
    settings = RunSettings(
        NodeName("catalog"), PolicyFiles(nowhere), IdentityFolder(nowhere), inbound, limits=limits or RunLimits()
    )
    wanted: list[IssuerName] = []
    sidecar = make_sidecar(0, settings, places, wanted.append)
    scene = Scene(sidecar, places, application)
    await scene.take(mesh)
    sidecar.take_identity(material())
    await sidecar.serve()
    try:
        yield scene
    finally:
        for one in scene.opened:
            one.writer.transport.abort()
        await sidecar.drain(1.0)
        for server in (application.server, database.server):
            assert server is not None
            server.close()
        for one_held in held:
            one_held.close()


def run(body: Awaitable[None]) -> None:
    """Run to the end, in time."""

    async def within() -> None:
        await asyncio.wait_for(body, PATIENCE)

    asyncio.run(within())
