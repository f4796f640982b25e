"""One request as conditions read it: each attribute is worked out when the first condition asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from meshproof.compiler.ir.names import AuthorizerName
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
from meshproof.compiler.ir.request import Token
from meshproof.runtime.engine.errors import MalformedRequestError, MissingFieldError, UnsupportedPolicyError
from meshproof.runtime.engine.paths import parameters, query_of
from meshproof.runtime.engine.text import lowered, normal_host
from meshproof.runtime.engine.tokens import GoodToken, strings_in

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Incoming:
    """What arrives on a connection. Nobody changes it; frozen, it would take longer to make than to decide on.

    `path` is as sent, header names are in lower case, `answers` are as authorizers gave them.
    `client_ip` is what the caller saw as client; it counts where the caller is a gateway.
    """

    method: str
    path: str
    host: str | None = None
    headers: Headers = ()
    token: Token | None = None
    client_ip: str | None = None
    answers: Mapping[AuthorizerName, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wire:
    """What a connection tells for all of its requests. `client_ip` is for TCP; a request over HTTP has its own.

    `is_gateway`: its identity is that of a gateway; the engine tells that itself.
    """

    ip: str | None = None
    sni: str | None = None
    client_ip: str | None = None
    is_gateway: bool = False


class Facts:
    """The attributes of a request, or (without `incoming`) of a connection, which has none of HTTP's."""

    __slots__ = ("_query", "incoming", "path", "token", "wire")

    def __init__(
        self, wire: Wire, incoming: Incoming | None = None, path: str = "", token: GoodToken | None = None
    ) -> None:
        self.wire = wire
        self.incoming = incoming
        self.path = path
        self.token = token
        self._query: dict[str, tuple[str, ...]] | None = None

    def query(self, name: str) -> tuple[str, ...]:
        """The values of a query parameter."""
        if self._query is None:
            self._query = {} if self.incoming is None else parameters(query_of(self.incoming.path) or "")
        return self._query.get(name, ())


Read = Callable[[Facts], tuple[str, ...]]
"""All values of an attribute; none where it is absent."""


def reader(attribute: Attribute) -> Read:
    """How the attribute is read. Identity and port are settled before a request comes, so nothing reads them here."""
    match attribute:
        case SourceIp():
            return _source_ip
        case ClientIp():
            return _client_ip
        case Sni():
            return _sni
        case TokenIssuer() | TokenSubject() | TokenAudience() | TokenPresenter() | Claim():
            return _token_reader(attribute)
        case Method() | Path() | Host() | Header() | Query():
            return _http_reader(attribute)
        case RemoteIp() | DestinationIp() | RawAuthority() | JoinedHeader():
            raise UnsupportedPolicyError("a rule reads what rules of Istio alone read")
        case SourceIdentity() | Port():
            raise AssertionError("it is settled with the connection")
        case _:
            assert_never(attribute)


def _http_reader(attribute: Method | Path | Host | Header | Query) -> Read:
    match attribute:
        case Method():
            return _method
        case Path():
            return _path
        case Host():
            return _host
        case Header(name):
            return lambda facts: (
                () if facts.incoming is None else tuple(line for of, line in facts.incoming.headers if of == name)
            )
        case Query(name):
            return lambda facts: facts.query(name)
        case _:
            assert_never(attribute)


def _token_reader(attribute: TokenIssuer | TokenSubject | TokenAudience | TokenPresenter | Claim) -> Read:
    match attribute:
        case TokenIssuer():
            return _issuer
        case TokenSubject():
            return lambda facts: _claim(facts, ("sub",))
        case TokenPresenter():
            return lambda facts: _claim(facts, ("azp",))
        case TokenAudience():
            return lambda facts: () if facts.token is None else facts.token.audiences
        case Claim(path):
            return lambda facts: _claim(facts, path)
        case _:
            assert_never(attribute)


def _claim(facts: Facts, path: tuple[str, ...]) -> tuple[str, ...]:
    return () if facts.token is None else strings_in(facts.token.claims, path)


def _issuer(facts: Facts) -> tuple[str, ...]:
    return () if facts.token is None else (facts.token.issuer.url,)


def _source_ip(facts: Facts) -> tuple[str, ...]:
    if facts.wire.ip is None:
        raise MissingFieldError("`source.ip` is left out, and a rule reads it")
    return (facts.wire.ip,)


def _client_ip(facts: Facts) -> tuple[str, ...]:
    """Absent unless a gateway calls, which tells it of every request."""
    if not facts.wire.is_gateway:
        return ()
    told = facts.wire.client_ip if facts.incoming is None else facts.incoming.client_ip
    if told is None:
        raise MissingFieldError("`client.ip` is left out, and a rule reads it")
    return (told,)


def _sni(facts: Facts) -> tuple[str, ...]:
    return () if facts.wire.sni is None else (lowered(facts.wire.sni),)


def _method(facts: Facts) -> tuple[str, ...]:
    return () if facts.incoming is None else (facts.incoming.method,)


def _path(facts: Facts) -> tuple[str, ...]:
    return () if facts.incoming is None else (facts.path,)


def _host(facts: Facts) -> tuple[str, ...]:
    if facts.incoming is None:
        return ()
    if facts.incoming.host is None:
        raise MissingFieldError("`host` is left out, and a rule reads it")
    host = normal_host(facts.incoming.host)
    if not host:
        raise MalformedRequestError("a `host` is not empty")
    return (host,)
