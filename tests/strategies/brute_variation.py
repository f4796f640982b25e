"""What changes if one attribute of a request does, by trying every request: breadth and hazards of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.strategies.brute import Judged
from tests.strategies.brute_rules import RuleSets

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Path,
    Query,
    RawAuthority,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenIssuer,
)
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token
from meshproof.compiler.smt.variation import attributes_in_play

_ALWAYS: tuple[Attribute, ...] = (SourceIdentity(), Method(), Path())
_GROUPS = dict[tuple[object, Request], list[int]]


def in_play(sets: RuleSets, rule: RuleId) -> dict[str, list[Attribute]]:
    """The attributes, by the name that people know, that may be free in a rule where it matches something."""
    found: dict[str, list[Attribute]] = {}
    for key in {sets.requests[number].key for number in sets.matches[rule]}:
        has_http = sets.world.layer(key) != "tcp"
        environment = sets.world.encodings[key].environment
        for attribute in (*_ALWAYS[: 3 if has_http else 1], *attributes_in_play(environment)):
            names = found.setdefault(attribute_name(attribute), [])
            if attribute not in names:
                names.append(attribute)
    return found


def is_free(sets: RuleSets, rule: RuleId, attribute: Attribute) -> bool:
    """Whether no change of one attribute leads out of what a rule matches, at the ports where it matches something."""
    matches = sets.matches[rule]
    live = {sets.requests[number].key for number in matches}
    return all(
        len({number in matches for number in numbers}) == 1
        for (key, _), numbers in _groups(sets, attribute).items()
        if key in live
    )


def hazards_of(sets: RuleSets, rule: AuthzRule) -> Iterator[tuple[Attribute, str]]:
    """The attributes by whose presence a rule is lost or, being a deny, by whose absence it is escaped."""
    ports = set(sets.world.analysis.scopes_of(rule.id))
    attributes: dict[Attribute, None] = {}
    for key in ports:
        attributes.update(dict.fromkeys(attributes_in_play(sets.world.encodings[key].environment)))
    for attribute in attributes:
        if isinstance(attribute, Header | Query | SourceIdentity | TokenIssuer):
            groups = (numbers for (key, _), numbers in _groups(sets, attribute).items() if key in ports)
            if any(_is_hazardous(sets, rule, attribute, numbers) for numbers in groups):
                yield attribute, "lost-by-addition" if rule.effect is Effect.ALLOW else "escaped-by-omission"


def _is_hazardous(sets: RuleSets, rule: AuthzRule, attribute: Attribute, numbers: list[int]) -> bool:
    matches = sets.matches[rule.id]
    for number in numbers:
        without = sets.requests[number]
        is_loser = number in matches if rule.effect is Effect.ALLOW else number not in matches and without.is_allowed
        if is_loser and any(
            (other in matches) == (rule.effect is Effect.DENY) and _has_more(sets.requests[other], without, attribute)
            for other in numbers
        ):
            return True
    return False


def _has_more(one: Judged, other: Judged, attribute: Attribute) -> bool:
    match attribute:
        case SourceIdentity():
            return one.facts.identity is not None and other.facts.identity is None
        case TokenIssuer():
            return one.request.token is not None and other.request.token is None
        case _:
            return set(one.facts.values(attribute) or ()) >= set(other.facts.values(attribute) or ())


def _groups(sets: RuleSets, attribute: Attribute) -> _GROUPS:
    """The numbers of the requests to each port that are alike but for one attribute."""
    found = sets.groups.get(attribute)
    if found is None:
        found = sets.groups[attribute] = {}
        for number, one in enumerate(sets.requests):
            found.setdefault((one.key, _masked(one.request, attribute)), []).append(number)
    return found


def _masked(request: Request, attribute: Attribute) -> Request:  # noqa: C901, PLR0912  one case an attribute
    """The request without the attribute; a call counts as the plain request that it is."""
    is_tcp = request.protocol is RequestProtocol.TCP
    plain = request if is_tcp else replace(request, protocol=RequestProtocol.HTTP)
    match attribute:
        case SourceIdentity():
            return replace(plain, source=Peer(None, request.source.ip), client_ip=None)
        case SourceIp():
            return replace(plain, source=Peer(request.source.identity))
        case ClientIp():
            return replace(plain, client_ip=None)
        case Method():
            return replace(plain, method=None)
        case Path():
            return replace(plain, path=None if request.path is None else request.path.partition("?")[2])
        case Query(name):
            return replace(plain, path=None if request.path is None else _without_query(request.path, name))
        case Header(name):
            return replace(plain, headers=tuple(pair for pair in request.headers if pair[0] != name))
        case Host() | RawAuthority():
            return replace(plain, host=None)
        case Sni():
            return replace(plain, sni=None)
        case Claim(path) if request.token is not None:
            return replace(plain, token=Token(is_valid=True, claims=_without_claim(request.token.claims, path)))
        case Claim():
            return plain
        case TokenIssuer():
            return replace(plain, token=None)
        case _:
            raise AssertionError(attribute)


def _without_query(path: str, name: str) -> str:
    plain, _, query = path.partition("?")
    return plain + "?" + "&".join(pair for pair in query.split("&") if pair and pair.partition("=")[0] != name)


def _without_claim(claims: ClaimObject, path: tuple[str, ...]) -> ClaimObject:
    """The claims without the values at a path: those of an object at the same place are others."""
    found: list[tuple[str, ClaimValue]] = []
    for name, value in claims.members:
        if name != path[0]:
            found.append((name, value))
        elif isinstance(value, ClaimObject):
            rest = _without_claim(value, path[1:]) if len(path) > 1 else value
            if rest.members:
                found.append((name, rest))
        elif len(path) > 1:
            found.append((name, value))
    return ClaimObject(tuple(found))
