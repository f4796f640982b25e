"""Random conditions."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.strategies import vocabulary as words

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Claim,
    ClientIp,
    DestinationIp,
    Header,
    Host,
    JoinedHeader,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.dsl.source import Span

ISSUER_URLS = ("https://idp.example.com", "https://partner.example.com/idp")
_IDENTITIES = tuple(
    f"spiffe://{domain}/ns/{namespace}/sa/{account}"
    for domain in (words.TRUST_DOMAIN, words.PARTNER)
    for namespace in words.NAMESPACES
    for account in ("cart", "checkout", "shared")
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may read. `is_lifted` brings what foreign files alone hold."""

    has_http: bool = True
    has_client_ip: bool = False
    is_lifted: bool = False
    is_route: bool = False
    has_token: bool = True


def origin(place: int = 0) -> Origin:
    """A place in a file that does not exist."""
    return Origin(Span("random.mesh", place, place + 1))


def random_predicate(rng: Random, scope: Scope, depth: int = 2) -> Predicate:
    """A condition of at most `depth` operators above each other."""
    kind = rng.random()
    if depth == 0 or kind < 0.45:
        return _leaf(rng, scope)
    if kind < 0.6:
        return Not(random_predicate(rng, scope, depth - 1))
    operands = tuple(random_predicate(rng, scope, depth - 1) for _ in range(rng.randint(1, 3)))
    return And(operands) if kind < 0.8 else Or(operands)


def _leaf(rng: Random, scope: Scope) -> Predicate:
    if scope.is_lifted and rng.random() < 0.1:
        return Opaque(rng.choice(("filters.x", "filters.y")), origin(rng.randint(0, 1)))
    if rng.random() < 0.04:
        return rng.choice((Always(), Never()))
    return random_test(rng, scope)


def random_test(rng: Random, scope: Scope) -> Test:
    """A test whose matcher suits its attribute."""
    attribute = rng.choice(attributes(rng, scope))
    return Test(attribute, _matcher(rng, attribute, scope))


def attributes(rng: Random, scope: Scope) -> list[Attribute]:
    """One of each attribute that the scope has."""
    found: list[Attribute] = [SourceIp(), Port(), Sni(), SourceIdentity()]
    if scope.has_client_ip:
        found += [ClientIp(), ClientIp()]
    if scope.has_http:
        found += [Method(), Path(), Path(), Host(), Query(rng.choice(words.QUERIES))]
        found += [Header(rng.choice(words.HEADERS)) for _ in range(3)]
    if scope.has_http and scope.has_token:
        found += [TokenIssuer(), TokenSubject(), TokenAudience(), TokenPresenter()]
        found += [Claim(rng.choice(words.CLAIMS)) for _ in range(2)]
    if scope.is_lifted:
        found += [RemoteIp(), DestinationIp()]
    if scope.is_lifted and scope.has_http:
        found += [RawAuthority(), JoinedHeader(words.JOINED_HEADER)]
    return found


def _matcher(  # noqa: C901, PLR0911, PLR0912  one line an attribute
    rng: Random, attribute: Attribute, scope: Scope
) -> Matcher:
    match attribute:
        case SourceIp() | ClientIp() | RemoteIp() | DestinationIp():
            return rng.choice((Cidr(rng.choice(words.NETWORKS)), Exact(rng.choice(words.ADDRESSES))))
        case Port():
            return Exact(rng.choice(("8080", "9090", "6379", "1")))
        case Method():
            return Exact(rng.choice(words.METHODS))
        case Path():
            return _path_matcher(rng, scope)
        case Host():
            return _text_matcher(rng, words.HOSTS)
        case RawAuthority():
            value = rng.choice((*words.HOSTS, words.HOSTS[0] + ":8080"))
            return rng.choice((Exact(value, ignore_case=True), Prefix(value, ignore_case=True), Present()))
        case SourceIdentity():
            value = rng.choice(_IDENTITIES)
            return rng.choice((Exact(value), Prefix(value.rpartition("/")[0] + "/"), Present()))
        case Sni():
            return _text_matcher(rng, words.HOSTS)
        case Header() | JoinedHeader() | Query():
            return _text_matcher(rng, words.HEADER_VALUES)
        case TokenIssuer():
            return rng.choice((Exact(rng.choice(ISSUER_URLS)), Present()))
        case TokenSubject() | TokenPresenter():
            return _text_matcher(rng, words.SUBJECTS)
        case TokenAudience():
            return _text_matcher(rng, words.AUDIENCES)
        case Claim():
            return _text_matcher(rng, words.CLAIM_VALUES)


def _text_matcher(rng: Random, values: tuple[str, ...]) -> Matcher:
    value = rng.choice(values)
    cut = rng.randint(1, 4)
    return rng.choice(
        (
            Exact(value),
            Exact(rng.choice(values)),
            Prefix(value[:cut]),
            Suffix(value[-cut:]),
            Regex(rng.choice(tuple(words.REGEXES))),
            Present(),
        )
    )


def _path_matcher(rng: Random, scope: Scope) -> Matcher:
    found: list[Matcher] = [
        Segments(words.path_pattern(rng)),
        Segments(words.path_pattern(rng)),
        Exact(words.plain_path(rng)),
        Prefix(words.plain_path(rng)),
        Suffix(rng.choice(words.SEGMENTS)),
        Regex(rng.choice(tuple(words.PATH_REGEXES))),
    ]
    if scope.is_lifted:
        found.append(Template(rng.choice(("/api/{*}", "/{**}/admin", "/a/{**}"))))
    return rng.choice(found)
