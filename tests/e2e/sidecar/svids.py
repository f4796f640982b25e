"""Identities as X.509-SVIDs, of one authority that signs for every trust domain."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.e2e.envoy.certificates import VALID_FROM, VALID_UNTIL, Authority, Pair

from meshproof.compiler.ir.mesh import Mesh
from meshproof.runtime.net.material.identity import IdentityMaterial

_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(slots=True)
class Svids(Authority):
    """An authority whose leaves are X.509-SVIDs to the letter."""

    def _sign(self, uris: tuple[str, ...], stem: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.certificate.subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(VALID_FROM).not_valid_after(VALID_UNTIL)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_SIGNS, critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        pair = Pair(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair

    def material(self, identity: str, domains: Iterable[str]) -> IdentityMaterial:
        """What a worker is given: an identity, and this authority for each trust domain."""
        pair = self.of(identity)
        root = self.root.read_bytes()
        return IdentityMaterial(
            pair.certificate.read_bytes(),
            pair.key.read_bytes(),
            tuple((domain, root) for domain in dict.fromkeys(domains)),
        )


def trusted(mesh: Mesh) -> tuple[str, ...]:
    """The trust domains whose identities are verified."""
    return tuple(dict.fromkeys((mesh.trust_domain, *mesh.aliases, *mesh.trusts)))
