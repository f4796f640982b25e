"""Matches and filters of HTTPRoute and GRPCRoute (pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Segments
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    Attribute,
    Method,
    Opaque,
    Path,
    Predicate,
    Query,
    Test,
    conjunction,
    disjunction,
)
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.header_lines import header_of, is_seen
from meshproof.targets.istio.lift.route_conditions import expression
from meshproof.targets.istio.lift.route_model import Match
from meshproof.targets.istio.lift.values import mapping, mappings, origin_of, text

_SPECIAL = frozenset("*{}")
_EXACT, _PREFIX, _REGEX, _NO_PATH = range(4)


@dataclass(frozen=True, slots=True)
class RankedMatch:
    """A match, and its place among others: exact before prefix before expression, the longer path first, and so on."""

    match: Match
    rank: tuple[int, ...]


def http_matches(rule: MapNode, *, has_joined_headers: bool) -> tuple[RankedMatch, ...]:
    """The matches of a rule of an HTTPRoute; none is every path."""
    written = mappings(rule.get("matches")) or (MapNode((), rule.span),)
    return tuple(_http_match(one, has_joined_headers=has_joined_headers) for one in written)


def grpc_matches(rule: MapNode, *, has_joined_headers: bool) -> tuple[RankedMatch, ...]:
    """The matches of a rule of a GRPCRoute: the method is a path."""
    written = mappings(rule.get("matches")) or (MapNode((), rule.span),)
    return tuple(_grpc_match(one, has_joined_headers=has_joined_headers) for one in written)


def _http_match(one: MapNode, *, has_joined_headers: bool) -> RankedMatch:
    path = mapping(one.get("path"))
    value = text(path.get("value")) or "/"
    kind = text(path.get("type")) or "PathPrefix"
    test, matcher, order = _path(kind, value, origin_of(one))
    method = text(one.get("method"))
    asked = [test, Always() if method is None else Test(Method(), Exact(method))]
    headers = tuple(_headers(one, has_joined_headers=has_joined_headers))
    query = tuple(_valued(Query(text(found.get("name")) or ""), found) for found in mappings(one.get("queryParams")))
    length = len(value.rstrip("/") or "/") if kind == "PathPrefix" else len(value)
    rank = (order, -length, -int(method is not None), -len(headers), -len(query))
    match = Match(conjunction((*asked, *headers, *query)), matcher, origin_of(one))
    return RankedMatch(match, rank)


def _path(kind: str, value: str, origin: Origin) -> tuple[Predicate, Matcher | None, int]:
    """What is asked of the path, the path as rewrites see it, and the place among kinds."""
    if kind == "Exact":
        return Test(Path(), Exact(value)), Exact(value), _EXACT
    if kind == "RegularExpression":
        found = expression(value, origin)
        if isinstance(found, Opaque):
            return found, None, _REGEX
        return Test(Path(), found), found, _REGEX
    start = value.rstrip("/")
    if not start:
        return Always(), Segments("/**"), _PREFIX
    if _SPECIAL & set(start):
        both = disjunction((Test(Path(), Exact(start)), Test(Path(), Prefix(f"{start}/"))))
        return both, Prefix(start), _PREFIX
    below = Segments(f"{start}/**")
    return Test(Path(), below), below, _PREFIX


def _grpc_match(one: MapNode, *, has_joined_headers: bool) -> RankedMatch:
    method = mapping(one.get("method"))
    service, name = text(method.get("service")), text(method.get("method"))
    headers = tuple(_headers(one, has_joined_headers=has_joined_headers))
    test, order, length = _grpc_path(method, service, name)
    match = Match(conjunction((test, *headers)), None, origin_of(one))
    return RankedMatch(match, (order, -length, 0, -len(headers), 0))


def _grpc_path(method: MapNode, service: str | None, name: str | None) -> tuple[Predicate, int, int]:
    """`/SERVICE/METHOD`: where one of them is left out any stands for it, and the path becomes an expression."""
    if service is None and name is None:
        return Always(), _NO_PATH, 0
    is_expression = text(method.get("type")) == "RegularExpression"
    if is_expression or name is None or service is None:
        if not is_expression and service is not None:
            # A service alone is all below it.
            return Test(Path(), Prefix(f"/{service}/")), _PREFIX, len(service) + 2
        quoted = (service, name) if is_expression else (service, None if name is None else re.escape(name))
        value = f"/{quoted[0] or '[^/]+'}/{quoted[1] or '[^/]+'}"
        found = expression(value, origin_of(method))
        return found if isinstance(found, Opaque) else Test(Path(), found), _REGEX, len(value)
    value = f"/{service}/{name}"
    return Test(Path(), Exact(value)), _EXACT, len(value)


def _headers(one: MapNode, *, has_joined_headers: bool) -> Iterator[Predicate]:
    for found in mappings(one.get("headers")):
        name = lower_ascii(text(found.get("name")) or "")
        if is_seen(name):
            yield _valued(header_of(name, has_joined_headers=has_joined_headers), found)
        else:
            yield Opaque(f"match.headers[{name}]", origin_of(found))


def _valued(attribute: Attribute, one: MapNode) -> Predicate:
    value = text(one.get("value")) or ""
    if text(one.get("type")) != "RegularExpression":
        return Test(attribute, Exact(value))
    found = expression(value, origin_of(one))
    return found if isinstance(found, Opaque) else Test(attribute, found)


def whole_path() -> Matcher:
    """The path as a rewrite sees it that replaces all of it."""
    return Regex(".*")
