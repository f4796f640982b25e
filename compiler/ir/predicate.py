"""Conditions over one request: attributes, tests, and their boolean combinations.

Two-valued and total: a test of an absent attribute is false, a test of an attribute with several values
(headers, query, claims, audiences) holds if one value passes it. Only `Opaque`, which lifted foreign files
alone contain, stands for either truth value.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import Origin


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """The verified SPIFFE ID of the peer as a URI; absent on plaintext. Both protocols."""


@dataclass(frozen=True, slots=True)
class SourceIp:
    """The peer's address. Both protocols."""


@dataclass(frozen=True, slots=True)
class ClientIp:
    """What the caller's gateway saw as client, trusted proxies taken off; absent unless the caller is a gateway."""


@dataclass(frozen=True, slots=True)
class RemoteIp:
    """The client as Envoy sees it, in lifted Istio rules alone: what `x-forwarded-for` says (at a sidecar the last
    address in it, which any caller may write), else the peer. Both protocols."""  # noqa: D205, D209


@dataclass(frozen=True, slots=True)
class DestinationIp:
    """The address that the connection was made to; in lifted Istio rules alone. Both protocols."""


@dataclass(frozen=True, slots=True)
class Method:
    """The HTTP method, with case."""


@dataclass(frozen=True, slots=True)
class Path:
    """The path in normal form, without the query."""


@dataclass(frozen=True, slots=True)
class Host:
    """The host in lower case, without port and last dot."""


@dataclass(frozen=True, slots=True)
class RawAuthority:
    """`:authority` verbatim, port included; in lifted Istio rules alone."""


@dataclass(frozen=True, slots=True)
class Port:
    """The workload's port as decimal text. Both protocols."""


@dataclass(frozen=True, slots=True)
class Sni:
    """The server name that a TLS client asked for, in lower case; absent without TLS. Both protocols."""


@dataclass(frozen=True, slots=True)
class Header:
    """The values of a request header, a line each; `name` is in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class JoinedHeader:
    """All lines of a request header as one value, commas between them: how Envoy compared before CVE-2026-26308.
    In lifted Istio rules alone; `name` is in lower case."""  # noqa: D205, D209

    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """The values of a query parameter, undecoded."""

    name: str


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """`iss` of the valid token, absent without one: `has token` is its presence."""


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """`sub` of the valid token."""


@dataclass(frozen=True, slots=True)
class TokenAudience:
    """`aud` of the valid token, any number of values."""


@dataclass(frozen=True, slots=True)
class TokenPresenter:
    """`azp` of the valid token."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The strings in a claim of the valid token: a string is one, a list its strings; `scope` and `permission`
    are their words; numbers, booleans and objects are absent. `path` leads through nested objects."""  # noqa: D205, D209

    path: tuple[str, ...]


Attribute = (
    SourceIdentity
    | SourceIp
    | ClientIp
    | RemoteIp
    | DestinationIp
    | Method
    | Path
    | Host
    | RawAuthority
    | Port
    | Sni
    | Header
    | JoinedHeader
    | Query
    | TokenIssuer
    | TokenSubject
    | TokenAudience
    | TokenPresenter
    | Claim
)

HTTP_ONLY = (
    Method,
    Path,
    Host,
    RawAuthority,
    Header,
    JoinedHeader,
    Query,
    TokenIssuer,
    TokenSubject,
    TokenAudience,
    TokenPresenter,
    Claim,
)
"""The attributes that do not exist on TCP."""


@dataclass(frozen=True, slots=True)
class Always:
    """True of every request."""


@dataclass(frozen=True, slots=True)
class Never:
    """True of no request."""


@dataclass(frozen=True, slots=True)
class Test:
    """One value of the attribute passes the matcher."""

    __test__ = False  # pytest would collect it by its name

    attribute: Attribute
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold."""

    operand: Predicate


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; of none it is true."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some operand holds; of none it is false."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something of a foreign file that is not modelled: it may hold or not, and a verdict that depends on it
    is unknown. Two occurrences with the same `field` and origin have the same truth value."""  # noqa: D205, D209

    field: str
    origin: Origin


Predicate = Always | Never | Test | Not | And | Or | Opaque


def conjunction(operands: tuple[Predicate, ...]) -> Predicate:
    """The conjunction with `Always`, `Never` and nested conjunctions folded away."""
    flat: list[Predicate] = []
    for operand in operands:
        match operand:
            case Always():
                continue
            case Never():
                return operand
            case And(inner):
                flat.extend(inner)
            case _:
                flat.append(operand)
    if not flat:
        return Always()
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(operands: tuple[Predicate, ...]) -> Predicate:
    """The disjunction with `Always`, `Never` and nested disjunctions folded away."""
    flat: list[Predicate] = []
    for operand in operands:
        match operand:
            case Never():
                continue
            case Always():
                return operand
            case Or(inner):
                flat.extend(inner)
            case _:
                flat.append(operand)
    if not flat:
        return Never()
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negation(operand: Predicate) -> Predicate:
    """The negation with double negations and constants folded away."""
    match operand:
        case Always():
            return Never()
        case Never():
            return Always()
        case Not(inner):
            return inner
        case _:
            return Not(operand)


def attributes_of(predicate: Predicate) -> frozenset[Attribute]:
    """Every attribute that the predicate reads."""
    match predicate:
        case Test(attribute, _):
            return frozenset((attribute,))
        case Not(operand):
            return attributes_of(operand)
        case And(operands) | Or(operands):
            return frozenset().union(*map(attributes_of, operands))
        case _:
            return frozenset()


def reads_http(predicate: Predicate) -> bool:
    """Whether the predicate reads something that exists on HTTP alone."""
    return any(isinstance(attribute, HTTP_ONLY) for attribute in attributes_of(predicate))
