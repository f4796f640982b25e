"""The conditions of a route as `match` blocks of a VirtualService."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix
from meshproof.compiler.ir.predicate import Header, Host, Method, Path, Query, Sni, SourceIdentity
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.targets.common.encoded import ENCODED, is_blind_to_escapes, takes_raw_root_alone, takes_root_alone
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.clauses import Clause, Literal, clauses
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.headers import JOINED, TAKEN_AWAY
from meshproof.targets.istio.identities import Domains
from meshproof.targets.istio.meets import are_apart, pattern_of, takes
from meshproof.targets.istio.paths import holds_dots

Match = dict[str, Value]

REGEX_MAX = 1024
"""Characters that the webhook takes in a regular expression."""

_NAMESPACE = re.compile(r"spiffe://([^/]+)/ns/([^/]+)/")


def matches(branch: Branch, context: Context) -> list[Match]:
    """The blocks of which some takes a request exactly if the branch does; an empty block takes every one.

    Raises `NotExpressibleError`.
    """
    return [block for clause in clauses(branch.condition) for block in _blocks(clause, branch, context)]


def _blocks(clause: Clause, branch: Branch, context: Context) -> Iterable[Match]:
    """The fields of a block are ANDed, and each has one value: several values become several blocks."""
    options = [list(_options(literal, branch, context)) for literal in clause]
    for chosen in product(*options):
        block: Match = {}
        for field, name, value in chosen:
            _put(block, field, name, value)
        yield block


def _put(block: Match, field: str, name: str | None, value: Value) -> None:
    if name is None:
        if block.setdefault(field, value) != value:
            raise NotExpressibleError(Feature.ROUTE_MATCH, f"two conditions on {_WORDS[field]} meet in one branch")
        return
    inner = block.setdefault(field, {})
    if isinstance(inner, dict) and inner.setdefault(name, value) != value:
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"two conditions on `{name}` meet in one branch")


_WORDS = {
    "uri": "the path",
    "sniHosts": "the server name",
    "method": "the method",
    "authority": "the host",
    "sourceNamespace": "the source",
}


def _options(literal: Literal, branch: Branch, context: Context) -> Iterable[tuple[str, str | None, Value]]:
    _tell_repeated(literal, branch, context)
    if not literal.is_positive:
        return _negated(literal)
    match literal.attribute:
        case Method():
            return [("method", None, string_match(one)) for one in literal.matchers]
        case Path():
            return [("uri", None, value) for one in literal.matchers for value in _paths(one, branch, context)]
        case Host():
            return [("authority", None, _authority(one)) for one in literal.matchers]
        case Header(name):
            return [("headers", name, string_match(one)) for one in literal.matchers]
        case Query(name):
            return [("queryParams", name, string_match(one)) for one in literal.matchers]
        case SourceIdentity():
            return [("sourceNamespace", None, _namespace(one, context.domains)) for one in literal.matchers]
        case Sni():
            return [("sniHosts", None, [_server_name(one)]) for one in literal.matchers]
        case other:
            raise NotExpressibleError(
                Feature.ROUTE_MATCH, f"a route cannot look at `{_attribute(other)}`", "let a rule look at it instead"
            )


def _server_name(matcher: Matcher) -> str:
    """The name as Istio has it: it is compared in lower case, and a pattern is for names below another."""
    match matcher:
        case Present():
            return "*"
        case Exact(name) if name == name.lower():
            return name
        case Suffix(name) if name == name.lower() and name.startswith("."):
            return f"*{name}"
        case _:
            raise NotExpressibleError(
                Feature.ROUTE_MATCH, "a server name is one in lower case, or all below one", "write the names out"
            )


def _tell_repeated(literal: Literal, branch: Branch, context: Context) -> None:
    """MP708 where Envoy looks at less than every value of a header or query parameter; MP701 where at none."""
    attribute, is_present = literal.attribute, Present() in literal.matchers
    if isinstance(attribute, Query) and not is_present:
        message = f"of a repeated query parameter `{attribute.name}` Envoy routes by the first value alone"
        context.findings.residual(branch.id, branch.origin, message)
    if isinstance(attribute, Header) and attribute.name in TAKEN_AWAY:
        name = attribute.name
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"Envoy takes the header `{name}` away before it routes")
    if isinstance(attribute, Header) and attribute.name in JOINED and not is_present:
        message = f"Envoy routes by the lines of a repeated `{attribute.name}` as one text, with commas between them"
        context.findings.residual(branch.id, branch.origin, message)


def refuse_other_hosts(branch: Branch, names: tuple[str, ...], node: str) -> None:
    """MP701, as `NotExpressibleError`, where a branch asks for hosts by which no sender's proxy knows the node."""
    for clause in clauses(branch.condition):
        for literal in clause:
            is_host = isinstance(literal.attribute, Host) and literal.is_positive
            if is_host and not any(takes(literal.matchers, name) for name in names):
                raise NotExpressibleError(
                    Feature.ROUTE_MATCH,
                    f"a sender's proxy knows `{node}` by its own names, and sends other hosts past its routes",
                    f"leave the host away, or use one of {', '.join(names)}",
                )


def refuse_hosts_without_answer(branch: Branch, gateway: Gateway) -> None:
    """MP701, as `NotExpressibleError`, where a branch asks for hosts by which the gateway answers nobody."""
    answered = tuple(_of_pattern(host) for host in gateway.hosts)
    for clause in clauses(branch.condition):
        asked = (one for one in clause if isinstance(one.attribute, Host) and one.is_positive)
        if any(are_apart(literal.matchers, answered) for literal in asked):
            raise NotExpressibleError(
                Feature.ROUTE_MATCH,
                f"`{gateway.name}` answers by {', '.join(gateway.hosts)} alone, so no such request comes to the branch",
                f"leave the branch away, or add the host to the `hosts` of `{gateway.name}`",
            )


