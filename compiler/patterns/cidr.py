"""Address space, divided exactly by networks.

An IPv6 address that maps an IPv4 one (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2) is that IPv4 address, as it is for Envoy and
for the socket interface: `canonical_address` makes it so, a network inside `::ffff:0:0/96` means the IPv4 network, and
a wider IPv6 network, even `::/0`, holds no IPv4 address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from meshproof.compiler.patterns.refusal import PatternRefused

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
_SPACES: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
# Addresses for documentation (RFC 5737, RFC 3849), so that an example is nobody's address.
_EXAMPLES = ("198.51.100.7", "203.0.113.7", "192.0.2.7", "2001:db8::7")


@dataclass(frozen=True, slots=True)
class AddressClass:
    """The addresses that exactly these networks hold: bit `i` of `signature` is the `i`th network given."""

    signature: int
    witness: str


@dataclass(slots=True)
class _Block:
    """A network in the tree of nesting; `mask` has the bits of all networks given that are equal to it."""

    network: Network
    mask: int
    children: list[_Block] = field(default_factory=list)


def parse_network(text: str) -> Network:
    """A network or a single address; bits past the prefix are dropped, as Envoy does. Raises PatternRefused."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise PatternRefused("this is no network like `10.0.0.0/8` or `2001:db8::/32`") from None
    if isinstance(network, IPv6Network) and network.network_address.scope_id is not None:
        raise PatternRefused("an address with a zone is local to one machine", text.index("%"))
    return canonical_network(network)


def canonical_network(network: Network) -> Network:
    """The network, one of IPv4-mapped addresses as the IPv4 network."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        inner = int(network.network_address) & 0xFFFFFFFF
        return IPv4Network((inner, network.prefixlen - _MAPPED.prefixlen))
    return network


def canonical_address(text: str) -> Address:
    """The address, an IPv4-mapped one as IPv4. Raises PatternRefused."""
    try:
        address = ip_address(text)
    except ValueError:
        raise PatternRefused("this is no IP address") from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise PatternRefused("an address with a zone is local to one machine", text.index("%"))
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
    return address


def network_contains(network: Network, address: Address) -> bool:
    """Whether the network holds the address, both canonical; never across the two versions."""
    return address.version == network.version and address in network


def address_classes(networks: Sequence[Network], samples: Sequence[str] = ()) -> tuple[AddressClass, ...]:
    """Every set of networks that some address is in, exactly once, sorted by signature, with an address of it.

    Of several addresses the first of `samples` that fits is the witness. Raises PatternRefused for a bad sample.
    """
    networks = tuple(map(canonical_network, networks))
    roots = [_Block(space, 0) for space in _SPACES]
    for root in roots:
        _nest(root, networks)
    witnesses: dict[int, str] = {}
    for root in roots:
        _collect(root, 0, witnesses)
    for text in (*reversed(_EXAMPLES), *reversed(samples)):
        address = canonical_address(text)
        signature = sum(1 << bit for bit, network in enumerate(networks) if network_contains(network, address))
        if text in samples or signature == 0:
            witnesses[signature] = str(address)
    return tuple(AddressClass(signature, witnesses[signature]) for signature in sorted(witnesses))


def _nest(root: _Block, networks: Sequence[Network]) -> None:
    """Hang the networks of the root's version under it; two networks are nested or disjoint, so it is a tree."""
    masks: dict[Network, int] = {}
    for bit, network in enumerate(networks):
        if network.version == root.network.version:
            masks[network] = masks.get(network, 0) | 1 << bit
    path = [root]
    for network in sorted(masks, key=lambda one: (int(one.network_address), one.prefixlen)):
        if network == root.network:
            root.mask |= masks[network]
            continue
        while int(network.network_address) > int(path[-1].network.broadcast_address):
            path.pop()
        block = _Block(network, masks[network])
        path[-1].children.append(block)
        path.append(block)


def _collect(block: _Block, outer: int, witnesses: dict[int, str]) -> None:
    signature = outer | block.mask
    if signature not in witnesses:
        witness = _own_address(block)
        if witness is not None:
            witnesses[signature] = str(witness)
    for child in block.children:
        _collect(child, signature, witnesses)


def _gaps(block: _Block) -> Iterator[tuple[int, int]]:
    """The ranges of addresses that are in the block and in no child, in order."""
    taken = [child.network for child in block.children]
    if isinstance(block.network, IPv6Network) and _MAPPED.subnet_of(block.network):
        taken = sorted([*taken, _MAPPED], key=lambda one: (int(one.network_address), one.prefixlen))
    following = int(block.network.network_address)
    for network in taken:
        if int(network.network_address) > following:
            yield following, int(network.network_address) - 1
        following = max(following, int(network.broadcast_address) + 1)
    last = int(block.network.broadcast_address)
    if following <= last:
        yield following, last


def _own_address(block: _Block) -> Address | None:
    """An address that no child has: one that can be a machine's, if there is one."""
    make = type(block.network.network_address)
    fallback: Address | None = None
    for low, high in _gaps(block):
        if high - low > 1:
            return make(low + 1)
        if fallback is None:
            fallback = make(low)
    return fallback
