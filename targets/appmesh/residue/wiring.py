"""How the sidecar of the target `native` stands behind a node: what `meshproof-proxy run` is told beside a workload.

A node's proxy sends what comes to a port of its pod on to the same port at 127.0.0.1 (App Mesh user guide, "Virtual
nodes"). There the sidecar listens, and the application behind it at another port of 127.0.0.1, where nobody else comes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.compiler.backend.residual import Residual
from meshproof.targets.appmesh.options import Files

TARGET = "native"
FOLDER = "native"
BUNDLE = "policy.json"
"""What the target calls its one file."""

LOCAL = "127.0.0.1"
SUFFIX = ".toml"
CODE = "R13"

_HANDED = "the native sidecar behind the node judges these, and App Mesh passes their connections on unread"
_APPLICATION = "the application listens at loopback, behind the sidecar: whoever reaches its port passes by the policy"


@dataclass(frozen=True, slots=True)
class InboundPort:
    """A port of a workload that is handed over, and the one at which its application listens instead."""

    port: int
    application: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """The sidecar beside the workloads of a service; `node` is the virtual node, of all its versions together.

    `keys` are the issuers whose tokens are looked at, with the URL of their keys. Certificates are those of `files`,
    else what the agent at the socket `agent` hands out.
    """

    service: str
    node: str
    ports: tuple[InboundPort, ...]
    keys: tuple[tuple[str, str], ...]
    files: Files | None
    agent: str

    @property
    def path(self) -> str:
        """The file of its settings."""
        return wiring_path(self.node)


def wiring_path(node: str) -> str:
    """Where the settings of the sidecar behind a virtual node are; the bundle is beside them."""
    return f"{FOLDER}/{node}{SUFFIX}"


def is_wiring(path: str) -> bool:
    """Whether a file that was written is such settings."""
    return path.startswith(f"{FOLDER}/") and path.endswith(SUFFIX)


def settings_of(wiring: Wiring) -> bytes:
    """The settings as TOML, which `meshproof-proxy run --config` takes as they stand."""
    lines = [
        f"service = {_text(wiring.service)}",
        "",
        "[policy]",
        f"bundle = {_text(BUNDLE)}",
        "",
        "[identity]",
        *_identity(wiring),
    ]
    for one in wiring.ports:
        lines += ["", "[[inbound]]", f"port = {one.port}"]
        lines += [f'listen = "{LOCAL}:{one.port}"', f'application = "{LOCAL}:{one.application}"']
    for issuer, url in wiring.keys:
        lines += ["", "[[tokens]]", f"issuer = {_text(issuer)}", f"jwks_url = {_text(url)}"]
    return ("\n".join(lines) + "\n").encode()


def wiring_residuals(every: Iterable[Wiring]) -> tuple[Residual, ...]:
    """What is handed over, and where its applications are."""
    found = [(wiring.node, one) for wiring in every for one in wiring.ports]
    handed = tuple(f"{node}:{one.port}" for node, one in found)
    moved = tuple(f"{node}:{one.port} -> {LOCAL}:{one.application}" for node, one in found)
    return (Residual(CODE, _HANDED, handed), Residual(CODE, _APPLICATION, moved)) if found else ()


def _identity(wiring: Wiring) -> list[str]:
    files = wiring.files
    if files is None:
        return [f"workload_api = {_text(wiring.agent)}"]
    return [
        f"certificate = {_text(files.chain)}",
        f"key = {_text(files.key)}",
        f"trust_bundle = {_text(files.trust)}",
    ]


def _text(value: str) -> str:
    """A basic string of TOML (1.0, "String"): that of JSON, of characters as they are."""
    return json.dumps(value, ensure_ascii=False)
