"""The own identity and who is trusted, as bytes that go from one process to another."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity import pem
from meshproof.runtime.identity.bundles import TrustBundle, TrustBundles
from meshproof.runtime.identity.errors import IdentityError
from meshproof.runtime.identity.files import SvidContent, SvidFiles, SvidFolder
from meshproof.runtime.identity.svid import Credentials, credentials
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.settings_run import IdentityFiles, IdentityFolder

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class IdentityMaterial:
    """Certificates (the leaf first), the key and the authorities of each trust domain, all in PEM."""

    certificates: bytes
    key: bytes = field(repr=False)
    bundles: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, own: Credentials) -> IdentityMaterial:
        """The same credentials as bytes."""
        bundles = tuple(
            (one.trust_domain, "".join(map(ssl.DER_cert_to_PEM_cert, one.authorities)).encode())
            for one in own.bundles.bundles
        )
        return cls(own.certificates, own.key, bundles)


def read_content(settings: IdentityFiles | IdentityFolder) -> SvidContent:
    """What the files hold now. Raises `CredentialsError`."""
    return _source(settings).read()


def _source(settings: IdentityFiles | IdentityFolder) -> SvidFiles | SvidFolder:
    match settings:
        case IdentityFiles(certificate, key, bundle, federated):
            return SvidFiles(certificate, key, bundle, federated)
        case IdentityFolder(folder):
            return SvidFolder(folder)
        case _:
            assert_never(settings)


def load_identity(material: IdentityMaterial, allowed: tuple[SpiffeId, ...]) -> Credentials:
    """The credentials, if they fit together and are those of who this is. Raises `RefusedError`."""
    try:
        bundles = TrustBundles(_bundle(domain, text) for domain, text in material.bundles)
        leaf_first = _said("the own certificate", pem.certificates, material.certificates)
        own = credentials(leaf_first, _said("the own key", pem.key, material.key), bundles)
    except IdentityError as error:
        raise RefusedError(str(error)) from None
    if own.identity not in allowed:
        raise RefusedError(f"the own certificate is that of `{own.identity.uri}`, not of `{allowed[0].uri}`")
    return own


def _bundle(domain: str, text: bytes) -> TrustBundle:
    return TrustBundle.of(domain, _said(f"the trust bundle of `{domain}`", pem.certificates, text))


def _said(what: str, read: Callable[[bytes], _T], text: bytes) -> _T:
    try:
        return read(text)
    except IdentityError as error:
        raise RefusedError(f"{what} is refused: {error}") from None
