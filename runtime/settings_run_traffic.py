"""The part of the settings of `run` that says who listens where, and where everybody is."""

from __future__ import annotations

import re
from ipaddress import ip_address

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.settings_run import EndpointGroup, InboundPort, OutboundPort, Place
from meshproof.runtime.tables import SettingError, Table

_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})").fullmatch
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?").fullmatch
_PORTS = (1, 65_535)
_LAST = 65_535
_LONGEST_NAME = 253


def listening(table: Table, key: str, *, is_loopback: bool, advice: str = "") -> Place:
    """Where something listens; port 0 takes one that is free. `is_loopback`: nowhere else, `advice` says why."""
    found = _numeric(table.text(key), table, key)
    if is_loopback and not ip_address(found.address).is_loopback:
        raise table.refuse(key, f"`{found}` is not at loopback{advice}")
    return found


def inbound_ports(root: Table) -> tuple[InboundPort, ...]:
    """The ports of the own workload, each once."""
    found = tuple(_inbound(table) for table in root.tables("inbound")) if root.has("inbound") else ()
    _refuse_twice("inbound", "port", [str(one.port) for one in found])
    return found


def outbound_ports(root: Table) -> tuple[OutboundPort, ...]:
    """The destinations of the application, each once."""
    found = tuple(_outbound(table) for table in root.tables("outbound")) if root.has("outbound") else ()
    _refuse_twice("outbound", "destination", [f"{one.destination}:{one.port}" for one in found])
    return found


def endpoint_groups(root: Table) -> tuple[EndpointGroup, ...]:
    """Where destinations are, each version of a port once."""
    found = tuple(_group(table) for table in root.tables("endpoints")) if root.has("endpoints") else ()
    names = [f"{one.destination}:{one.port}" + (f" {one.version}" if one.version else "") for one in found]
    _refuse_twice("endpoints", "destination", names)
    return found


def refuse_shared_places(places: list[tuple[str, Place]]) -> None:
    """Refuse two listeners at one place: with SO_REUSEPORT they would share its connections."""
    seen: dict[str, str] = {}
    for name, place in places:
        text = str(place)
        if place.port and text in seen:
            raise SettingError(name, f"`{text}` is where `{seen[text]}` listens")
        seen[text] = name


def _inbound(table: Table) -> InboundPort:
    advice = ", and what goes on to the application is not encrypted"
    found = InboundPort(
        table.number("port", _PORTS),
        listening(table, "listen", is_loopback=False),
        listening(table, "application", is_loopback=True, advice=advice),
    )
    if found.application.port == 0:
        raise table.refuse("application", "a port from 1 to 65535 is expected")
    if str(found.application) == str(found.listen):
        raise table.refuse("application", "it is where the sidecar itself listens")
    table.end()
    return found


def _outbound(table: Table) -> OutboundPort:
    advice = ", and whoever reaches it calls in the name of this service"
    found = OutboundPort(
        NodeName(table.text("destination")),
        table.number("port", _PORTS),
        listening(table, "listen", is_loopback=True, advice=advice),
    )
    table.end()
    return found


def _group(table: Table) -> EndpointGroup:
    destination, port = NodeName(table.text("destination")), table.number("port", _PORTS)
    version = table.text("version") if table.has("version") else None
    texts = table.texts("addresses")
    dns = _named(table.text("dns"), table, "dns") if table.has("dns") else None
    if bool(texts) is (dns is not None):
        raise table.refuse("addresses", "either one address or more are expected, or `dns`")
    table.end()
    addresses = tuple(_connected(text, table, f"addresses[{index}]") for index, text in enumerate(texts))
    return EndpointGroup(destination, port, version, addresses, dns)


def _connected(text: str, table: Table, key: str) -> Place:
    found = _numeric(text, table, key)
    if found.port == 0 or ip_address(found.address).is_unspecified:
        raise table.refuse(key, f"`{text}` is nowhere to connect to")
    return found


def _numeric(text: str, table: Table, key: str) -> Place:
    host, port = _parts(text, table, key, "`IP:PORT` or `[IPv6]:PORT`")
    try:
        address = ip_address(host)
    except ValueError:
        raise table.refuse(key, f"`{host}` is no IP address") from None
    if (address.version == 6) is not text.startswith("["):  # noqa: PLR2004  the version
        raise table.refuse(key, f"`{text}` is not written as `IP:PORT` or `[IPv6]:PORT`")
    return Place(str(address), port)


def _named(text: str, table: Table, key: str) -> Place:
    host, port = _parts(text, table, key, "`NAME:PORT`")
    if not _HOST(host) or len(host) > _LONGEST_NAME or port == 0:
        raise table.refuse(key, f"`{text}` is not written as `NAME:PORT`")
    return Place(host, port)


def _parts(text: str, table: Table, key: str, form: str) -> tuple[str, int]:
    match = _PLACE(text)
    if match is None or int(match[3]) > _LAST:
        raise table.refuse(key, f"`{text}` is not written as {form}")
    return match[1] or match[2], int(match[3])


def _refuse_twice(array: str, key: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise SettingError(f"{array}[{index}].{key}", f"`{name}` is said in `{array}[{names.index(name)}]` already")
