"""What the tests of faults stand on: real sidecars as a shell starts them, an application behind, and callers."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import LEAF, Issued, authority, bundles, own

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.identity.contexts import client_context
from meshproof.runtime.identity.keys import private_pem
from meshproof.runtime.settings_run import Place

PATIENCE = 120.0
PROXY = Path(sys.executable).parent / "meshproof-proxy"
MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
"""
OPENED = MESH.replace("GET /items/**", "GET|POST /items/**")
LOCAL = "127.0.0.1"


def run(body: Coroutine[None, None, None], patience: float = PATIENCE) -> None:
    """Run to the end, in time: nothing hangs."""
    asyncio.run(asyncio.wait_for(body, patience))


def bundle(text: str = MESH, digest: str = "first", revision: int | None = None) -> bytes:
    """A bundle of a policy, which calls itself by that digest."""
    return dump(Bundle(digest, "known", enforced(policy_of_texts({"m.mesh": text}).meshes[0]), (), revision))


def put(path: Path, content: bytes) -> None:
    """Replace a file, as `mv` does it."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.rename(path)


@dataclass
class Application:
    """Answers every request with its path, and keeps connections. Its port stays while it is down."""

    port: int = 0
    requests: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, LOCAL, self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Die: connections too."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                body = head.split(b" ", 2)[1]
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        self._writers.discard(writer)
        writer.close()


@dataclass
class Line:
    """A caller's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def port(self) -> int:
        """The caller's."""
        return int(self.writer.get_extra_info("sockname")[1])

    async def ask(self, path: str = "/items/1", method: str = "GET") -> int:
        """The status of the answer; 0 if the connection ends instead."""
        try:
            self.writer.write(f"{method} {path} HTTP/1.1\r\nhost: catalog\r\ncontent-length: 0\r\n\r\n".encode("ascii"))
            return await self.answer()
        except (OSError, asyncio.IncompleteReadError):
            return 0

    async def answer(self) -> int:
        """The status of the next answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split(b" ")[1])

    async def close(self) -> None:
        """End it."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Sidecar:
    """A sidecar that runs. `events` are the lines that it told so far."""

    process: asyncio.subprocess.Process
    events: list[dict[str, object]]
    access: list[dict[str, object]] = field(default_factory=list)
    opened: list[Line] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def place(self) -> Place:
        """Where it takes callers."""
        return self._place("listen")

    async def connect(self, context: ssl.SSLContext | None) -> Line:
        """A connection, over TLS or not. Raises `OSError`."""
        place = self.place
        if context is None:
            line = Line(*await asyncio.open_connection(place.address, place.port))
        else:
            line = Line(*await asyncio.open_connection(place.address, place.port, ssl=context, server_hostname=""))
        self.opened.append(line)
        return line

    async def event(self, name: str, count: int = 1) -> dict[str, object]:
        """The line of an event, when there are so many."""
        while len(found := [one for one in self.events if one["event"] == name]) < count:
            self._news.clear()
            await self._news.wait()
        return found[count - 1]

    async def page(self, path: str) -> tuple[int, str]:
        """Status and body of a page at the admin address."""
        place = self._place("admin")
        reader, writer = await asyncio.open_connection(place.address, place.port)
        line = Line(reader, writer)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: admin\r\n\r\n".encode("ascii"))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        await line.close()
        return int(head.split(b" ")[1]), body.decode("utf-8")

    async def metric(self, name: str) -> float:
        """The sum of the series of a metric; `name` may end within its labels."""
        lines = (await self.page("/metrics"))[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    async def workers(self) -> list[int]:
        """The numbers of the processes of its workers."""
        told = json.loads((await self.page("/policy"))[1])
        return [one["pid"] for one in told["workers"]]

    async def listen(self, stream: asyncio.StreamReader, into: list[dict[str, object]]) -> None:
        """Read lines of JSON, until there are no more."""
        while line := await stream.readline():
            with suppress(ValueError):
                into.append(json.loads(line))
                self._news.set()

    def _place(self, name: str) -> Place:
        (started,) = [one for one in self.events if one["event"] == "started"]
        address, _, port = str(started[name]).partition(" ")[0].rpartition(":")
        return Place(address, int(port))


@dataclass
class Ground:
    """A folder with what the sidecar of `catalog` is given, its application, and who calls."""

    folder: Path
    root: Issued = field(default_factory=authority)
    application: Application = field(default_factory=Application)

    def __post_init__(self) -> None:
        put(self.policy, bundle())
        self.give_identity(self.leaf("catalog"))

    @property
    def policy(self) -> Path:
        """The file of the bundle."""
        return self.folder / "policy.json"

    def leaf(self, name: str, **dates: object) -> Issued:
        """A new certificate of a service."""
        uris = (f"spiffe://shop.example/ns/shop/sa/{name}",)
        return self.root.sign(replace(LEAF, uris=uris, **dates))  # type: ignore[arg-type]

    def give_identity(self, issued: Issued, root: Issued | None = None) -> None:
        """Put an SVID there."""
        put(self.folder / "bundle.0.pem", _pem(root or self.root))
        put(self.folder / "svid.0.key", private_pem(issued.key))
        put(self.folder / "svid.0.pem", _pem(issued))

    async def call(self, sidecar: Sidecar, as_whom: Issued | None = None, root: Issued | None = None) -> Line:
        """A new connection of a caller: `front`, or somebody else. Raises `OSError` if it is refused."""
        trusted = bundles(("shop.example", self.root), *((("other.example", root),) if root is not None else ()))
        context = client_context(own(as_whom or self.leaf("front"), trusted))
        return await sidecar.connect(context)

    @asynccontextmanager
    async def sidecar(self, more: str = "", policy: str = "", limit: str = "") -> AsyncIterator[Sidecar]:
        """The sidecar, and the application if it does not run yet. In the end it drains.

        `limit` is what `ulimit` is told of its descriptors.
        """
        if not self.application.port:
            await self.application.start()
        config = self.folder / "run.toml"
        config.write_text(
            f'service = "catalog"\n[policy]\nbundle = "policy.json"\n{policy}[identity]\nfolder = "."\n'
            f'[[inbound]]\nport = 8080\nlisten = "{LOCAL}:0"\napplication = "{LOCAL}:{self.application.port}"\n'
            f'[admin]\nlisten = "{LOCAL}:0"\n{more}',
            encoding="utf-8",
        )
        pipe = asyncio.subprocess.PIPE
        shell = ("sh", "-c", f'ulimit {limit} && exec "$0" "$@"') if limit else ()
        command = (*shell, PROXY, "run", "--config", config)
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        found = Sidecar(process, [])
        assert process.stdout is not None
        assert process.stderr is not None
        reading = [
            asyncio.create_task(found.listen(process.stdout, found.access)),
            asyncio.create_task(found.listen(process.stderr, found.events)),
        ]
        try:
            await found.event("started")
            yield found
        finally:
            self.application.stop()
            for line in found.opened:
                line.writer.transport.abort()
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            await asyncio.gather(*reading)


def owner(port: int, pids: list[int]) -> int | None:
    """Which process has the other end of a connection over loopback that comes from a port."""
    inode = next(
        (
            fields[9]
            for fields in (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
            if int(fields[2].partition(":")[2], 16) == port and fields[3] == "01"
        ),
        None,
    )
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) == f"socket:[{inode}]":
                    return pid
    return None


def _pem(issued: Issued) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in issued.shown)
