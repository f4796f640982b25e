"""From a point to a request that a person can send: real hosts, declared callers, nothing that does not matter."""

from __future__ import annotations

from collections.abc import Sequence

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
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIp,
)
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token
from meshproof.compiler.smt.atoms import AUDIENCE
from meshproof.compiler.smt.callers import members
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import Point
from meshproof.compiler.smt.paths import raw_path
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.variables import hosts_of, is_edge_without_proxies, is_grpc

_WORDS = frozenset({("scope",), ("permission",)})


def caller_at(environment: Environment, point: Point) -> int:
    """The class of callers to show at a point: the best of those that the port does not tell apart."""
    return next(iter(members(environment.local[point[environment.caller]])))


def request_at(environment: Environment, point: Point, caller: int | None = None) -> Request:
    """The request of a point: for each variable the witness of its class, and the plainest for what has none.

    `caller` is the class of callers to show, one that the port does not tell apart from the point's.
    """
    policy = environment.policy
    uri = environment.callers.classes[caller_at(environment, point) if caller is None else caller].uri
    is_http = environment.formulas.holds(environment.is_http, point)
    request = Request(
        source=Peer(uri, _source_ip(environment, point)),
        destination=policy.key.node,
        destination_ip=_single(environment, DestinationIp(), point),
        port=policy.key.port,
        protocol=RequestProtocol.TCP,
        client_ip=_client_ip(environment, point),
        sni=_single(environment, Sni(), point),
        answers=tuple((name, bool(point[variable])) for name, variable in sorted(environment.answers.items())),
    )
    return _with_http(environment, request, point) if is_http else request


def _with_http(environment: Environment, request: Request, point: Point) -> Request:
    policy = environment.policy
    has_calls = is_grpc(policy)
    method = _single(environment, Method(), point) or ("POST" if has_calls else "GET")
    is_call = has_calls and method == "POST"
    return Request(
        source=request.source,
        destination=request.destination,
        destination_ip=request.destination_ip,
        port=request.port,
        protocol=RequestProtocol.GRPC if is_call else RequestProtocol.HTTP,
        client_ip=request.client_ip,
        method=method,
        host=_host(environment, point),
        path=raw_path(_single(environment, Path(), point) or "/", policy.paths, policy.other_paths)
        + _query(environment, point),
        headers=(*_lines(environment, point), *_joined_lines(environment, point)),
        token=_token(environment, point),
        sni=request.sni,
        answers=request.answers,
    )


def _lines(environment: Environment, point: Point) -> tuple[tuple[str, str], ...]:
    return tuple(
        (attribute.name, value)
        for attribute in environment.multiples
        if isinstance(attribute, Header)
        for value in _values(environment, attribute, point)
    )


def _joined_lines(environment: Environment, point: Point) -> tuple[tuple[str, str], ...]:
    """A header that is compared with its lines joined, as one line, if it is not there line by line."""
    joined = (attribute.name for attribute in environment.singles if isinstance(attribute, JoinedHeader))
    names = (name for name in joined if Header(name) not in environment.multiples)
    values = ((name, _single(environment, JoinedHeader(name), point)) for name in names)
    return tuple((name, value) for name, value in values if value is not None)


def _host(environment: Environment, point: Point) -> str:
    authority = _single(environment, RawAuthority(), point)
    if authority is not None:
        return authority
    host = _single(environment, Host(), point)
    if host is None:
        return next(iter(hosts_of(environment.policy)), str(environment.policy.key.node))
    return host + "." if host.endswith(".") else host  # the last dot of what is sent is taken off


def _source_ip(environment: Environment, point: Point) -> str | None:
    """The peer, which a gateway without trusted proxies takes for the client."""
    found = _single(environment, SourceIp(), point)
    if found is None and is_edge_without_proxies(environment.policy):
        return _single(environment, RemoteIp(), point)
    return found


def _client_ip(environment: Environment, point: Point) -> str | None:
    if RemoteIp() in environment.singles and not is_edge_without_proxies(environment.policy):
        return _single(environment, RemoteIp(), point)
    classes = environment.local[point[environment.caller]]
    return _single(environment, ClientIp(), point) if classes & environment.callers.gateways else None


def _single(environment: Environment, attribute: Attribute, point: Point) -> str | None:
    found = environment.singles.get(attribute)
    if found is None:
        return None
    value = point[found.variable] - found.may_be_absent
    return None if value < 0 else found.classes.witnesses[value]


def _values(environment: Environment, attribute: Attribute, point: Point) -> tuple[str, ...]:
    found = environment.multiples[attribute]
    return tuple(
        witness for variable, witness in zip(found.variables, found.classes.witnesses, strict=True) if point[variable]
    )


def _query(environment: Environment, point: Point) -> str:
    pairs = [
        f"{attribute.name}={value}"
        for attribute in environment.multiples
        if isinstance(attribute, Query)
        for value in _values(environment, attribute, point)
    ]
    return "?" + "&".join(pairs) if pairs else ""


def _token(environment: Environment, point: Point) -> Token | None:
    if environment.issuer is None or not point[environment.issuer]:
        return None
    entries: list[tuple[tuple[str, ...], ClaimValue]] = [
        (("iss",), environment.issuer_urls[point[environment.issuer] - 1])
    ]
    for attribute in environment.multiples:
        if isinstance(attribute, Claim):
            values = _values(environment, attribute, point)
            if values:
                entries.append((attribute.path, _claim_value(environment.policy, attribute.path, values)))
    issuer = next((one for one in environment.policy.issuers if one.url == entries[0][1]), None)
    if issuer is not None and issuer.needs_audience and AUDIENCE not in environment.multiples:
        entries.append((AUDIENCE.path, issuer.audiences[0]))
    return Token(is_valid=True, claims=_object(entries))


def _claim_value(policy: PortPolicy, path: tuple[str, ...], values: tuple[str, ...]) -> ClaimValue:
    """One string where one is enough, the words of a `scope`, else a list."""
    if any(path == (word,) for issuer in policy.issuers for word in issuer.words):
        return values  # whether it is split depends on the issuer; a list never is
    if path in _WORDS:
        is_plain = all(value and " " not in value for value in values)
        return " ".join(values) if is_plain else values
    return values[0] if len(values) == 1 else values


def _object(entries: Sequence[tuple[tuple[str, ...], ClaimValue]]) -> ClaimObject:
    """The nested object with these values at these paths, none of which leads through another."""
    found: list[tuple[str, ClaimValue]] = []
    for name in dict.fromkeys(path[0] for path, _ in entries):
        below = [(path[1:], value) for path, value in entries if path[0] == name]
        own = next((value for path, value in below if not path), None)
        found.append((name, _object(below) if own is None else own))
    return ClaimObject(tuple(found))
