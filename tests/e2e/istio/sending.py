"""Requests to proxies on the air, sent as whoever they are from."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from ssl import SSLContext

from tests.e2e.envoy.certificates import Authority, client_context
from tests.e2e.envoy.client import Way, ask, client_hello, message
from tests.e2e.envoy.listeners import Address
from tests.e2e.envoy.tokens import FORGERIES, Mint, plain
from tests.e2e.istio.arrivals import HTTP_ALPN, TCP_ALPN

from meshproof.compiler.ir.request import Request, RequestProtocol

BYTES = b"\x00\x01\x02 bytes that are no protocol of which anybody here knows"
_ANSWERS = {200: "allow", 0: "deny", 401: "deny", 403: "deny"}


@dataclass(slots=True)
class Caller:
    """Sends requests. TLS contexts are made once an identity."""

    authority: Authority
    mint: Mint
    draw: Random
    contexts: dict[tuple[str, bool], SSLContext] = field(default_factory=dict)

    def outcome(self, request: Request, place: Address) -> str:
        """Whether the request is let in, or the status of another answer."""
        is_tcp = request.protocol is RequestProtocol.TCP
        identity = request.source.identity
        tls = None if identity is None else self._tls(identity, is_tcp=is_tcp)
        way = Way(place, request.source.ip or "127.0.0.1", tls, request.sni)
        if is_tcp:
            sent = client_hello(request.sni) if tls is None and request.sni else BYTES
            return "allow" if _comes_back(way, sent) else "deny"
        status = ask(way, self._message(request)).status
        return _ANSWERS.get(status, str(status))

    def _tls(self, identity: str, *, is_tcp: bool) -> SSLContext:
        key = (identity, is_tcp)
        if key not in self.contexts:
            protocols = TCP_ALPN if is_tcp else HTTP_ALPN[:2]
            self.contexts[key] = client_context(self.authority.of(identity), protocols)
        return self.contexts[key]

    def _message(self, request: Request) -> bytes:
        lines = request.headers
        if request.token is not None:
            claims = plain(request.token.claims)
            assert isinstance(claims, dict)
            is_valid = request.token.is_valid
            text = self.mint.valid(claims) if is_valid else self.mint.forged(claims, self.draw.choice(FORGERIES))
            lines = (*lines, ("authorization", f"Bearer {text}"))
        return message(request.method or "GET", request.path or "/", request.host or "", lines)


def _comes_back(way: Way, sent: bytes) -> bool:
    """Whether all bytes come back: a proxy that begins a handshake of its own answers with others."""
    received = b""
    try:
        with way.open() as connection:
            connection.sendall(sent)
            while len(received) < len(sent):
                piece = connection.recv(65536)
                if not piece:
                    return False
                received += piece
    except OSError:
        return False
    return received == sent
