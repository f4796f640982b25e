"""Certificates that are no X.509-SVIDs of workloads, and what is said of each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.unit.runtime.identity.certificates import CLIENTS, LEAF, SERVERS, Issued, Key, Shape, usage

ONE = "spiffe://shop.example/ns/shop/sa/front"
OTHER = "spiffe://shop.example/ns/shop/sa/other"
NO_SVID_URI = "its URI is no SPIFFE ID of a workload"


def _named(*uris: str) -> Shape:
    return replace(LEAF, uris=uris)


URIS = {
    "no path": "spiffe://shop.example",
    "an empty path": "spiffe://shop.example/",
    "a last slash": f"{ONE}/",
    "a double slash": "spiffe://shop.example/ns//sa/front",
    "dots": "spiffe://shop.example/ns/shop/../admin",
    "a dot": "spiffe://shop.example/ns/./shop",
    "a query": f"{ONE}?x=1",
    "an empty query": f"{ONE}?",
    "a fragment": f"{ONE}#x",
    "a port": "spiffe://shop.example:443/ns/shop/sa/front",
    "a user": "spiffe://admin@shop.example/ns/shop/sa/front",
    "capitals in the domain": "spiffe://Shop.example/ns/shop/sa/front",
    "capitals in the scheme": "SPIFFE://shop.example/ns/shop/sa/front",
    "another scheme": "https://shop.example/ns/shop/sa/front",
    "no domain": "spiffe:///ns/shop/sa/front",
    "one slash": "spiffe:/shop.example/ns/shop/sa/front",
    "an escape": "spiffe://shop.example/ns/shop/sa/%66ront",
    "a wildcard": "spiffe://shop.example/ns/shop/sa/*",
    "a space": f"{ONE} ",
    "a new line": f"{ONE}\n",
    "a zero byte": f"{ONE}\0",
    "a comma": f"{ONE},{OTHER}",
    "too long": "spiffe://shop.example/" + "a" * 2048,
    "a long domain": "spiffe://" + "a" * 256 + "/x",
}

SHAPES: dict[str, tuple[Shape, str]] = {
    "two URIs": (_named(ONE, OTHER), "it has 2 URIs, and exactly one is taken"),
    "the same URI twice": (_named(ONE, ONE), "it has 2 URIs, and exactly one is taken"),
    "a SPIFFE ID and a URI": (_named(ONE, "https://shop.example/"), "it has 2 URIs, and exactly one is taken"),
    "no URI": (replace(LEAF, uris=(), names=(x509.DNSName("shop.example"),)), "it has no URI"),
    "no name": (_named(), "it has no URI"),
    "an authority": (replace(LEAF, is_authority=True), "it is one of an authority, and not of a workload"),
    "no key usage": (replace(LEAF, usage=None), "it has no key usage"),
    "a key usage that is not critical": (replace(LEAF, is_usage_critical=False), "its key usage is not critical"),
    "no signatures": (replace(LEAF, usage=usage("key_agreement")), "its key usage is not digital signatures"),
    "signs certificates": (
        replace(LEAF, usage=usage("digital_signature", "key_cert_sign")),
        "its key usage is that of an authority",
    ),
    "signs revocations": (
        replace(LEAF, usage=usage("digital_signature", "crl_sign")),
        "its key usage is that of an authority",
    ),
    "for servers alone": (replace(LEAF, purposes=(SERVERS,)), "its extended key usage does not name both"),
    "for clients alone": (replace(LEAF, purposes=(CLIENTS,)), "its extended key usage does not name both"),
    "for any purpose alone": (
        replace(LEAF, purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
        "its extended key usage does not name both",
    ),
    **{f"a URI with {what}": (_named(uri), NO_SVID_URI) for what, uri in URIS.items()},
}


@cache
def weak_keys() -> dict[str, tuple[Key, str]]:
    """Keys that are too weak, or that no certificate of ours may have."""
    return {
        "RSA of 1024 bits": (
            rsa.generate_private_key(65537, 1024),  # noqa: S505  it is to be refused
            "has 1024 bits, and 2048 to 8192 are taken",
        ),
        "secp256k1": (ec.generate_private_key(ec.SECP256K1()), "on the curve `secp256k1`, which is not taken"),
        "P-224": (ec.generate_private_key(ec.SECP224R1()), "on the curve `secp224r1`, which is not taken"),
    }


@cache
def strong_keys() -> dict[str, Key]:
    """One key of each kind that is taken."""
    return {
        "P-256": ec.generate_private_key(ec.SECP256R1()),
        "P-384": ec.generate_private_key(ec.SECP384R1()),
        "P-521": ec.generate_private_key(ec.SECP521R1()),
        "RSA": rsa.generate_private_key(65537, 2048),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


def with_sha1(signer: Issued, issued: Issued) -> Issued:
    """The same certificate signed anew by ECDSA with SHA-1, which `cryptography` makes no certificates with."""
    signer_key = signer.key
    assert isinstance(signer_key, ec.EllipticCurvePrivateKey)
    content = issued.certificate.tbs_certificate_bytes
    old, new = (_sequence(b"\x06" + bytes((len(oid),)) + oid) for oid in (_WITH_SHA256, _WITH_SHA1))
    assert content.count(old) == 1
    head = 2 + max(content[1] - 0x80, 0)
    body = _sequence(content[head:].replace(old, new))
    signature = signer_key.sign(body, ec.ECDSA(hashes.SHA1()))  # noqa: S303  it is to be refused
    bits = b"\x03" + bytes((len(signature) + 1, 0)) + signature
    certificate = x509.load_der_x509_certificate(_sequence(body + new + bits))
    return replace(issued, certificate=certificate)


_WITH_SHA256 = bytes.fromhex("2a8648ce3d040302")
_WITH_SHA1 = bytes.fromhex("2a8648ce3d0401")


def _sequence(content: bytes) -> bytes:
    """In DER."""
    raw = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return b"\x30" + (raw if raw < b"\x80" and len(raw) == 1 else bytes((0x80 + len(raw),)) + raw) + content
