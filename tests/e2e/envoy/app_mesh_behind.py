"""A port that is handed over, on the air: Envoys that pass connections on as App Mesh's would, and the real sidecar."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.envoy.app_mesh_config import Address, Doc, client_socket, cluster_of
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.listeners import address_of
from tests.e2e.envoy.rbac import TYPE, Config
from tests.e2e.envoy.tokens import Mint
from tests.e2e.sidecar.hall import Application, Hall

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.runtime.net.outbound_link import Link

LOCAL = "127.0.0.1"
_PROXY = "import sys; from meshproof.runtime.cli import main; sys.exit(main())"
_LAST = 65535


@dataclass(frozen=True, slots=True)
class Numbers:
    """Ports that are free at 127.0.0.1, and so far above each of them another one is."""

    ports: tuple[int, ...]
    offset: int


@contextmanager
def free_numbers(count: int) -> Iterator[Numbers]:
    """So many, which nobody is given while the block lasts but who asks for them by number."""
    with ExitStack() as held:
        ports = tuple(sorted(_held(held, 0) for _ in range(count)))
        for offset in range(1, _LAST - ports[-1]):
            with ExitStack() as tried:
                try:
                    above = [_held(tried, port + offset) for port in ports]
                except OSError:
                    continue
                if not set(above) & set(ports):
                    held.close()
                    tried.close()
                    yield Numbers(ports, offset)
                    return
    raise AssertionError("no ports are free")


def _held(stack: ExitStack, port: int) -> int:
    found = stack.enter_context(socket.socket())
    found.bind((LOCAL, port))
    return int(found.getsockname()[1])


async def _serve(port: int) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: Link(Application("behind")), LOCAL, port)


@contextmanager
def applications(hall: Hall, ports: tuple[int, ...]) -> Iterator[None]:
    """The application behind a sidecar: it answers at each of the ports, in either version of HTTP."""
    servers = [hall.do(_serve(port)) for port in ports]
    try:
        yield
    finally:
        for server in servers:
            hall.loop.call_soon_threadsafe(server.close)


def passing(name: str, here: Address, there: Address, tls: Config | None = None) -> tuple[Config, Config]:
    """A listener of Envoy that reads nothing, and the cluster that it sends to: over TLS of its own, or as it is."""
    kind = f"{TYPE}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    proxy = {"@type": kind, "stat_prefix": "passed", "cluster": name}
    chain = {"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}
    cluster = cluster_of(name, there)
    if tls is not None:
        cluster["transport_socket"] = tls
    return {"name": name, "address": address_of(here), "filter_chains": [chain]}, cluster


def node_before(node: Doc, host: str) -> Iterator[tuple[Config, Config]]:
    """The proxy of a virtual node, at its listeners of TCP: what comes goes on to the same port at 127.0.0.1."""
    for one in node["spec"]["listeners"]:
        mapping = one["portMapping"]
        if mapping["protocol"] == "tcp" and "tls" not in one:
            name = f"{node['virtualNodeName']}:{mapping['port']}"
            yield passing(name, (host, mapping["port"]), (LOCAL, mapping["port"]))


def proxy_of(caller: Doc, service: str, here: Address, there: Address, authority: Authority) -> tuple[Config, Config]:
    """The proxy of a caller towards a virtual service: connections of its application, by its client policy."""
    called = next(
        one["virtualService"]
        for one in caller["spec"]["backends"]
        if one["virtualService"]["virtualServiceName"] == service
    )
    tls = client_socket(called["clientPolicy"]["tls"], authority)
    return passing(f"{caller['virtualNodeName']} to {there[0]}:{there[1]}", here, there, tls)


@contextmanager
def sidecar(
    files: tuple[Artifact, ...], settings: str, mesh: Mesh, given: tuple[Path, Authority, Mint]
) -> Iterator[Path]:
    """`meshproof-proxy run` by the settings that were emitted. What logs each request is the result.

    Certificates come from files, where an agent would hand them out, and so do the keys of issuers.
    """
    folder, authority, mint = given
    for one in files:
        if one.path.startswith("native/"):
            (folder / Path(one.path).name).write_bytes(one.content)
    config = folder / Path(settings).name
    text = config.read_text(encoding="utf-8")
    name = json.loads(text.partition("service = ")[2].partition("\n")[0])
    identity = next(one.identity.uri for one in mesh.services if one.name == name)
    pair = authority.of(identity)
    text = text.replace(
        'workload_api = "unix:///run/spire/sockets/agent.sock"',
        f'certificate = "{pair.certificate}"\nkey = "{pair.key}"\ntrust_bundle = "{authority.root}"',
    )
    for issuer in mesh.issuers:
        (folder / f"{issuer.name}.json").write_text(mint.jwks(issuer.url), encoding="utf-8")
        text = text.replace(f'jwks_url = "{issuer.jwks}"', f'jwks_file = "{issuer.name}.json"')
    log = folder / "access.log"
    text += f'\n[telemetry]\naccess_log = "{log}"\n[process]\ndrain_seconds = 0\n'
    config.write_text(text, encoding="utf-8")
    command = (sys.executable, "-P", "-c", _PROXY, "run", "--config", str(config))
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stderr is not None
        told: list[str] = []
        for line in program.stderr:
            told.append(line)
            if '"event":"started"' in line:
                break
        else:
            raise AssertionError("".join(told))
        yield log
    finally:
        program.terminate()
        program.communicate(timeout=60)
