"""Who is in the certificates of callers, as Envoys pass them on over gRPC."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from meshproof.runtime.extauthz.client_cert import ForwardedError
from meshproof.runtime.identity.errors import IdentityError
from meshproof.runtime.identity.leaf import uris
from meshproof.runtime.identity.pem import certificates

_MOST = 4096


class CallerCertificates:
    """The URIs of certificates. Their Envoy has verified them; each is read once while it is remembered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def uris(self, told: str) -> tuple[str, ...]:
        """The URIs of one, in PEM and percent-encoded. Raises `ForwardedError`."""
        known = self._known.get(told)
        if known is not None:
            return known
        try:
            found = certificates(unquote_to_bytes(told))
            if len(found) != 1:
                raise ForwardedError("it is more than one certificate")
            names = uris(found[0])
        except IdentityError as error:
            raise ForwardedError(str(error)) from None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[told] = names
        return names
