"""Messages of agents, written byte by byte: not by what reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.runtime.identity.certificates import Issued


def field(number: int, content: bytes | str) -> bytes:
    """A field of a length and so many bytes."""
    raw = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def chain(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.DER) for one in certificates)


def key_der(issued: Issued) -> bytes:
    return issued.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def svid(uri: str, issued: Issued, *roots: Issued, more: bytes = b"") -> bytes:
    """A message `X509SVID`."""
    bundle = chain(*(one.certificate for one in roots))
    return field(1, uri) + field(2, chain(*issued.shown)) + field(3, key_der(issued)) + field(4, bundle) + more


def pairs(number: int, bundles: Mapping[str, bytes]) -> bytes:
    return b"".join(field(number, field(1, name) + field(2, content)) for name, content in bundles.items())


def svids(*messages: bytes, federated: Mapping[str, bytes] | None = None, lists: Sequence[bytes] = ()) -> bytes:
    """An answer `X509SVIDResponse`."""
    listed = b"".join(field(1, one) for one in messages)
    return listed + b"".join(field(2, one) for one in lists) + pairs(3, federated or {})


def bundles(named: Mapping[str, bytes], lists: Sequence[bytes] = ()) -> bytes:
    """An answer `X509BundlesResponse`."""
    return b"".join(field(1, one) for one in lists) + pairs(2, named)
