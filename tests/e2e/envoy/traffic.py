"""A request of the model as a client sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ssl import SSLContext

from tests.e2e.envoy.certificates import Authority, client_context
from tests.e2e.envoy.client import Way, message
from tests.e2e.envoy.listeners import HTTP_ALPN, TCP_ALPN, Address
from tests.e2e.envoy.tokens import FORGERIES, Json, Mint, plain

from meshproof.compiler.ir.entities import Gateway, Issuer, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.request import Request, Token
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.semantics.token import accepted_issuers

CLIENT = "spiffe://clients.example/someone"
"""What clients of a gateway with `client-ca` show: an identity of nobody's mesh."""

Lines = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Sender:
    """Sends as whoever a request is from. TLS contexts are made once an identity."""

    authority: Authority
    mint: Mint
    contexts: dict[tuple[str | None, tuple[str, ...]], SSLContext] = field(default_factory=dict)

    def tls(self, identity: str | None, protocols: tuple[str, ...]) -> SSLContext:
        """TLS with the certificate of an identity, or with none."""
        key = (identity, protocols)
        if key not in self.contexts:
            pair = None if identity is None else self.authority.of(identity)
            self.contexts[key] = client_context(pair, protocols)
        return self.contexts[key]

    def way(self, mesh: Mesh, request: Request, address: Address, *, is_tcp: bool) -> Way:
        """The connection: mTLS for a caller with an identity, the gateway's own TLS at its port for it."""
        node = mesh.node(request.destination)
        source = request.source.ip or "127.0.0.1"
        if isinstance(node, Gateway):
            port = next(one for one in node.ports if one.workload == request.port)
            ends = port.protocol in {Protocol.HTTPS, Protocol.TLS} and not port.is_passthrough
            shown = CLIENT if node.client_ca is not None else None
            return Way(address, source, self.tls(shown, ()) if ends else None, request.sni)
        if request.source.identity is None:
            return Way(address, source)
        return Way(
            address, source, self.tls(request.source.identity, TCP_ALPN if is_tcp else HTTP_ALPN[1:2]), request.sni
        )

    def message(self, mesh: Mesh, request: Request, how: int = 0) -> bytes:
        """The bytes of a request over HTTP/1.1. `how` chooses the forgery of a token that is not valid."""
        path, lines = request.path or "/", tuple(one for one in request.headers if one[0] != "x-forwarded-for")
        lines += tuple((f"x-answer-{name}", "yes" if is_yes else "no") for name, is_yes in request.answers)
        if request.client_ip is not None and _is_gateway(mesh, request):
            lines += (("x-forwarded-for", request.client_ip),)
        if request.token is not None:
            path, lines = self._with_token(mesh, request, request.token, (path, lines), FORGERIES[how % len(FORGERIES)])
        return message(request.method or "GET", path, request.host or "", lines)

    def _with_token(
        self, mesh: Mesh, request: Request, token: Token, sent: tuple[str, Lines], how: str
    ) -> tuple[str, Lines]:
        path, lines = sent
        issuer = _issuer(mesh, request, token)
        claims = plain(token.claims)
        assert isinstance(claims, dict)
        text = self.mint.valid(_completed(claims, issuer)) if token.is_valid else self.mint.forged(claims, how)
        if issuer is None or issuer.place is None:
            return path, (*lines, ("authorization", f"Bearer {text}"))
        match issuer.place.kind:
            case "header":
                return path, (*lines, (issuer.place.name, text))
            case "cookie":
                return path, (*lines, ("cookie", f"{issuer.place.name}={text}"))
            case _:
                return f"{path}{'&' if '?' in path else '?'}{issuer.place.name}={text}", lines


def _completed(claims: dict[str, Json], issuer: Issuer | None) -> dict[str, Json]:
    """A valid token that leaves out `aud` is one for its issuer's audiences (ADR 0052)."""
    if "aud" in claims or issuer is None or not issuer.audiences:
        return claims
    return {**claims, "aud": issuer.audiences[0]}


def _issuer(mesh: Mesh, request: Request, token: Token) -> Issuer | None:
    """Whose place the token is sent at: its issuer's, or of another one that the destination accepts."""
    node = mesh.node(request.destination)
    assert node is not None
    accepted = accepted_issuers(mesh, node)
    url = dict(token.claims.members).get("iss")
    return next((issuer for issuer in accepted if issuer.url == url), accepted[0] if accepted else None)


def _is_gateway(mesh: Mesh, request: Request) -> bool:
    """Whether the caller is taken for a gateway, which says for whom it calls."""
    parsed = SpiffeId.parse(request.source.identity or "")
    if parsed is None:
        return False
    return canonical_identity(mesh, parsed) in {gateway.identity for gateway in mesh.gateways}
