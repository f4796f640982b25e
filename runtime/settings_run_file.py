"""Reading the settings of `meshproof-proxy run` from TOML: all of the file is kept, or none."""

from __future__ import annotations

import re
from pathlib import Path

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.settings_policy import policy_files
from meshproof.runtime.settings_run import (
    IdentityFiles,
    IdentityFolder,
    Place,
    ProcessSettings,
    RunLimits,
    RunSettings,
    WorkloadApi,
)
from meshproof.runtime.settings_run_telemetry import telemetry
from meshproof.runtime.settings_run_traffic import (
    endpoint_groups,
    inbound_ports,
    listening,
    outbound_ports,
    refuse_shared_places,
)
from meshproof.runtime.settings_tokens import token_keys
from meshproof.runtime.tables import SettingError, Table, content_of, root_table

_LIMITS = {
    "head_bytes": (1024, 1_048_576),
    "headers": (8, 1024),
    "body_bytes": (0, 2**53),
    "connections": (1, 1_000_000),
    "streams": (1, 10_000),
    "handshake_seconds": (1, 300),
    "head_seconds": (1, 3600),
    "stall_seconds": (1, 86_400),
    "idle_seconds": (1, 86_400),
    "connect_seconds": (1, 300),
    "dns_seconds": (1, 86_400),
}
_PROCESS = {"workers": (1, 256), "watch_seconds": (0, 3600), "drain_seconds": (0, 3600)}
_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}").fullmatch
_ADDRESS_BYTES = 104
"""The longest path of a Unix socket that every system takes."""


def read_run_settings(path: Path) -> RunSettings:
    """The settings of a file. Raises `SettingError` alone."""
    return parse_run_settings(content_of(path), path)


def parse_run_settings(content: bytes, path: Path) -> RunSettings:
    """The settings that the file held. Raises `SettingError` alone."""
    root = root_table(content, path)
    try:
        return _settings(root, path.absolute().parent)
    except SettingError as error:
        raise SettingError(str(path), str(error)) from None


def _settings(root: Table, folder: Path) -> RunSettings:
    found = RunSettings(
        service=NodeName(root.text("service")),
        policy=policy_files(root.table("policy"), folder),
        identity=_identity(root.table("identity"), folder),
        inbound=inbound_ports(root),
        outbound=outbound_ports(root),
        endpoints=endpoint_groups(root),
        tokens=token_keys(root, folder),
        limits=_limits(root.table("limits")),
        telemetry=telemetry(root.table("telemetry"), folder),
        admin=_admin(root.table("admin")) if root.has("admin") else None,
        process=_process(root.table("process")),
    )
    root.end()
    if not found.inbound and not found.outbound:
        raise SettingError("", "there is neither an `[[inbound]]` nor an `[[outbound]]`, so nothing is listened at")
    refuse_shared_places(_places(found))
    return found


def _identity(table: Table, folder: Path) -> IdentityFiles | IdentityFolder | WorkloadApi:
    if table.has("workload_api"):
        found: IdentityFiles | IdentityFolder | WorkloadApi = WorkloadApi(_socket(table, folder))
    elif table.has("folder"):
        found = IdentityFolder(folder / table.text("folder"))
    else:
        found = IdentityFiles(
            folder / table.text("certificate"),
            folder / table.text("key"),
            folder / table.text("trust_bundle"),
            _federated(table.table("federated"), folder),
        )
    table.end()
    return found


def _socket(table: Table, folder: Path) -> Path:
    text = table.text("workload_api")
    socket = folder / text.removeprefix("unix://").removeprefix("unix:")
    if "://" in text and not text.startswith("unix:///"):
        raise table.refuse("workload_api", f"`{text}` is no path of a Unix socket, and no `unix:///PATH`")
    if len(str(socket).encode()) >= _ADDRESS_BYTES:
        raise table.refuse("workload_api", f"a socket's path has less than {_ADDRESS_BYTES} bytes")
    return socket


def _federated(table: Table, folder: Path) -> tuple[tuple[str, Path], ...]:
    domains = sorted(table.keys())
    for domain in domains:
        if not _DOMAIN(domain):
            raise table.refuse(domain, "it is no name of a trust domain")
    return tuple((domain, folder / table.text(domain)) for domain in domains)


def _limits(table: Table) -> RunLimits:
    found = RunLimits(**{key: table.number(key, bounds, getattr(RunLimits(), key)) for key, bounds in _LIMITS.items()})
    table.end()
    return found


def _process(table: Table) -> ProcessSettings:
    default = ProcessSettings()
    found = ProcessSettings(**{key: table.number(key, each, getattr(default, key)) for key, each in _PROCESS.items()})
    table.end()
    return found


def _admin(table: Table) -> Place:
    is_exposed = table.flag("is_exposed")
    advice = "; `is_exposed = true` says that others may read what is told there"
    found = listening(table, "listen", is_loopback=not is_exposed, advice=advice)
    table.end()
    return found


def _places(settings: RunSettings) -> list[tuple[str, Place]]:
    found = [(f"inbound[{index}].listen", one.listen) for index, one in enumerate(settings.inbound)]
    found += [(f"outbound[{index}].listen", one.listen) for index, one in enumerate(settings.outbound)]
    if settings.admin is not None:
        found.append(("admin.listen", settings.admin))
    return found
