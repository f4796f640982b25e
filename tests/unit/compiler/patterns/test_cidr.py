"""Networks divide the addresses exactly; IPv4-mapped addresses are IPv4."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns.cidr import (
    AddressClass,
    Network,
    address_classes,
    canonical_address,
    network_contains,
    parse_network,
)
from meshproof.compiler.patterns.refusal import PatternRefused

SPACE = 0x0A000000  # 10.0.0.0/28 and its like hold 16 addresses, all of which can be tried


def networks() -> st.SearchStrategy[Network]:
    small = st.tuples(st.integers(0, 15), st.integers(28, 32)).map(
        lambda drawn: IPv4Network((SPACE + drawn[0], drawn[1]), strict=False)
    )
    mapped = st.tuples(st.integers(0, 15), st.integers(90, 128)).map(
        lambda drawn: IPv6Network((0xFFFF0A000000 + drawn[0], drawn[1]), strict=False)
    )
    wide = st.sampled_from([parse_network(text) for text in ("0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32")])
    return st.one_of(small, small, mapped, wide)


def signature(chosen: list[Network], address: str) -> int:
    parsed = canonical_address(address)
    return sum(1 << bit for bit, network in enumerate(chosen) if network_contains(parse_network(str(network)), parsed))


@given(st.lists(networks(), max_size=8))
def test_classes_are_exact(chosen: list[Network]) -> None:
    classes = address_classes(chosen)
    found = [one.signature for one in classes]
    assert found == sorted(set(found))
    for one in classes:
        assert signature(chosen, one.witness) == one.signature
    edges = {int(network.network_address) + offset for network in chosen for offset in (-1, 0, 1)}
    edges |= {int(network.broadcast_address) + offset for network in chosen for offset in (-1, 0, 1)}
    tried = [str(ip_address(SPACE + offset)) for offset in range(-1, 17)]
    tried += [str(IPv6Address(edge)) for edge in edges if 0 <= edge < 2**128]
    tried += [str(ip_address(edge)) for edge in edges if 0 <= edge < 2**32]
    for address in (*tried, "0.0.0.1", "255.255.255.255", "::", "::fffe:ffff:ffff", "::1:0:0:0"):
        assert signature(chosen, address) in found


def test_witnesses_are_addresses_of_machines() -> None:
    chosen = [
        parse_network(text) for text in ("10.20.0.0/16", "10.0.0.0/8", "10.20.0.0/17", "192.0.2.9", "2001:db8::/32")
    ]
    assert address_classes(chosen) == (
        AddressClass(0, "198.51.100.7"),
        AddressClass(2, "10.0.0.1"),
        AddressClass(3, "10.20.128.1"),
        AddressClass(7, "10.20.0.1"),
        AddressClass(8, "192.0.2.9"),
        AddressClass(16, "2001:db8::1"),
    )


def test_the_last_address_of_a_network_is_in_it() -> None:
    chosen = [parse_network(text) for text in ("10.0.0.0/24", "10.0.0.255", "10.0.0.0")]
    assert address_classes(chosen) == (
        AddressClass(0, "198.51.100.7"),
        AddressClass(1, "10.0.0.2"),
        AddressClass(3, "10.0.0.255"),
        AddressClass(5, "10.0.0.0"),
    )


def test_halves_leave_nothing_of_the_whole() -> None:
    chosen = [parse_network(text) for text in ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9")]
    assert [one.signature for one in address_classes(chosen)] == [0, 3, 5]


def test_all_of_ipv4_leaves_ipv6_outside() -> None:
    chosen = [parse_network("0.0.0.0/0")]
    assert address_classes(chosen) == (AddressClass(0, "2001:db8::7"), AddressClass(1, "0.0.0.1"))
    assert address_classes([*chosen, parse_network("::/0")]) == (AddressClass(1, "0.0.0.1"), AddressClass(2, "::1"))


def test_mapped_addresses_are_ipv4() -> None:
    assert parse_network("::ffff:10.0.0.0/104") == IPv4Network("10.0.0.0/8")
    assert str(canonical_address("::ffff:10.1.2.3")) == "10.1.2.3"
    assert not network_contains(parse_network("::/0"), canonical_address("::ffff:10.1.2.3"))
    whole = [IPv6Network("::fffe:0:0/95"), IPv6Network("::fffe:0:0/96")]
    assert [one.signature for one in address_classes(whole)] == [0, 3]


def test_samples_come_first() -> None:
    classes = address_classes([parse_network("10.0.0.0/8")], ["10.9.9.9", "10.1.1.1", "172.16.0.9"])
    assert classes == (AddressClass(0, "172.16.0.9"), AddressClass(1, "10.9.9.9"))


def test_host_bits_are_dropped() -> None:
    assert parse_network("10.0.0.5/8") == IPv4Network("10.0.0.0/8")


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0", "a", "fe80::1%eth0", "10.0.0.0/8/8", "010.0.0.1"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(PatternRefused):
        parse_network(text)


@pytest.mark.parametrize("text", ["", "10.0.0.0/8", "x", "fe80::1%1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(PatternRefused):
        canonical_address(text)
