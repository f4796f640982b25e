"""A TLS context that is another one for each handshake: event loops take one for the life of a listener."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Self

from meshproof.runtime.identity.errors import CredentialsError


class SwappingContext(ssl.SSLContext):
    """Begins handshakes with the context of the moment. asyncio and uvloop call `wrap_bio`, once a connection.

    Its own settings are never used: a handshake that does not go through `wrap_bio` would find no certificate.
    """

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, protocol: int, current: Callable[[], ssl.SSLContext]) -> Self:
        """A context of that protocol that asks `current` at each handshake."""
        made = cls(protocol)
        made.check_hostname = False
        made._current = current
        return made

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002  the signature is that of `ssl`
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a handshake. Raises `ssl.SSLError` while there is no identity to show."""
        try:
            context = self._current()
        except CredentialsError as error:
            raise ssl.SSLError(str(error)) from None
        return context.wrap_bio(incoming, outgoing, server_side, server_hostname, session)
