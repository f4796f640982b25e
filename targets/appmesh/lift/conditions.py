"""What matches of routes ask of a request, as App Mesh's proxies ask it.

Source: App Mesh API reference (`HttpGatewayRouteMatch`, `HttpRouteMatch` and theirs for gRPC), and Envoy's
`route_components.proto` for what the proxies do with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    Attribute,
    Header,
    Host,
    Method,
    Opaque,
    Path,
    Predicate,
    Query,
    Test,
    conjunction,
    negation,
)
from meshproof.compiler.patterns import pattern
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge


@dataclass(frozen=True, slots=True)
class Asked:
    """What a match asks, in the parts of a branch."""

    host: Matcher | None
    methods: tuple[str, ...]
    path: Matcher | None
    when: Predicate

    @property
    def condition(self) -> Predicate:
        """All of it."""
        parts = (
            () if self.host is None else (Test(Host(), self.host),),
            tuple(Test(Method(), Exact(method)) for method in self.methods),
            () if self.path is None else (Test(Path(), self.path),),
            (self.when,),
        )
        return conjunction(tuple(part for group in parts for part in group))


ANYTHING = Asked(None, (), None, Always())


def asked(match: Any, origin: Origin) -> Asked:  # noqa: ANN401  of a gateway route or a route, of any kind
    """What the match of an HTTP, HTTP/2 or gRPC route asks, but for the port."""
    if match is None:
        return ANYTHING
    path = _path(match, origin)
    when = tuple(_conditions(match, origin))
    method = getattr(match, "method", None)
    return Asked(
        host=_host(getattr(match, "hostname", None)),
        methods=() if method is None else (method,),
        path=None if isinstance(path, Opaque) else path,
        when=conjunction((*((path,) if isinstance(path, Opaque) else ()), *when)),
    )


def _path(match: Any, origin: Origin) -> Matcher | Opaque | None:  # noqa: ANN401
    """A prefix is one of characters, not of segments. A service of gRPC is the first segment of the path."""
    prefix, path = getattr(match, "prefix", None), getattr(match, "path", None)
    if prefix is not None:
        return Prefix(prefix)
    if path is not None:
        return Exact(path.exact) if path.exact is not None else _expression(path.regex, "match.path.regex", origin)
    service, method = getattr(match, "service_name", None), getattr(match, "method_name", None)
    if service is not None:
        return Prefix(f"/{service}/") if method is None else Exact(f"/{service}/{method}")
    return None


def _host(hostname: Any) -> Matcher | None:  # noqa: ANN401
    if hostname is None:
        return None
    if hostname.exact is not None:
        return Exact(lower_ascii(hostname.exact))
    return Suffix(lower_ascii(hostname.suffix or ""))


def _conditions(match: Any, origin: Origin) -> Iterator[Predicate]:  # noqa: ANN401
    if getattr(match, "scheme", None) is not None:
        yield Opaque("match.scheme", origin)
    for one in (*(getattr(match, "headers", None) or ()), *(getattr(match, "metadata", None) or ())):
        yield _header(one, origin)
    for one in getattr(match, "query_parameters", None) or ():
        exact = None if one.match is None else one.match.exact
        yield Test(Query(one.name), Present() if exact is None else Exact(exact))


def _header(one: Any, origin: Origin) -> Predicate:  # noqa: ANN401
    """An inverted comparison is not met by a header that is missing; an inverted presence is its absence."""
    name = lower_ascii(one.name)
    if name.startswith(":"):
        return Opaque(f"match.headers[{name}]", origin)
    attribute: Attribute = Header(name)
    matcher = _matcher(one.match, f"match.headers[{name}]", origin)
    if isinstance(matcher, Opaque):
        return matcher
    met = Test(attribute, matcher)
    if not one.invert:
        return met
    if isinstance(matcher, Present):
        return negation(met)
    return conjunction((Test(attribute, Present()), negation(met)))


def _matcher(match: Any, field: str, origin: Origin) -> Matcher | Opaque:  # noqa: ANN401
    if match is None:
        return Present()
    if match.exact is not None:
        return Exact(match.exact)
    if match.prefix is not None:
        return Prefix(match.prefix)
    if match.suffix is not None:
        return Suffix(match.suffix)
    if match.regex is not None:
        return _expression(match.regex, f"{field}.regex", origin)
    return Opaque(f"{field}.range", origin)


def _expression(text: str, field: str, origin: Origin) -> Matcher | Opaque:
    """The expression, if it is one of RE2 that can be reasoned about."""
    try:
        pattern.check_regex(text)
    except (PatternRefused, PatternTooLarge):
        return Opaque(field, origin)
    return Regex(text)
