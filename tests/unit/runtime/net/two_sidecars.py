"""Two real sidecars on loopback, `front` and `catalog`, with what calls and what answers, and all that they tell."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.unit.runtime.identity.certificates import authority, bundles, own
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.compiler.ir.json_text import canonical
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.net.material.identity import IdentityMaterial
from meshproof.runtime.net.material.policy import PolicyMaterial
from meshproof.runtime.net.process.places import place_of, reserved
from meshproof.runtime.net.sidecar import Sidecar
from meshproof.runtime.settings_run import (
    EndpointGroup,
    IdentityFolder,
    InboundPort,
    OutboundPort,
    Place,
    PolicyFiles,
    RunSettings,
    TelemetrySettings,
)
from meshproof.runtime.telemetry.metrics.exposition import exposition
from meshproof.runtime.telemetry.metrics.snapshot import load

LOOPBACK = Place("127.0.0.1", 0)
CATALOG = NodeName("catalog")


@dataclass
class Application:
    """Answers every request with 200, and keeps what it was sent."""

    heads: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                writer.write(b"HTTP/1.1 200 OK\r\nset-cookie: s=cookie-of-the-answer\r\ncontent-length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # they end it as they like

    async def stop(self) -> None:
        """End all connections."""
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self.writers), return_exceptions=True)


@dataclass
class Two:
    """Both of them, and where the application of `front` finds `catalog`."""

    folder: Path
    front: Sidecar
    catalog: Sidecar
    application: Application
    outbound: Place
    inbound: Place

    async def send(self, data: bytes, to: Place | None = None) -> bytes:
        """Send bytes on a connection of its own; all that comes back. The bytes say that nothing follows."""
        place = to or self.outbound
        reader, writer = await asyncio.open_connection(place.address, place.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionError:
            return b""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def told(self) -> dict[str, bytes]:
        """All that is in files, and the metrics of both, and what `/policy` says of each worker."""
        found = {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.jsonl"))}
        for name, one in (("front", self.front), ("catalog", self.catalog)):
            fields, metrics = one.report()
            found[f"{name} page"] = canonical(fields)
            found[f"{name} metrics"] = exposition(load(metrics))
        return found


@asynccontextmanager
async def two(
    folder: Path, policy: str, telemetry: TelemetrySettings, application: Application | None = None
) -> AsyncIterator[Two]:
    """Both serve meanwhile. Logs are in the folder, as `front-….jsonl` and `catalog-….jsonl`, and whole at the end."""
    application = application or Application()
    server = await asyncio.start_server(application.serve, "127.0.0.1", 0)
    kept: list[socket.socket] = [reserved(LOOPBACK), reserved(LOOPBACK)]
    outbound, inbound = map(place_of, kept)
    behind = place_of(server.sockets[0])
    root = authority()
    settings = RunSettings(
        NodeName("front"),
        PolicyFiles(Path("policy.json")),
        IdentityFolder(Path()),
        outbound=(OutboundPort(CATALOG, 8080, outbound),),
        endpoints=(EndpointGroup(CATALOG, 8080, None, (inbound,)),),
        telemetry=_logged(telemetry, folder, "front"),
    )
    front = Sidecar(settings, (outbound,), _nobody)
    settings = replace(
        settings,
        service=CATALOG,
        outbound=(),
        endpoints=(),
        inbound=(InboundPort(8080, inbound, behind),),
        telemetry=_logged(telemetry, folder, "catalog"),
    )
    catalog = Sidecar(settings, (inbound,), _nobody)
    for one, name in ((front, "front"), (catalog, "catalog")):
        await one.take_policy(PolicyMaterial(bundle(policy)))
        credentials = own(root.account(f"/ns/shop/sa/{name}"), bundles(("shop.example", root)))
        one.take_identity(IdentityMaterial.of(credentials))
    for one in (catalog, front):
        await one.serve()
    try:
        yield Two(folder, front, catalog, application, outbound, inbound)
    finally:
        await front.drain(1)
        await catalog.drain(1)
        server.close()
        await application.stop()
        for each in kept:
            each.close()


def _logged(telemetry: TelemetrySettings, folder: Path, name: str) -> TelemetrySettings:
    return replace(
        telemetry, access_log=folder / f"{name}-access.jsonl", decision_log=folder / f"{name}-decisions.jsonl"
    )


def _nobody(issuer: str) -> None:
    raise AssertionError(f"nobody has keys of {issuer}")