def _of_pattern(host: str) -> Matcher:
    """The hosts that a gateway's `*`, `*.NAME` or `NAME` stands for."""
    if host == "*":
        return Present()
    return Suffix(host[1:], ignore_case=True) if host.startswith("*") else Exact(host, ignore_case=True)


def _attribute(attribute: object) -> str:
    return re.sub(r"(?<!^)([A-Z])", r".\1", type(attribute).__name__).lower()


def _negated(literal: Literal) -> list[tuple[str, str | None, Value]]:
    matchers = literal.matchers
    if isinstance(literal.attribute, Header):
        name = literal.attribute.name
        if Present() in matchers:
            return [("withoutHeaders", name, {})]
        if takes(matchers, ""):
            raise NotExpressibleError(Feature.EMPTY_VALUE, "it takes an absent header for an empty one")
        return [("withoutHeaders", name, string_match(matchers[0]) if len(matchers) == 1 else _either(matchers))]
    raise NotExpressibleError(
        Feature.ROUTE_NEGATION,
        f"a route cannot take what `{_attribute(literal.attribute)}` is not",
        "put a branch for what it is before this one: the first that matches is taken",
    )


def _either(matchers: tuple[Matcher, ...]) -> Value:
    return _regex("|".join(f"(?:{regex_of(one)})" for one in matchers))


def string_match(matcher: Matcher) -> Value:
    """A `StringMatch`; the empty one takes every value."""
    match matcher:
        case Present():
            return {}
        case Exact(value):
            return {"exact": value}
        case Prefix(value):
            return {"prefix": value} if value else {}
        case _:
            return _regex(regex_of(matcher))


def regex_of(matcher: Matcher) -> str:
    """An RE2 expression that takes the same values as a whole."""
    match matcher:
        case Present():
            return r"(?s:.*)"
        case Exact(value):
            return re.escape(value)
        case Prefix(value):
            return rf"{re.escape(value)}(?s:.*)"
        case Suffix(value):
            return rf"(?s:.*){re.escape(value)}"
        case Regex(pattern):
            return pattern
        case Segments(pattern):
            return segments_regex(pattern)
        case _:
            raise NotExpressibleError(Feature.ROUTE_MATCH, "it is compared with a pattern of another kind")


def segments_regex(pattern: str) -> str:
    """A pattern of segments as an RE2 expression for the whole path."""
    parsed = parse_segments(pattern)
    start = "".join("/[^/]+" if one is None else f"/{re.escape(one)}" for one in parsed.segments)
    if not parsed.has_rest:
        return start
    return f"{start}(?:/.*)?" if start else "/.*"


def _paths(matcher: Matcher, branch: Branch, context: Context) -> list[Value]:
    """The values that take the paths of the matcher, among them the raw path `//` where it takes `/`."""
    if not isinstance(matcher, Regex) and holds_dots(_text(matcher)):
        raise NotExpressibleError(Feature.ROUTE_MATCH, "Envoy removes segments that begin with `.;` or `..;`")
    found = _plain_paths(matcher)
    language = to_automaton(pattern_of(matcher))
    if not is_blind_to_escapes(language):
        if not isinstance(matcher, Regex):
            raise NotExpressibleError(
                Feature.ROUTE_MATCH, "it cannot tell a character of the path from its escape: Envoy encodes it first"
            )
        message = f"paths with one of {ENCODED} are matched by `{branch.id}` as they are once those are escaped"
        context.findings.residual(branch.id, branch.origin, message)
    if context.options.path_normalization.merges_slashes:
        if takes_root_alone(language):
            found.append({"exact": "//"})
        if takes_raw_root_alone(language):
            message = f"`{branch.id}` takes the raw path `//`, which is `/` elsewhere"
            context.findings.residual(branch.id, branch.origin, message)
    return found


def _text(matcher: Matcher) -> str:
    match matcher:
        case Exact(text) | Prefix(text) | Suffix(text) | Segments(text):
            return text
        case _:
            return ""


def _plain_paths(matcher: Matcher) -> list[Value]:
    if not isinstance(matcher, Segments):
        return [string_match(matcher)]
    parsed = parse_segments(matcher.pattern)
    if None in parsed.segments:
        return [_regex(segments_regex(matcher.pattern))]
    start = "".join(f"/{one}" for one in parsed.segments)
    if not parsed.has_rest:
        return [{"exact": start}]
    return [{"exact": start}, {"prefix": f"{start}/"}] if start else [{"prefix": "/"}]


def _authority(matcher: Matcher) -> Value:
    """The host as it comes may carry a port and a last dot, in any case of letters."""
    return _regex(rf"(?i:{regex_of(matcher)})\.?(?::[0-9]*)?")


def _namespace(matcher: Matcher, domains: Domains) -> str:
    found = _NAMESPACE.fullmatch(matcher.value) if isinstance(matcher, Prefix) else None
    if found is None or found[1] != domains.own:
        raise NotExpressibleError(Feature.ROUTE_MATCH, "a route tells senders apart by namespace alone")
    return found[2]


def _regex(pattern: str) -> Value:
    if len(pattern) > REGEX_MAX:
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"an expression is longer than {REGEX_MAX} characters")
    return {"regex": pattern}
