"""The attributes of one request as conditions read them: normal, canonical, and absent where they do not exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    DestinationIp,
    Header,
    Host,
    JoinedHeader,
    Method,
    Path,
    Port,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.ir.request import ClaimObject, Request
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.compiler.semantics.errors import MalformedRequest
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize_by, split_query
from meshproof.compiler.semantics.remote import remote_address
from meshproof.compiler.semantics.token import audiences_of, seen_token, strings_in, verifying_issuer
from meshproof.compiler.semantics.wellformed import canonical_address, is_well_formed, layer_of, normal_host

Values = tuple[str, ...] | None
"""All values of an attribute, none where it is absent; None where the request leaves out what must be there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions may read of one request at its destination.

    `is_path_refused` is the outcome of the path step (a refused path is absent). `claims` are those of the valid
    token that the destination sees, `audiences` its audiences; None and empty without one. `words` are its claims that
    are words, besides those that always are.
    """

    layer: Layer
    identity: str | None
    source_ip: Values
    client_ip: Values
    remote_ip: Values
    destination_ip: Values
    method: Values
    path: Values
    is_path_refused: bool
    host: Values
    authority: Values
    port: int
    sni: str | None
    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...] | None
    claims: ClaimObject | None
    audiences: tuple[str, ...]
    words: tuple[str, ...] = ()

    def without_token(self) -> Facts:
        """The same request as a proxy sees it that looks for no token."""
        return replace(self, claims=None, audiences=())

    def values(self, attribute: Attribute) -> Values:  # noqa: C901, PLR0911, PLR0912  one line an attribute
        """The values that a test of the attribute looks at."""
        match attribute:
            case SourceIdentity():
                return _present(self.identity)
            case SourceIp():
                return self.source_ip
            case ClientIp():
                return self.client_ip
            case RemoteIp():
                return self.remote_ip
            case DestinationIp():
                return self.destination_ip
            case Method():
                return self.method
            case Path():
                return self.path
            case Host():
                return self.host
            case RawAuthority():
                return self.authority
            case Port():
                return (str(self.port),)
            case Sni():
                return _present(self.sni)
            case Header(name):
                return self._lines(name)
            case JoinedHeader(name):
                lines = self._lines(name)
                return (",".join(lines),) if lines else ()
            case Query(name):
                return None if self.query is None else tuple(value for key, value in self.query if key == name)
            case TokenIssuer():
                return self._claim("iss")
            case TokenSubject():
                return self._claim("sub")
            case TokenAudience():
                return self.audiences
            case TokenPresenter():
                return self._claim("azp")
            case Claim(path):
                return self._claim(*path)
            case _:
                assert_never(attribute)

    def _lines(self, name: str) -> tuple[str, ...]:
        return tuple(value for line, value in self.headers if line == name)

    def _claim(self, *path: str) -> tuple[str, ...]:
        return () if self.claims is None else strings_in(self.claims, path, self.words)


def facts_of(mesh: Mesh, request: Request, day: date) -> Facts:
    """The facts of a well-formed request; `MalformedRequest` for any other. `request.day` wins over `day`."""
    reason = is_well_formed(mesh, request, day)
    node = mesh.node(request.destination)
    if reason is not None or node is None:
        raise MalformedRequest(reason or "")
    identity = _identity(mesh, request)
    token = seen_token(mesh, node, request)
    issuer = None if token is None else verifying_issuer(mesh, node, token)
    path, is_refused = _path(mesh, request)
    return Facts(
        layer=layer_of(request),
        identity=identity,
        source_ip=_address(request.source.ip),
        client_ip=_address(request.client_ip) if _is_gateway(mesh, identity) else (),
        remote_ip=_address(remote_address(node, request)),
        destination_ip=_address(request.destination_ip),
        method=_on_http(request, request.method),
        path=path,
        is_path_refused=is_refused,
        host=_on_http(request, None if request.host is None else normal_host(request.host)),
        authority=_on_http(request, request.host),
        port=request.port,
        sni=None if request.sni is None else lower_ascii(request.sni),
        headers=request.headers,
        query=_query(request),
        claims=None if token is None or issuer is None else token.claims,
        audiences=() if token is None or issuer is None else audiences_of(issuer, token.claims),
        words=() if issuer is None else issuer.words,
    )


def _identity(mesh: Mesh, request: Request) -> str | None:
    identity = None if request.source.identity is None else SpiffeId.parse(request.source.identity)
    return None if identity is None else canonical_identity(mesh, identity).uri


def _is_gateway(mesh: Mesh, identity: str | None) -> bool:
    """Whether the caller is a gateway: by identity, so whoever shares its account counts as one."""
    return any(canonical_identity(mesh, gateway.identity).uri == identity for gateway in mesh.gateways)


def _path(mesh: Mesh, request: Request) -> tuple[Values, bool]:
    if layer_of(request) is Layer.TCP:
        return (), False
    if request.method == "CONNECT":  # "`OPTIONS *` and CONNECT are refused": `*` begins with no slash
        return (), True
    if request.path is None:
        return None, False
    normal = normalize_by(request.path, mesh.paths)
    return ((normal.text,), False) if isinstance(normal, NormalPath) else ((), True)


def _query(request: Request) -> tuple[tuple[str, str], ...] | None:
    if layer_of(request) is Layer.TCP:
        return ()
    return None if request.path is None else split_query(request.path)


def _on_http(request: Request, value: str | None) -> Values:
    if layer_of(request) is Layer.TCP:
        return ()
    return None if value is None else (value,)


def _address(text: str | None) -> Values:
    address = None if text is None else canonical_address(text)
    return None if address is None else (address,)


def _present(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
