"""Chains of certificates: each signs the one before, and the last is an authority of the right trust domain.

Chains of peers are built and verified by OpenSSL, in the handshake; `check_chain` is what OpenSSL does not know.
Own chains are verified here before they are shown to anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundles
from meshproof.runtime.identity.errors import CertificateError
from meshproof.runtime.identity.leaf import check_authority, leaf_identity
from meshproof.runtime.identity.pem import UNREADABLE

MOST_LINKS = 8
"""Certificates in a chain, the leaf and the authority among them."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An identity that a chain proves, and the seconds since the epoch between which all of the chain is valid."""

    identity: SpiffeId
    begins: float
    ends: float

    def check(self, now: float) -> None:
        """That the chain is valid at that time. Raises `CertificateError`."""
        if now < self.begins:
            raise CertificateError(f"it is not valid before {_written(self.begins)}")
        if now > self.ends:
            raise CertificateError(f"it is not valid after {_written(self.ends)}")


def check_chain(chain: Sequence[x509.Certificate], bundles: TrustBundles) -> Proven:
    """What a chain proves whose signatures and constraints were verified, from the leaf to the authority.

    Raises `CertificateError`. When it is valid is for the caller to check.
    """
    if not 2 <= len(chain) <= MOST_LINKS:  # noqa: PLR2004  a leaf is no authority of itself
        raise CertificateError(f"its chain has {len(chain)} certificates, and 2 to {MOST_LINKS} are taken")
    identity = leaf_identity(chain[0])
    domain = identity.trust_domain
    for signer in chain[1:]:
        check_authority(signer, domain)
    authorities = bundles.authorities(domain)
    if not authorities:
        raise CertificateError(f"the trust domain `{domain}` is not trusted")
    if chain[-1].public_bytes(Encoding.DER) not in authorities:
        raise CertificateError(f"its chain does not lead to an authority of `{domain}`")
    return Proven(
        identity,
        max(one.not_valid_before_utc.timestamp() for one in chain),
        min(one.not_valid_after_utc.timestamp() for one in chain),
    )


def build_chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The shortest chain from a leaf to one of the authorities whose signatures fit. Raises `CertificateError`."""
    chains: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    for _ in range(MOST_LINKS - 1):
        for chain in chains:
            for authority in authorities:
                if _signs(authority, chain):
                    return (*chain, authority)
        chains = [
            (*chain, one) for chain in chains for one in intermediates if one not in chain and _signs(one, chain)
        ][:MOST_LINKS]
    raise CertificateError("its chain does not lead to an authority that is trusted")


def _signs(signer: x509.Certificate, chain: tuple[x509.Certificate, ...]) -> bool:
    try:
        if signer.subject != chain[-1].issuer:
            return False
        basic = signer.extensions.get_extension_for_class(x509.BasicConstraints).value
        chain[-1].verify_directly_issued_by(signer)
    except (*UNREADABLE, InvalidSignature, x509.ExtensionNotFound):
        return False
    return bool(basic.ca) and (basic.path_length is None or basic.path_length >= len(chain) - 1)


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
