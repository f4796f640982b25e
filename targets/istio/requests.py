"""What a rule asks of a request, as `to[].operation` and `when[]` blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.predicate import (
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Path,
    Query,
    RawAuthority,
    Sni,
    SourceIp,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    disjunction,
)
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.clauses import Clause, Literal
from meshproof.targets.istio.headers import JOINED, METHODS, TAKEN_AWAY, WRITTEN
from meshproof.targets.istio.meets import Matchers, meet, without
from meshproof.targets.istio.model import Condition, Operation
from meshproof.targets.istio.options import HeaderValues
from meshproof.targets.istio.paths import BRACKETS, Kind, PathValue, closed, path_values, with_raw_root
from meshproof.targets.istio.speaker import Speaker
from meshproof.targets.istio.strings import STAR, string_pattern

OPERATION_ATTRIBUTES = (Method, Path, Host, RawAuthority)
"""What stands in `to`; everything else but the identity stands in `when`."""

EVERY: Matchers = (Present(),)

HAS_BRACKETS = Test(Path(), Regex(r".*[\[\]].*"))
"""What templates miss."""

HAS_MORE_THAN_A_HOST = Test(RawAuthority(), Regex(r".*(?:\.|:[0-9]*)"))
"""An authority in which a port stands behind the host, or a last dot."""

TOKEN_ATTRIBUTES = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the operations of a rule are to be written.

    `is_closed`: without the paths that a template misses. `merges_slashes`: the proxies of the mesh do.
    """

    speaker: Speaker
    header_values: HeaderValues = HeaderValues.EACH
    is_closed: bool = False
    merges_slashes: bool = False


def operation(clause: Clause, ports: tuple[int, ...], shape: Shape) -> Operation | None:
    """The block for the literals of a clause that speak of method, path and host; None if nothing passes them all.

    Raises `NotExpressibleError`.
    """
    methods, not_methods = _methods(clause)
    if methods == ():
        return None
    _tell_methods(methods or (), shape.speaker)
    hosts, not_hosts = _hosts(clause, shape.speaker)
    paths = _paths(clause)
    if paths is None:
        return None
    values, not_values = paths
    if shape.merges_slashes:
        values, not_values = with_raw_root(values), with_raw_root(not_values) or ()
    _tell_templates(values, not_values, shape.speaker)
    if shape.is_closed or (_is_allow(shape) and any(value.kind is Kind.TEMPLATE for value in not_values)):
        values = _close(values, shape.speaker)
    return Operation(
        methods=methods or (),
        not_methods=not_methods,
        hosts=hosts,
        not_hosts=not_hosts,
        paths=() if values is None else tuple(value.written for value in values),
        not_paths=tuple(value.written for value in not_values),
        ports=tuple(str(port) for port in ports),
    )


def _close(values: tuple[PathValue, ...] | None, speaker: Speaker) -> tuple[PathValue, ...]:
    kept = closed(values)
    if kept != values:
        speaker.narrowed(Feature.PATH_SEGMENTS, BRACKETS, is_positive=True, region=HAS_BRACKETS)
    return kept


def _is_allow(shape: Shape) -> bool:
    return shape.speaker.effect == "allow"


def _literals(clause: Clause, *kinds: type) -> tuple[tuple[Literal, ...], tuple[Matcher, ...]]:
    """The positive literals of these attributes, and the matchers of the negated ones."""
    chosen = [literal for literal in clause if isinstance(literal.attribute, kinds)]
    positive = tuple(literal for literal in chosen if literal.is_positive)
    return positive, tuple(matcher for literal in chosen if not literal.is_positive for matcher in literal.matchers)


