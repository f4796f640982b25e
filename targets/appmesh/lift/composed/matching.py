"""What a match asks of a request: certain where every Envoy that App Mesh ran agrees, and `Opaque` where they differ.

Source: App Mesh API reference, `HttpGatewayRouteMatch` and its like; Envoy's `route_components.proto`. Envoys before
CVE-2026-26308 was closed compare all lines of a repeated header as one text, later ones each; of a repeated query
parameter the first value alone counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.names import NOWHERE, Origin
from meshproof.compiler.ir.predicate import (
    Header,
    Host,
    JoinedHeader,
    Method,
    Never,
    Opaque,
    Path,
    Predicate,
    Query,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.patterns import pattern
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.targets.common.other_text import other_than

_ROOT = "/"
"""What every path begins with: to ask for it is to ask for nothing."""

_BY_LINE = Opaque("whether lines of a repeated header are compared one by one", NOWHERE)
"""One for all routes: a request is judged by one proxy, of one version."""


def condition_of(match: Any, kind: str, origin: Origin) -> Predicate:  # noqa: ANN401  of a route of any kind
    """When the match holds, but for the port. `kind` is that of the route."""
    if match is None:
        return conjunction(())
    return conjunction(tuple(_parts(match, kind, origin)))


def hosts_of(match: Any) -> Exact | Suffix | None:  # noqa: ANN401  of a route of any kind
    """Which hosts the match is about; None: all."""
    hostname = getattr(match, "hostname", None)
    if hostname is None:
        return None
    exact = hostname.exact
    return Suffix(lower_ascii(hostname.suffix or "")) if exact is None else Exact(lower_ascii(exact))


def _parts(match: Any, kind: str, origin: Origin) -> Iterator[Predicate]:  # noqa: ANN401
    method = getattr(match, "method", None)
    if method is not None:
        yield Test(Method(), Exact(method))
    yield from _path(match, origin)
    hosts = hosts_of(match)
    if hosts is not None:
        yield Test(Host(), hosts)
    if getattr(match, "scheme", None) is not None:
        yield Opaque("match.scheme", origin)
    if kind == "grpc":
        yield Opaque("whether the request is one of gRPC", origin)
    for one in (*(getattr(match, "headers", None) or ()), *(getattr(match, "metadata", None) or ())):
        yield _header(one, origin)
    for one in getattr(match, "query_parameters", None) or ():
        yield _query(one, origin)


def _path(match: Any, origin: Origin) -> Iterator[Predicate]:  # noqa: ANN401
    prefix, path = getattr(match, "prefix", None), getattr(match, "path", None)
    service, method = getattr(match, "service_name", None), getattr(match, "method_name", None)
    if prefix is not None and prefix != _ROOT:
        yield Test(Path(), Prefix(prefix))
    if path is not None and path.exact is not None:
        yield Test(Path(), Exact(path.exact))
    if path is not None and path.regex is not None:
        found = _expression(path.regex)
        yield Opaque("match.path.regex", origin) if found is None else Test(Path(), found)
    if service is not None:
        yield Test(Path(), Prefix(f"/{service}/") if method is None else Exact(f"/{service}/{method}"))


def _header(one: Any, origin: Origin) -> Predicate:  # noqa: ANN401
    """A header of one line is the same to all. An inverted comparison is not met by a header that is missing."""
    name = lower_ascii(one.name)
    field = f"match.headers[{name}]"
    if name.startswith(":"):
        return Opaque(field, origin)
    is_there = Test(Header(name), Present())
    if one.match is None:
        return negation(is_there) if one.invert else is_there
    matcher = _matcher(one.match)
    if matcher is None:
        return conjunction((is_there, Opaque(field, origin)))
    line, whole = Test(Header(name), matcher), Test(JoinedHeader(name), matcher)
    met = disjunction((conjunction((_BY_LINE, line)), conjunction((negation(_BY_LINE), whole))))
    return conjunction((is_there, negation(met))) if one.invert else met


def _query(one: Any, origin: Origin) -> Predicate:  # noqa: ANN401
    exact = None if one.match is None else one.match.exact
    if exact is None:
        return Test(Query(one.name), Present())
    some = Test(Query(one.name), Exact(exact))
    other = other_than(exact)
    only: Predicate = Never() if other is None else conjunction((some, negation(Test(Query(one.name), Regex(other)))))
    return _between(only, some, Opaque(f"match.queryParameters[{one.name}] of several values", origin))


def _between(certain: Predicate, possible: Predicate, unknown: Opaque) -> Predicate:
    """`certain` implies `possible`; between the two nobody knows."""
    return certain if certain == possible else disjunction((certain, conjunction((possible, unknown))))


def _matcher(match: Any) -> Matcher | None:  # noqa: ANN401
    if match.exact is not None:
        return Exact(match.exact)
    if match.prefix is not None:
        return Prefix(match.prefix)
    if match.suffix is not None:
        return Suffix(match.suffix)
    return None if match.regex is None else _expression(match.regex)


def _expression(text: str) -> Regex | None:
    """The expression, if it is one of RE2 that can be reasoned about."""
    try:
        pattern.check_regex(text)
    except (PatternRefused, PatternTooLarge):
        return None
    return Regex(text)
