"""Certificates, good and bad, made as a test asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshproof.runtime.identity.bundles import TrustBundle, TrustBundles
from meshproof.runtime.identity.svid import Credentials, credentials

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

# OpenSSL asks the clock of the machine: what it must take is valid in every year in which these tests run.
EARLY = datetime(2000, 1, 1, tzinfo=UTC)
LATE = datetime(2100, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()

SERVERS = ExtendedKeyUsageOID.SERVER_AUTH
CLIENTS = ExtendedKeyUsageOID.CLIENT_AUTH


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def usage(*names: str) -> x509.KeyUsage:
    known = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in known})


LEAF_USAGE = usage("digital_signature")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a certificate says. The default is a good leaf."""

    uris: tuple[str, ...] = ("spiffe://shop.example/ns/shop/sa/front",)
    names: tuple[x509.GeneralName, ...] = ()
    is_authority: bool | None = False
    path_length: int | None = None
    usage: x509.KeyUsage | None = LEAF_USAGE
    is_usage_critical: bool = True
    purposes: tuple[x509.ObjectIdentifier, ...] | None = (SERVERS, CLIENTS)
    begins: datetime = EARLY
    ends: datetime = LATE
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()


LEAF = Shape()
AUTHORITY = Shape(uris=(), is_authority=True, usage=usage("key_cert_sign", "crl_sign"), purposes=None)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and the intermediates above it."""

    certificate: x509.Certificate
    key: Key
    above: tuple[x509.Certificate, ...] = ()

    @property
    def shown(self) -> tuple[x509.Certificate, ...]:
        """What its owner shows."""
        return (self.certificate, *self.above)

    def sign(self, shape: Shape = LEAF, own: Key | None = None, name: str = "") -> Issued:
        """A certificate below this one."""
        own = own or key()
        above = () if self.certificate.issuer == self.certificate.subject else self.shown
        return Issued(_signed(shape, own, self.key, _name(name), self.certificate.subject), own, above)

    def account(self, path: str, trust_domain: str = "shop.example") -> Issued:
        """A good leaf of somebody."""
        return self.sign(replace(LEAF, uris=(f"spiffe://{trust_domain}{path}",)))


def authority(trust_domain: str = "shop.example", shape: Shape = AUTHORITY, own: Key | None = None) -> Issued:
    own = own or key()
    named = replace(shape, uris=(f"spiffe://{trust_domain}",))
    return Issued(_signed(named, own, own, _name(trust_domain), _name(trust_domain)), own)


def bundles(*owned: tuple[str, Issued]) -> TrustBundles:
    domains = dict.fromkeys(name for name, _ in owned)
    return TrustBundles(
        TrustBundle.of(domain, [issued.certificate for name, issued in owned if name == domain]) for domain in domains
    )


def own(issued: Issued, trusted: TrustBundles) -> Credentials:
    return credentials(issued.shown, issued.key, trusted)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def _signed(shape: Shape, own: Key, signer: Key, subject: x509.Name, issuer: x509.Name) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(own.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(shape.begins).not_valid_after(shape.ends)
    for extension, critical in _extensions(shape):
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _extensions(shape: Shape) -> Iterable[tuple[x509.ExtensionType, bool]]:
    if shape.is_authority is not None:
        yield x509.BasicConstraints(shape.is_authority, shape.path_length), True
    if shape.usage is not None:
        yield shape.usage, shape.is_usage_critical
    if shape.purposes is not None:
        yield x509.ExtendedKeyUsage(shape.purposes), False
    names = (*(x509.UniformResourceIdentifier(uri) for uri in shape.uris), *shape.names)
    if names:
        yield x509.SubjectAlternativeName(names), False
    yield from shape.more