def _methods(clause: Clause) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The values of `methods` (None: any) and `notMethods`."""
    positive, negative = _literals(clause, Method)
    refused = tuple(string_pattern(matcher, "the method", Feature.METHOD_REGEX) for matcher in negative)
    if not positive:
        return None, refused
    options = [
        tuple(string_pattern(one, "the method", Feature.METHOD_REGEX) for one in lit.matchers) for lit in positive
    ]
    taken = _intersection(options, Feature.METHOD_REGEX)
    if any(STAR in value for value in (*taken, *refused)):
        return taken, refused
    return tuple(value for value in taken if value not in refused), ()


def _tell_methods(methods: tuple[str, ...], speaker: Speaker) -> None:
    """What Envoy refuses by itself no deny has to match, and no allow lets in."""
    for method in methods:
        if speaker.effect == "allow" and STAR not in method and method not in METHODS:
            message = f"over HTTP/1.1 Envoy answers 400 to the method `{method}`, which it does not know"
            speaker.narrowed(Feature.METHOD, message, is_positive=True, region=Test(Method(), Exact(method)))


def _intersection(options: list[tuple[str, ...]], feature: Feature) -> tuple[str, ...]:
    """The values in every list; with wildcards only where the lists are the same."""
    distinct = list(dict.fromkeys(options))
    if len(distinct) == 1:
        return distinct[0]
    if any(STAR in value for values in distinct for value in values):
        raise NotExpressibleError(feature, "two conditions on one attribute meet, and a block has one list of values")
    return tuple(value for value in distinct[0] if all(value in other for other in distinct[1:]))


def _hosts(clause: Clause, speaker: Speaker) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values of `hosts` and `notHosts`."""
    positive, negative = _literals(clause, Host, RawAuthority)
    refused = tuple(value for one in negative for value in _authorities(one, speaker, is_positive=False))
    options = [
        tuple(v for one in lit.matchers for v in _authorities(one, speaker, is_positive=True)) for lit in positive
    ]
    if not options:
        return (), refused
    if len(set(options)) > 1:
        raise NotExpressibleError(Feature.HOST, "two conditions on the host meet, and a block has one list of hosts")
    return options[0], refused


def _authorities(matcher: Matcher, speaker: Speaker, *, is_positive: bool) -> tuple[str, ...]:
    """The values that take a host with and without a last dot and a port: Istio compares `:authority` as it comes."""
    pattern = string_pattern(matcher, "the host", Feature.HOST)
    match matcher:
        case Exact(value):
            return (value, f"{value}:*", f"{value}.", f"{value}.:*")
        case Suffix():
            message = "a host by its end is compared with the port that a client may write after it"
            speaker.narrowed(Feature.HOST, message, is_positive=is_positive, region=HAS_MORE_THAN_A_HOST)
            return (pattern,)
        case Prefix(value) if value.endswith((".", ":")):
            message = f"`{pattern}` also takes the host that ends there"
            region = Test(RawAuthority(), Regex(rf"(?i:{re.escape(value)}):?[0-9]*"))
            speaker.widened(Feature.HOST, message, is_positive=is_positive, region=region)
            return (pattern,)
        case _:
            return (pattern,)


def _paths(clause: Clause) -> tuple[tuple[PathValue, ...] | None, tuple[PathValue, ...]] | None:
    """The values of `paths` (None: every path) and `notPaths`; None where no path is left."""
    positive, negative = _literals(clause, Path)
    taken, refused = without(reduce(meet, (literal.matchers for literal in positive), EVERY), negative)
    not_values = path_values(refused)
    if not taken or not_values is None:
        return None
    return path_values(taken), not_values


def _tell_templates(values: tuple[PathValue, ...] | None, refused: Iterable[PathValue], speaker: Speaker) -> None:
    """An allow by template refuses paths with brackets; what a deny by template misses, closed allows refuse."""
    if speaker.effect == "allow" and any(map(_misses_some, values or ())):
        speaker.narrowed(Feature.PATH_SEGMENTS, BRACKETS, is_positive=True, region=HAS_BRACKETS)
    if speaker.effect != "allow" and any(map(_misses_some, refused)):
        speaker.narrowed(Feature.PATH_SEGMENTS, BRACKETS, is_positive=False, region=HAS_BRACKETS)


def _misses_some(value: PathValue) -> bool:
    return value.kind is Kind.TEMPLATE and not value.is_exact


