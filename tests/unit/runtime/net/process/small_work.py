"""A worker that speaks lines, in place of a sidecar: what is tried with it is how processes live and die."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from meshproof.compiler.ir.json_text import Json
from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.identity import IdentityMaterial, load_identity
from meshproof.runtime.net.material.policy import PolicyMaterial, load_policy, own_identities
from meshproof.runtime.net.process.places import shared
from meshproof.runtime.settings_run import Place, RunSettings
from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import dump


class SmallWork:
    """`who`: the process, the policy, the serial number and the keys. `want`: keys. `die`: at once. `end`: the line."""

    def __init__(
        self, number: int, settings: RunSettings, places: tuple[Place, ...], want: Callable[[IssuerName], None]
    ) -> None:
        if settings.telemetry.cluster == f"without {number}":
            raise RefusedError("this worker does not want to")
        self._settings = settings
        self._places = places
        self._want = want
        self._policy = self._serial = self._keys = "-"
        self._registry = Registry()
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def take_policy(self, material: PolicyMaterial) -> None:
        self._loaded = load_policy(material, self._settings)
        self._policy = self._loaded.bundle.policy

    def take_identity(self, material: IdentityMaterial) -> None:
        own = load_identity(material, own_identities(self._loaded.bundle.mesh, self._settings.service))
        self._serial = f"{own.serial:x}"

    def take_keys(self, issuer: IssuerName, text: bytes, seconds: float) -> None:
        self._keys = f"{issuer}:{len(text)}:{seconds:g}"

    async def serve(self) -> None:
        for place in self._places:
            self._servers.append(await asyncio.start_server(self._connected, sock=shared(place)))

    async def drain(self, seconds: float) -> None:
        for server in self._servers:
            server.close()
        for writer in self._open:
            writer.write(b"draining\n")
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            for writer in self._open:
                writer.transport.abort()

    def report(self) -> tuple[dict[str, Json], bytes]:
        return {"policy": self._policy}, dump(self._registry.snapshot())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self._empty.clear()
        try:
            while (line := (await reader.readline()).decode("ascii").strip()) not in {"", "end"}:
                self._do(line)
                self._registry.number(catalogue.FAULTS, "a line").value += 1
                writer.write(f"{os.getpid()} {self._policy} {self._serial} {self._keys}\n".encode("ascii"))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()
            self._open.discard(writer)
            if not self._open:
                self._empty.set()

    def _do(self, line: str) -> None:
        if line == "die":
            os._exit(3)
        if line == "want":
            self._want(IssuerName("idp"))
