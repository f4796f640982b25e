"""Credentials as files: under the names that SPIRE's agent and others write, or wherever somebody says."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundle, TrustBundles
from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.leaf import authority_domain, leaf_identity
from meshproof.runtime.identity.pem import MOST_BYTES, certificates, key
from meshproof.runtime.identity.svid import Credentials, credentials

USUAL_NAMES = (
    ("svid.0.pem", "svid.0.key", "bundle.0.pem"),  # `spire-agent api fetch x509 -write`
    ("svid.pem", "svid_key.pem", "svid_bundle.pem"),  # spiffe-helper
    ("tls.crt", "tls.key", "ca.crt"),  # cert-manager's drivers, secrets of Kubernetes
    ("cert-chain.pem", "key.pem", "root-cert.pem"),  # Istio's agent, where it is told to write files
)
_FEDERATED = "federated_bundle.0.*.pem"


@dataclass(frozen=True, slots=True)
class SvidFiles:
    """Where own certificate, key and trust bundle are, and the bundles of other trust domains.

    A federated bundle without the name of its trust domain has it in its certificates.
    """

    certificate: Path
    key: Path
    bundle: Path
    federated: tuple[tuple[str | None, Path], ...] = ()

    def read(self) -> SvidContent:
        """What the files hold now. Raises `CredentialsError`."""
        federated = tuple((domain, str(path), content_of(path)) for domain, path in self.federated)
        return SvidContent(content_of(self.certificate), content_of(self.key), content_of(self.bundle), federated)


@dataclass(frozen=True, slots=True)
class SvidFolder:
    """A folder in which they stand under usual names, looked up anew each time."""

    folder: Path

    def read(self) -> SvidContent:
        """What the files hold now. Raises `CredentialsError`."""
        return self.files().read()

    def files(self) -> SvidFiles:
        """The files of the one usual set of names that is there. Raises `CredentialsError`."""
        found = [names for names in USUAL_NAMES if (self.folder / names[0]).exists()]
        if not found:
            known = ", ".join(f"`{names[0]}`" for names in USUAL_NAMES)
            raise CredentialsError(f"`{self.folder}` has no certificate under a usual name ({known})")
        if len(found) > 1:
            raise CredentialsError(f"`{self.folder}` has both `{found[0][0]}` and `{found[1][0]}`")
        certificate, own_key, bundle = (self.folder / name for name in found[0])
        federated = sorted(self.folder.glob(_FEDERATED)) if found[0] == USUAL_NAMES[0] else ()
        return SvidFiles(certificate, own_key, bundle, tuple((None, path) for path in federated))


@dataclass(frozen=True, slots=True, repr=False)
class SvidContent:
    """What the files held at one time; a key is in it."""

    certificate: bytes
    key: bytes
    bundle: bytes
    federated: tuple[tuple[str | None, str, bytes], ...] = ()

    def credentials(self, expected: SpiffeId | None = None) -> Credentials:
        """The credentials that they are. Raises `CredentialsError`."""
        chain = _certificates("the own certificate", self.certificate)
        try:
            domain = leaf_identity(chain[0]).trust_domain
        except CertificateError as error:
            raise CredentialsError(f"the own certificate is refused: {error}") from None
        try:
            own_key = key(self.key)
        except CredentialsError as error:
            raise CredentialsError(f"the own key is refused: {error}") from None
        own = TrustBundle.of(domain, _certificates("the own trust bundle", self.bundle))
        return credentials(chain, own_key, TrustBundles((own, *self._foreign())), expected)

    def _foreign(self) -> Iterable[TrustBundle]:
        for domain, place, content in self.federated:
            found = _certificates(f"`{place}`", content)
            yield TrustBundle.of(domain or _named_domain(place, found), found)


def _named_domain(place: str, authorities: tuple[x509.Certificate, ...]) -> str:
    try:
        domain = authority_domain(authorities[0])
    except CertificateError as error:
        raise CredentialsError(f"`{place}` is refused: {error}") from None
    if domain is None:
        raise CredentialsError(f"`{place}` does not name its trust domain, so it must be told")
    return domain


def _certificates(what: str, content: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return certificates(content)
    except CertificateError as error:
        raise CredentialsError(f"{what} is refused: {error}") from None


def _opened(path: str, flags: int) -> int:
    """A descriptor of a regular file: a pipe, where somebody could make us wait, is refused."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file")


def content_of(path: Path) -> bytes:
    """What a file holds now, if it is a regular one and not too large. Raises `CredentialsError`."""
    try:
        with open(path, "rb", buffering=0, opener=_opened) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CredentialsError(f"`{path}` cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise CredentialsError(f"`{path}` is larger than {MOST_BYTES} bytes")
    return content
