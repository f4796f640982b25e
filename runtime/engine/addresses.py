"""Addresses as numbers, and sets of them that are looked up by the lengths of their prefixes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from meshproof.runtime.engine.errors import MalformedRequestError, UnsupportedPolicyError

Address = tuple[int, int]
"""The version and the number. An IPv4 address that is written as an IPv6 one is the IPv4 address (ADR 0024)."""

_BITS = {4: 32, 6: 128}
_MAPPED = IPv6Network("::ffff:0:0/96")


@lru_cache(maxsize=4096)
def address(text: str) -> Address:
    """The address; `MalformedRequestError` if it is none."""
    if "%" in text:
        raise MalformedRequestError(f"`{text}` is no IP address")
    try:
        found: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        raise MalformedRequestError(f"`{text}` is no IP address") from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.version, int(found)


class AddressSet:
    """Addresses of some networks. Looking one up costs as much as there are lengths of prefixes, not networks."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str]) -> None:
        found: dict[tuple[int, int], set[int]] = {}
        for network in networks:
            version, shift, prefix = _network(network)
            found.setdefault((version, shift), set()).add(prefix)
        self._networks = tuple((version, shift, frozenset(some)) for (version, shift), some in sorted(found.items()))

    def __contains__(self, one: Address) -> bool:
        version, number = one
        return any(of == version and number >> shift in some for of, shift, some in self._networks)


def _network(text: str) -> tuple[int, int, int]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UnsupportedPolicyError(f"`{text}` is no network") from None
    version, length, number = network.version, network.prefixlen, int(network.network_address)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        version, length, number = 4, length - 96, number & 0xFFFFFFFF
    shift = _BITS[version] - length
    return version, shift, number >> shift
