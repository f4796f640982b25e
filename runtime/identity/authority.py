"""A certificate authority for development: it makes X.509-SVIDs as SPIRE does, and keeps no secret better than a file.

Times are seconds since the epoch and passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.keys import private_pem
from meshproof.runtime.identity.leaf import is_trust_domain
from meshproof.runtime.identity.pem import certificates, key

BACKDATED = 60
"""Seconds before now at which validity begins: clocks differ."""

_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,30}").fullmatch
_NAME = "meshproof development"


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority of one trust domain, with its key."""

    trust_domain: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def begins(self) -> float:
        """When it begins to be valid."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.certificate.not_valid_after_utc.timestamp()

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def secret(self) -> bytes:
        """Certificate and key, to be kept."""
        return self.pem + private_pem(self.key)

    @classmethod
    def made(cls, trust_domain: str, now: float, seconds: float) -> Authority:
        """A new authority with a new key (ECDSA P-256), valid so many seconds. Raises `CredentialsError`."""
        if not is_trust_domain(trust_domain):
            raise CredentialsError(f"`{trust_domain}` is no name of a trust domain")
        own = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        name = _name(f"{_NAME} authority {serial:x}"[:64])
        builder = _builder(name, name, own, serial, (now - BACKDATED, now + seconds))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        builder = builder.add_extension(_uri(f"spiffe://{trust_domain}"), critical=False)
        return cls(trust_domain, builder.sign(own, hashes.SHA256()), own)

    @classmethod
    def kept(cls, trust_domain: str, secret: bytes) -> Authority:
        """The authority that was kept as `secret`. Raises `IdentityError`."""
        start = secret.find(b"-----BEGIN PRIVATE KEY-----")
        if start < 0:
            raise CertificateError("it holds no key of an authority")
        own = key(secret[start:])
        (certificate, *more) = certificates(secret[:start])
        if more or not isinstance(own, ec.EllipticCurvePrivateKey) or own.public_key() != certificate.public_key():
            raise CertificateError("it is not an authority that this command has made")
        return cls(trust_domain, certificate, own)

    def issue(self, identity: SpiffeId, now: float, seconds: float, hosts: Sequence[str] = ()) -> Issued:
        """A new X.509-SVID with a new key (ECDSA P-256); never longer valid than the authority is.

        Raises `CredentialsError` for another trust domain, and when the authority is over.
        """
        if identity.trust_domain != self.trust_domain:
            raise CredentialsError(f"`{identity.uri}` is not of the trust domain `{self.trust_domain}`")
        if not self.begins <= now < self.ends:
            raise CredentialsError("the authority is not valid now")
        own = ec.generate_private_key(ec.SECP256R1())
        valid = (max(now - BACKDATED, self.begins), min(now + seconds, self.ends))
        builder = _builder(_name(_NAME), self.certificate.subject, own, x509.random_serial_number(), valid)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage("digital_signature"), critical=True)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        builder = builder.add_extension(_uri(identity.uri, hosts), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(signer, critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM), private_pem(own))


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


def _uri(uri: str, hosts: Iterable[str] = ()) -> x509.SubjectAlternativeName:
    for host in hosts:
        if not _HOST(host):
            raise CredentialsError(f"`{host}` is no name of a host")
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *map(x509.DNSName, hosts)])


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital_signature" in names,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign="key_cert_sign" in names,
        crl_sign="crl_sign" in names,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    own: ec.EllipticCurvePrivateKey,
    serial: int,
    valid: tuple[float, float],
) -> x509.CertificateBuilder:
    begins, ends = (datetime.fromtimestamp(int(one), UTC) for one in valid)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).serial_number(serial)
    builder = builder.public_key(own.public_key()).not_valid_before(begins).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
