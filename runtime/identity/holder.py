"""The identity of this process, swapped whole while it runs: handshakes that begin after a swap use the new one.

At the start, and at each rotation: `identities.take(credentials)`. A listener: `create_server(…,
ssl=identities.server(("h2", "http/1.1")))`, and in `connection_made`
`identities.peer(transport.get_extra_info("ssl_object")).identity.uri`; a `PeerError` goes to the log, and the
connection is aborted. A client: `create_connection(…, ssl=identities.client(("h2",)), server_hostname="")`, and before
anything is sent `identities.peer(…, expected={SpiffeId(…)})`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.contexts import client_context, server_context
from meshproof.runtime.identity.errors import CertificateError, CredentialsError, PeerError
from meshproof.runtime.identity.paths import Proven
from meshproof.runtime.identity.peers import Peers
from meshproof.runtime.identity.svid import Credentials
from meshproof.runtime.identity.swapping import SwappingContext


@dataclass(frozen=True, slots=True)
class _Held:
    own: Credentials
    peers: Peers
    contexts: dict[tuple[bool, tuple[str, ...]], ssl.SSLContext] = field(default_factory=dict)


class Identities:
    """Own credentials, the TLS contexts made of them, and the judge of peers. Nothing is let in while there is none."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds since the epoch."""
        self._clock = clock
        self._held: _Held | None = None

    def take(self, own: Credentials) -> None:
        """Use these from now on. Contexts are made before anything is swapped. Raises `CredentialsError`."""
        self._check(own)
        held = _Held(own, Peers(own.bundles))
        for key in self._held.contexts if self._held is not None else ():
            held.contexts[key] = _made(own, *key)
        self._held = held

    @property
    def own(self) -> Credentials | None:
        """What is in use; it may be over."""
        return None if self._held is None else self._held.own

    def expires_in(self) -> float | None:
        """Seconds until the own identity is over, negative after that; None while there is none. For a metric."""
        return None if self._held is None else self._held.own.ends - self._clock()

    def server_context(self, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """For one handshake with a caller that begins now. Raises `CredentialsError` if there is no valid identity."""
        return self._context(is_server=True, alpn=tuple(alpn))

    def client_context(self, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """For one handshake with a server of the mesh that begins now. Raises `CredentialsError`."""
        return self._context(is_server=False, alpn=tuple(alpn))

    def server(self, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """For a listener: each handshake takes the context of its moment, and fails while there is no identity."""
        return SwappingContext.of(ssl.PROTOCOL_TLS_SERVER, lambda: self.server_context(alpn))

    def client(self, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """The same for connections to servers of the mesh."""
        return SwappingContext.of(ssl.PROTOCOL_TLS_CLIENT, lambda: self.client_context(alpn))

    def peer(self, secured: object, expected: Collection[SpiffeId] | None = None) -> Proven:
        """Who is on the other side of a finished handshake, by what is trusted now. Raises `PeerError`.

        `secured`: the `ssl_object` of a transport. `expected`: as whom it must show itself, exactly; always said by
        clients. Until `ends` of what comes back the identity stands; whoever keeps the connection longer asks again.
        """
        if self._held is None:
            raise PeerError("own", "nobody is trusted while there is no own identity")
        if not isinstance(secured, ssl.SSLObject):
            raise PeerError("no-certificate", "the connection is not over TLS")
        return self._held.peers.identity(secured, self._clock(), expected)

    def _context(self, *, is_server: bool, alpn: tuple[str, ...]) -> ssl.SSLContext:
        held = self._held
        if held is None:
            raise CredentialsError("there is no own identity yet")
        self._check(held.own)
        found = held.contexts.get((is_server, alpn))
        if found is None:
            found = held.contexts[is_server, alpn] = _made(held.own, is_server, alpn)
        return found

    def _check(self, own: Credentials) -> None:
        try:
            own.proven.check(self._clock())
        except CertificateError as error:
            raise CredentialsError(f"the own certificate is refused: {error}") from None


def _made(own: Credentials, is_server: bool, alpn: tuple[str, ...]) -> ssl.SSLContext:  # noqa: FBT001  a key of the table
    return server_context(own, alpn) if is_server else client_context(own, alpn)
