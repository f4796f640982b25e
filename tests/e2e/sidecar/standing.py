"""The sidecars of one policy: in this process, or as `meshproof-proxy run` starts them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.envoy.tokens import Mint
from tests.e2e.sidecar.hall import Hall
from tests.e2e.sidecar.svids import Svids, trusted

from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
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
)

Places = dict[tuple[NodeName, int], Place]
_FREE = Place("127.0.0.1", 0)
_HOURS = 3600.0
_PROXY = "import sys; from meshproof.runtime.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class World:
    """What all sidecars share."""

    svids: Svids
    mint: Mint
    hall: Hall


def bundle_of(mesh: Mesh) -> bytes:
    """What a compile would write."""
    return dump(Bundle("policy", "known", enforced(mesh)))


def called(mesh: Mesh) -> tuple[Service | Gateway, ...]:
    """Who has a sidecar: all that have ports."""
    nodes: list[Service | Gateway] = [*mesh.services, *mesh.gateways]
    return tuple(node for node in nodes if node.ports)


def ports_of(node: Service | Gateway) -> tuple[tuple[int, bool], ...]:
    """Its workload ports, each with whether it speaks TCP."""
    return tuple({port.workload: port.layer is Layer.TCP for port in node.ports}.items())


@dataclass(frozen=True, slots=True)
class Calls:
    """What one sidecar is asked to reach: its listeners, and where everybody is."""

    outbound: tuple[OutboundPort, ...] = ()
    endpoints: tuple[EndpointGroup, ...] = ()


NO_CALLS = Calls()


async def _stand(
    mesh: Mesh, node: Service | Gateway, world: World, calls: Calls, application: Place | None = None
) -> tuple[Sidecar, tuple[Place, ...]]:
    count = len(ports_of(node)) + len(calls.outbound)
    held = [reserved(_FREE) for _ in range(count)]
    places = tuple(place_of(one) for one in held)
    settings = RunSettings(
        node.name,
        PolicyFiles(Path("policy.json")),
        IdentityFolder(Path()),
        inbound=tuple(
            InboundPort(port, place, world.hall.tcp if is_tcp else application or world.hall.http)
            for (port, is_tcp), place in zip(ports_of(node), places, strict=False)
        ),
        outbound=calls.outbound,
        endpoints=calls.endpoints,
    )
    sidecar = Sidecar(settings, places, lambda _: None)
    await sidecar.take_policy(PolicyMaterial(bundle_of(mesh)))
    sidecar.take_identity(world.svids.material(node.identity.uri, (*trusted(mesh), node.identity.trust_domain)))
    for issuer in mesh.issuers:
        sidecar.take_keys(issuer.name, world.mint.jwks(issuer.url).encode(), _HOURS)
    await sidecar.serve()
    for one in held:
        one.close()
    return sidecar, places


async def _standing(mesh: Mesh, world: World) -> tuple[list[Sidecar], Places]:
    found: Places = {}
    sidecars = []
    for node in called(mesh):
        sidecar, places = await _stand(mesh, node, world, NO_CALLS)
        sidecars.append(sidecar)
        found.update({(node.name, port): place for (port, _), place in zip(ports_of(node), places, strict=True)})
    return sidecars, found


@contextmanager
def standing(mesh: Mesh, world: World) -> Iterator[Places]:
    """A sidecar in this process for each node that is called."""
    sidecars, places = world.hall.do(_standing(mesh, world))
    try:
        yield places
    finally:
        world.hall.do(_end(sidecars))


async def _versions(mesh: Mesh, world: World) -> tuple[list[Sidecar], tuple[EndpointGroup, ...]]:
    sidecars, groups = [], []
    for node in called(mesh):
        for version in node.versions if isinstance(node, Service) and node.versions else (None,):
            application = await world.hall.application(version or str(node.name))
            sidecar, places = await _stand(mesh, node, world, NO_CALLS, application)
            sidecars.append(sidecar)
            found = zip(ports_of(node), places, strict=True)
            groups += [EndpointGroup(node.name, port, version, (place,)) for (port, _), place in found]
    return sidecars, tuple(groups)


@contextmanager
def versions(mesh: Mesh, world: World) -> Iterator[tuple[EndpointGroup, ...]]:
    """A sidecar for each version of each node, before an application that says which one it is; where they are."""
    sidecars, groups = world.hall.do(_versions(mesh, world))
    try:
        yield groups
    finally:
        world.hall.do(_end(sidecars))


@contextmanager
def calling(mesh: Mesh, node: Service, world: World, calls: Calls) -> Iterator[tuple[Place, ...]]:
    """A sidecar beside one that calls; where its application finds its destinations."""
    sidecar, places = world.hall.do(_stand(mesh, node, world, calls))
    try:
        yield places[len(ports_of(node)) :]
    finally:
        world.hall.do(_end([sidecar]))


async def _end(sidecars: list[Sidecar]) -> None:
    await asyncio.gather(*(one.drain(0) for one in sidecars))


@contextmanager
def running(mesh: Mesh, world: World, folder: Path) -> Iterator[Places]:
    """`meshproof-proxy run` for each node that is called: a parent and a worker each."""
    (folder / "policy.json").write_bytes(bundle_of(mesh))
    for issuer in mesh.issuers:
        (folder / f"{issuer.name}.json").write_text(world.mint.jwks(issuer.url), encoding="utf-8")
    programs: list[subprocess.Popen[str]] = []
    places: Places = {}
    try:
        for node in called(mesh):
            programs += [_run(mesh, node, world, folder, places)]
        for program in programs:
            _await_start(program)
        yield places
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.communicate(timeout=60)


def _run(mesh: Mesh, node: Service | Gateway, world: World, folder: Path, places: Places) -> subprocess.Popen[str]:
    pair = world.svids.of(node.identity.uri)
    others = {domain: str(world.svids.root) for domain in trusted(mesh) if domain != node.identity.trust_domain}
    lines = [
        f"service = {json.dumps(node.name)}",
        '[policy]\nbundle = "policy.json"',
        f'[identity]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\ntrust_bundle = "{world.svids.root}"',
        "[identity.federated]" if others else "",
        *(f"{json.dumps(domain)} = {json.dumps(path)}" for domain, path in others.items()),
        "[process]\ndrain_seconds = 0",
    ]
    for port, is_tcp in ports_of(node):
        held = reserved(_FREE)
        places[node.name, port] = place = place_of(held)
        held.close()
        application = world.hall.tcp if is_tcp else world.hall.http
        lines.append(f'[[inbound]]\nport = {port}\nlisten = "{place}"\napplication = "{application}"')
    lines += [f'[[tokens]]\nissuer = {json.dumps(one.name)}\njwks_file = "{one.name}.json"' for one in mesh.issuers]
    config = folder / f"{node.name}.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    command = (sys.executable, "-P", "-c", _PROXY, "run", "--config", str(config))
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _await_start(program: subprocess.Popen[str]) -> None:
    assert program.stderr is not None
    told = []
    for line in program.stderr:
        told.append(line)
        if '"event":"started"' in line:
            return
    raise AssertionError("".join(told))