def conditions(clause: Clause, shape: Shape) -> tuple[Condition, ...]:
    """The `when` blocks for the literals that are neither identities nor part of an operation.

    Raises `NotExpressibleError`.
    """
    return tuple(_condition(one, shape) for one in clause if not isinstance(one.attribute, OPERATION_ATTRIBUTES))


def _condition(literal: Literal, shape: Shape) -> Condition:
    key, what, feature = _key(literal)
    if isinstance(literal.attribute, SourceIp | ClientIp):
        values = tuple(_address(matcher) for matcher in literal.matchers)
    else:
        values = tuple(string_pattern(matcher, what, feature) for matcher in literal.matchers)
    _tell_condition(literal, shape)
    return Condition(key, values) if literal.is_positive else Condition(key, (), values)


def _address(matcher: Matcher) -> str:
    text = getattr(matcher, "network", None) or getattr(matcher, "value", None)
    if not isinstance(text, str):
        raise NotExpressibleError(Feature.SOURCE_ADDRESS, "an address is compared with a block or an address")
    return text


def _key(literal: Literal) -> tuple[str, str, Feature]:
    match literal.attribute:
        case SourceIp():
            return "source.ip", "the address", Feature.SOURCE_ADDRESS
        case ClientIp():
            return "remote.ip", "the address", Feature.CLIENT_ADDRESS
        case Sni():
            return "connection.sni", "the server name", Feature.SNI
        case Header(name):
            _refuse_own_headers(name)
            return f"request.headers[{name}]", f"the header `{name}`", Feature.HEADER_REGEX
        case TokenIssuer():
            return "request.auth.claims[iss]", "the issuer", Feature.TOKEN
        case TokenSubject():
            return "request.auth.claims[sub]", "the subject", Feature.TOKEN
        case TokenAudience():
            return "request.auth.audiences", "the audience", Feature.TOKEN
        case TokenPresenter():
            return "request.auth.presenter", "the presenter", Feature.TOKEN
        case Claim(path):
            if any(set("[]") & set(part) or not part for part in path):
                raise NotExpressibleError(Feature.CLAIM, "a claim's name that is empty or holds a bracket has no key")
            return "request.auth.claims" + "".join(f"[{part}]" for part in path), "a claim", Feature.CLAIM
        case Query(name):
            raise NotExpressibleError(
                Feature.QUERY,
                f"an AuthorizationPolicy cannot look at the query parameter `{name}`",
                "`ask` an authorizer that can",
            )
        case other:
            raise NotExpressibleError(Feature.FOREIGN_FILES, f"`{type(other).__name__}` has no key")


def _refuse_own_headers(name: str) -> None:
    if name in TAKEN_AWAY:
        raise NotExpressibleError(Feature.HEADER, f"Envoy takes the header `{name}` away before a policy looks at it")
    if name in WRITTEN:
        raise NotExpressibleError(Feature.HEADER, f"Envoy writes the header `{name}` itself")


def _tell_condition(literal: Literal, shape: Shape) -> None:
    attribute, speaker = literal.attribute, shape.speaker
    is_present = any(isinstance(matcher, Present) for matcher in literal.matchers)
    if is_present and isinstance(attribute, TOKEN_ATTRIBUTES) and not isinstance(attribute, TokenIssuer):
        message = "`has` of a claim is false for the empty string, and for text with line breaks"
        region = disjunction((Test(attribute, Exact("")), Test(attribute, Regex(r"(?s).*\n.*"))))
        speaker.narrowed(Feature.CLAIM, message, is_positive=literal.is_positive, region=region)
    if not isinstance(attribute, Header) or is_present:
        return
    if shape.header_values is HeaderValues.EACH and attribute.name not in JOINED:
        return
    message = f"Envoy compares the lines of a repeated `{attribute.name}` as one text, with commas between them"
    name, has = attribute.name, Test(attribute, Present())
    speaker.narrowed(Feature.HEADER, message, is_positive=literal.is_positive, region=has, repeated=name)
    if any("," in getattr(matcher, "value", "") for matcher in literal.matchers):
        speaker.widened(Feature.HEADER, message, is_positive=literal.is_positive, region=has, repeated=name)
