"""Who is on the other side of a finished handshake: an identity, or a refusal whose reason is for the log alone."""

from __future__ import annotations

import _ssl
import ssl
from collections.abc import Collection

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundles
from meshproof.runtime.identity.errors import CertificateError, PeerError
from meshproof.runtime.identity.paths import Proven, check_chain
from meshproof.runtime.identity.pem import certificate_der

_MOST_KNOWN = 4096
"""Certificates of peers that are remembered; beyond, all are forgotten and judged again."""


class Peers:
    """The judge of peers by one set of trust bundles. Certificates found good are remembered, others never."""

    __slots__ = ("_bundles", "_known")

    def __init__(self, bundles: TrustBundles) -> None:
        self._bundles = bundles
        self._known: dict[bytes, Proven] = {}

    def identity(self, secured: ssl.SSLObject, now: float, expected: Collection[SpiffeId] | None = None) -> Proven:
        """The identity that the peer has proven, and until when it stands. Raises `PeerError`.

        `secured`: of a context of ours (`server_context`, `client_context`), its handshake done. `expected`: as whom
        the peer must show itself, exactly; None: anybody whom the bundles trust.
        """
        leaf = secured.getpeercert(binary_form=True)
        if not leaf:
            raise PeerError("no-certificate", "it shows no certificate")
        proven = self._known.get(leaf)
        if proven is None:
            proven = self._judged(secured)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[leaf] = proven
        try:
            proven.check(now)
        except CertificateError as error:
            raise PeerError("validity", f"its certificate is refused: {error}") from None
        if expected is not None and proven.identity not in expected:
            raise PeerError("identity", f"it is `{proven.identity.uri}`, which is not expected here")
        return proven

    def _judged(self, secured: ssl.SSLObject) -> Proven:
        try:
            chain = [certificate_der(der) for der in verified_chain(secured)]
            if not chain:
                raise PeerError("resumed", "it resumes a session whose certificate is not known any more")
            return check_chain(chain, self._bundles)
        except CertificateError as error:
            raise PeerError("certificate", f"its certificate is refused: {error}") from None


def verified_chain(secured: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates by which OpenSSL verified the peer, from its own to the authority; none in a resumed session."""
    public = getattr(secured, "get_verified_chain", None)  # Python 3.13 and newer
    if public is not None:
        return tuple(public() or ())
    inner = secured._sslobj  # type: ignore[attr-defined]  # noqa: SLF001  the same, without a public name before
    return tuple(one.public_bytes(_ssl.ENCODING_DER) for one in inner.get_verified_chain() or ())
