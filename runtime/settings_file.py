"""Reading the settings of `meshproof-proxy authz` from TOML: all of the file is kept, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.settings import AuthzSettings, Limits, Listen, TlsSettings
from meshproof.runtime.settings_policy import policy_files
from meshproof.runtime.settings_run_telemetry import decision_telemetry
from meshproof.runtime.settings_tokens import token_keys
from meshproof.runtime.tables import SettingError, Table, content_of, root_table

_PREFIX = re.compile(r"(/[A-Za-z0-9_-]+)+").fullmatch
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_LIMITS = {
    "head_bytes": (1024, 1_048_576),
    "headers": (8, 1024),
    "connections": (1, 65_535),
    "head_seconds": (1, 3600),
    "idle_seconds": (1, 86_400),
    "drain_seconds": (0, 3600),
}
_PORTS = (1, 65_535)
_LISTENED = (0, 65_535)
_GRPC_PORT = 9190


def read_settings(path: Path) -> AuthzSettings:
    """The settings of a file. Raises `SettingError` alone."""
    root = root_table(content_of(path), path)
    try:
        return _settings(root, path.absolute().parent)
    except SettingError as error:
        raise SettingError(str(path), str(error)) from None


def _settings(root: Table, folder: Path) -> AuthzSettings:
    policy = policy_files(root.table("policy"), folder)
    grpc = _listen(root.table("grpc"), folder, _GRPC_PORT) if root.has("grpc") else None
    listen = _listen(root.table("listen"), folder, Listen().port) if root.has("listen") or grpc is None else None
    admin = _admin(root.table("admin")) if root.has("admin") else None
    _refuse_one_place({"listen": listen, "grpc": grpc, "admin": admin})
    destinations = tuple(_destination(one) for one in root.tables("destination"))
    _refuse_overlaps(destinations)
    table = root.table("limits")
    limits = Limits(**{key: table.number(key, bounds, getattr(Limits(), key)) for key, bounds in _LIMITS.items()})
    table.end()
    tokens = token_keys(root, folder)
    telemetry = decision_telemetry(root.table("telemetry"), folder)
    root.end()
    return AuthzSettings(policy, destinations, listen, admin, limits, grpc, tokens, telemetry)


def _listen(table: Table, folder: Path, port: int) -> Listen:
    address = _address(table)
    tls = _tls(table.table("tls"), folder) if table.has("tls") else None
    if tls is None and not ip_address(address).is_loopback:
        said = table.place("tls")
        raise table.refuse("address", f"others than loopback need `{said}`, else anybody may say who calls")
    found = Listen(address, table.number("port", _LISTENED, port), tls)
    table.end()
    return found


def _admin(table: Table) -> Listen:
    found = Listen(_address(table), table.number("port", _LISTENED))
    table.end()
    return found


def _refuse_one_place(found: Mapping[str, Listen | None]) -> None:
    first: dict[tuple[str, int], str] = {}
    for key, listen in found.items():
        if listen is None or listen.port == 0:
            continue
        other = first.setdefault((listen.address, listen.port), key)
        if other != key:
            raise SettingError(f"{key}.port", f"at `{listen.port}` of `{listen.address}` is `{other}`")


def _address(table: Table) -> str:
    text = table.text("address", Listen().address)
    try:
        return str(ip_address(text))
    except ValueError:
        raise table.refuse("address", f"`{text}` is no IP address") from None


def _tls(table: Table, folder: Path) -> TlsSettings:
    clients = table.texts("clients")
    if table.has("clients") and not clients:
        raise table.refuse("clients", "an empty list lets nobody ask; leave it out to take all of `client_ca`")
    for client in clients:
        if "://" not in client:
            raise table.refuse("clients", f"`{client}` is no URI, such as `spiffe://cluster.local/ns/shop/sa/catalog`")
    found = TlsSettings(
        folder / table.text("certificate"), folder / table.text("key"), folder / table.text("client_ca"), clients
    )
    table.end()
    return found


def _destination(table: Table) -> Destination:
    prefix = table.text("path_prefix")
    if not _PREFIX(prefix):
        raise table.refuse("path_prefix", "it is `/` and a name of letters, digits, `-` and `_`, once or more")
    headers = table.texts("headers")
    for header in headers:
        if not _HEADER(header):
            raise table.refuse("headers", f"`{header}` is no name of a header")
    found = Destination(
        path_prefix=prefix,
        service=table.text("service"),
        port=table.number("port", _PORTS),
        headers=tuple(header.lower() for header in headers),
        takes_plaintext=table.flag("takes_plaintext"),
        verified_payload=table.text("verified_payload") if table.has("verified_payload") else None,
    )
    table.end()
    return found


def _refuse_overlaps(destinations: tuple[Destination, ...]) -> None:
    """Where one prefix begins another, a caller of the one could choose a path that reads as one of the other."""
    for one in destinations:
        for index, other in enumerate(destinations):
            if one is not other and f"{other.path_prefix}/".startswith(f"{one.path_prefix}/"):
                raise SettingError(
                    f"destination[{index}].path_prefix", f"it begins with `{one.path_prefix}`, which is another one's"
                )
