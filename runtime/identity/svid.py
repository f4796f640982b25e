"""An own X.509-SVID with the trust bundles that belong to it: whole and fitting together, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundles
from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.keys import PrivateKey, private_pem, public_bytes
from meshproof.runtime.identity.leaf import leaf_identity
from meshproof.runtime.identity.paths import Proven, build_chain, check_chain


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who this process is, how it shows that, and whom it trusts. `key` is PEM, and in no representation.

    `certificates` is PEM, the leaf first and its intermediates after it. `shown` is what OpenSSL is given to show: the
    same, with the authority behind a leaf that has no intermediates (docs/adr/0243).
    """

    proven: Proven
    serial: int
    certificates: bytes
    shown: bytes = field(repr=False)
    key: bytes = field(repr=False)
    bundles: TrustBundles

    @property
    def identity(self) -> SpiffeId:
        """The own SPIFFE ID."""
        return self.proven.identity

    @property
    def ends(self) -> float:
        """When the own chain is over, in seconds since the epoch: the last second in which it is valid."""
        return self.proven.ends


def credentials(
    certificates: Sequence[x509.Certificate],
    key: PrivateKey,
    bundles: TrustBundles,
    expected: SpiffeId | None = None,
) -> Credentials:
    """The credentials, if key, certificate, chain, bundle and expected identity fit. Raises `CredentialsError`.

    Whether they are valid now is asked when they are taken and used, so that a wrong clock breaks nothing for good.
    """
    leaf, *intermediates = certificates
    try:
        chain = _chain(leaf, intermediates, bundles)
        proven = check_chain(chain, bundles)
    except CertificateError as error:
        raise CredentialsError(f"the own certificate is refused: {error}") from None
    if public_bytes(leaf.public_key()) != public_bytes(key.public_key()):
        raise CredentialsError("the own key is not that of the own certificate")
    if expected is not None and proven.identity != expected:
        raise CredentialsError(f"the own certificate is that of `{proven.identity.uri}`, not of `{expected.uri}`")
    shown = certificates if intermediates else chain
    return Credentials(proven, leaf.serial_number, _pem(certificates), _pem(shown), private_pem(key), bundles)


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def _chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], bundles: TrustBundles
) -> tuple[x509.Certificate, ...]:
    own = bundles.authorities(leaf_identity(leaf).trust_domain)
    authorities = [x509.load_der_x509_certificate(der) for der in sorted(own)]
    return build_chain(leaf, intermediates, authorities)
