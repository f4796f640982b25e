"""Conditions of a route of the policy as matches of App Mesh: each takes a part, and together they take all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix
from meshproof.compiler.ir.predicate import Always, And, Attribute, Header, Not, Or, Predicate, Query, Test
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.targets.appmesh.model.route import (
    GrpcRouteMatch,
    GrpcRouteMetadata,
    GrpcRouteMetadataMatchMethod,
    HttpRouteHeader,
    HttpRouteMatch,
)
from meshproof.targets.appmesh.model.shared import (
    HeaderMatchMethod,
    HttpPathMatch,
    HttpQueryParameter,
    QueryParameterMatch,
)
from meshproof.targets.common.findings import NotExpressibleError

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
_MOST_TEXT = 255
_MOST_NAME = 50
_MOST_TESTS = 10
_MOST_MATCHES = 20


@dataclass(frozen=True, slots=True)
class Literal:
    """A test, or that it is not passed."""

    attribute: Attribute
    matcher: Matcher
    is_positive: bool


Clause = tuple[Literal, ...]


def http_matches(branch: Branch, port: int) -> tuple[HttpRouteMatch, ...]:
    """The matches of HTTP and HTTP/2. Raises `NotExpressibleError`."""
    _no_host(branch)
    found = []
    for method in branch.methods or (None,):
        if method is not None and method not in _METHODS:
            raise NotExpressibleError(Feature.ROUTE_MATCH, f"its routes know no method `{method}`")
        for clause in _clauses(branch.when):
            path, prefix = _path(branch.path)
            headers = tuple(_header(one) for one in clause if isinstance(one.attribute, Header))
            asked = tuple(_query(one) for one in clause if isinstance(one.attribute, Query))
            _count(headers, asked)
            found.append(HttpRouteMatch(headers or None, method, path, port, prefix, asked or None))
    return tuple(found)


def grpc_matches(branch: Branch, port: int) -> tuple[GrpcRouteMatch, ...]:
    """The matches of gRPC, whose methods are paths, always with POST. Raises `NotExpressibleError`."""
    _no_host(branch)
    service = method = None
    if branch.methods and "POST" not in branch.methods:
        raise NotExpressibleError(Feature.ROUTE_MATCH, "all calls of gRPC are POST", "leave the methods out")
    if branch.path is not None:
        words = branch.path.value.split("/") if isinstance(branch.path, Exact) else ()
        if len(words) != 3 or words[0] or not all(words[1:]) or len(words[2]) > _MOST_NAME:  # noqa: PLR2004  /service/method
            raise NotExpressibleError(Feature.ROUTE_MATCH, "a path of gRPC is a service and one method of at most 50")
        _, service, method = words
    found = []
    for clause in _clauses(branch.when):
        metadata = tuple(_metadata(one) for one in clause)
        _count(metadata)
        found.append(GrpcRouteMatch(metadata or None, method, port, service))
    return tuple(found)


def compared_queries(predicate: Predicate) -> Iterator[Test]:
    """Each test that compares a query parameter with a value: of a repeated one Envoy looks at the first alone."""
    match predicate:
        case Test(Query(), matcher) if matcher != Present():
            yield predicate
        case Not(operand):
            yield from compared_queries(operand)
        case And(operands) | Or(operands):
            for one in operands:
                yield from compared_queries(one)
        case _:
            return


def _no_host(branch: Branch) -> None:
    if branch.host is not None:
        raise NotExpressibleError(Feature.ROUTE_MATCH, "its routes do not look at the host", "leave the host out")


def _count(*groups: tuple[object, ...]) -> None:
    if any(len(group) > _MOST_TESTS for group in groups):
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"a match holds {_MOST_TESTS} tests at most")


def _clauses(predicate: Predicate) -> tuple[Clause, ...]:
    """The predicate as alternatives. Raises `NotExpressibleError`."""
    found = tuple(_alternatives(predicate, is_positive=True))
    if len(found) > _MOST_MATCHES:
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"it would need {len(found)} routes", "say it more simply")
    return found


def _alternatives(predicate: Predicate, *, is_positive: bool) -> Iterator[Clause]:
    match predicate:
        case Always() if is_positive:
            yield ()
        case Test(attribute, matcher):
            yield from _test(attribute, matcher, is_positive=is_positive)
        case Not(operand):
            yield from _alternatives(operand, is_positive=not is_positive)
        case And(operands) | Or(operands):
            parts = [tuple(_alternatives(one, is_positive=is_positive)) for one in operands]
            if isinstance(predicate, And) is is_positive:
                yield from (tuple(one for part in chosen for one in part) for chosen in product(*parts))
            else:
                yield from (one for part in parts for one in part)
        case _:
            return


def _test(attribute: Attribute, matcher: Matcher, *, is_positive: bool) -> Iterator[Clause]:
    """A comparison that is not passed is one of two: with another value, or without any (Envoy, `invert_match`)."""
    if not isinstance(attribute, Header | Query):
        raise NotExpressibleError(Feature.ROUTE_MATCH, "its routes look at headers and query parameters alone")
    yield (Literal(attribute, matcher, is_positive),)
    if not is_positive and matcher != Present():
        yield (Literal(attribute, Present(), is_positive=False),)


def _path(matcher: Matcher | None) -> tuple[HttpPathMatch | None, str | None]:
    match matcher:
        case None:
            return None, "/"
        case Exact(value, False) if len(value) <= _MOST_TEXT:
            return HttpPathMatch(exact=value), None
        case Prefix(value, False) if value.startswith("/"):
            return None, value
        case Segments(text):
            return HttpPathMatch(regex=_short(segments_regex(text))), None
        case Regex(text):
            return HttpPathMatch(regex=_short(text)), None
        case _:
            raise NotExpressibleError(Feature.ROUTE_MATCH, "its routes cannot compare the path in this way")


def segments_regex(pattern: str) -> str:
    """A pattern of segments as an RE2 expression for the whole path; `prefix` would take `/rawdata` for `/raw/**`."""
    parsed = parse_segments(pattern)
    start = "".join("/[^/]+" if one is None else f"/{re.escape(one)}" for one in parsed.segments)
    if not parsed.has_rest:
        return start
    return f"{start}(/.*)?" if start else "/.*"


def _short(text: str) -> str:
    if len(text) > _MOST_TEXT:
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"a pattern has {_MOST_TEXT} characters at most")
    return text


def _header(one: Literal) -> HttpRouteHeader:
    assert isinstance(one.attribute, Header)
    invert = None if one.is_positive else True
    how = _compared(one)
    found = None if how is None else HeaderMatchMethod(how.exact, how.prefix, None, how.regex, how.suffix)
    return HttpRouteHeader(_name(one.attribute.name), invert, found)


def _metadata(one: Literal) -> GrpcRouteMetadata:
    if not isinstance(one.attribute, Header):
        raise NotExpressibleError(Feature.ROUTE_MATCH, "routes of gRPC look at no query parameters")
    invert = None if one.is_positive else True
    how = _compared(one)
    found = None if how is None else GrpcRouteMetadataMatchMethod(how.exact, how.prefix, None, how.regex, how.suffix)
    return GrpcRouteMetadata(_name(one.attribute.name), invert, found)


@dataclass(frozen=True, slots=True)
class _How:
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    regex: str | None = None


def _compared(one: Literal) -> _How | None:
    match one.matcher:
        case Present():
            return None
        case Exact(value, False) if value:
            return _How(exact=_short(value))
        case Prefix(value, False) if value:
            return _How(prefix=_short(value))
        case Suffix(value, False) if value:
            return _How(suffix=_short(value))
        case Regex(text):
            return _How(regex=_short(text))
        case _:
            raise NotExpressibleError(Feature.ROUTE_MATCH, "its routes cannot compare a header in this way")


def _query(one: Literal) -> HttpQueryParameter:
    assert isinstance(one.attribute, Query)
    if one.is_positive and isinstance(one.matcher, Present):
        return HttpQueryParameter(one.attribute.name)
    if one.is_positive and isinstance(one.matcher, Exact) and not one.matcher.ignore_case:
        return HttpQueryParameter(one.attribute.name, QueryParameterMatch(one.matcher.value))
    raise NotExpressibleError(Feature.ROUTE_MATCH, "its routes compare a query parameter with one value")


def _name(name: str) -> str:
    if len(name) > _MOST_NAME or name.startswith(":"):
        raise NotExpressibleError(Feature.ROUTE_MATCH, f"its routes cannot name the header `{name}`")
    return name
