"""Trust bundles: the authorities of each trust domain, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.leaf import check_authority, is_trust_domain


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """The authorities (DER, sorted, each once) of one trust domain."""

    trust_domain: str
    authorities: tuple[bytes, ...]

    @classmethod
    def of(cls, trust_domain: str, authorities: Iterable[x509.Certificate]) -> TrustBundle:
        """A bundle of authorities, each of them one of that trust domain. Raises `CredentialsError`."""
        if not is_trust_domain(trust_domain):
            raise CredentialsError(f"`{trust_domain}` is no name of a trust domain")
        found = set()
        for authority in authorities:
            try:
                check_authority(authority, trust_domain)
            except CertificateError as error:
                raise CredentialsError(f"the trust bundle of `{trust_domain}` is refused: {error}") from None
            found.add(authority.public_bytes(Encoding.DER))
        if not found:
            raise CredentialsError(f"the trust bundle of `{trust_domain}` is empty")
        return cls(trust_domain, tuple(sorted(found)))


class TrustBundles:
    """The bundles by trust domain. What is not there is trusted by nobody."""

    __slots__ = ("_authorities", "bundles")

    def __init__(self, bundles: Iterable[TrustBundle]) -> None:
        self.bundles = tuple(sorted(bundles, key=lambda one: one.trust_domain))
        self._authorities = {one.trust_domain: frozenset(one.authorities) for one in self.bundles}
        if len(self._authorities) != len(self.bundles):
            raise CredentialsError("a trust domain has two bundles")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrustBundles) and self.bundles == other.bundles

    def __hash__(self) -> int:
        return hash(self.bundles)

    @property
    def trust_domains(self) -> tuple[str, ...]:
        """The names of the trust domains, in order."""
        return tuple(one.trust_domain for one in self.bundles)

    def authorities(self, trust_domain: str) -> frozenset[bytes]:
        """The authorities of exactly that trust domain, in DER; none where it is not trusted."""
        return self._authorities.get(trust_domain, frozenset())

    def every_authority(self) -> bytes:
        """All authorities of all trust domains in DER, one after the other: what OpenSSL builds chains to."""
        return b"".join(sorted({der for found in self._authorities.values() for der in found}))
