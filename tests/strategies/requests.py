"""Random well-formed requests to a mesh, full of the values that its rules and routes name.

`random_request` is for bulk runs from a seed, `requests_to` for Hypothesis; one generator is behind both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import TypeVar

from hypothesis import strategies as st
from tests.strategies import vocabulary as words
from tests.strategies.meshes import randoms
from tests.strategies.predicates import ISSUER_URLS
from tests.strategies.sources import takes

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway, Issuer, Layer, Node, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import (
    And,
    Attribute,
    Claim,
    ClientIp,
    DestinationIp,
    Header,
    Host,
    JoinedHeader,
    Method,
    Not,
    Or,
    Path,
    Predicate,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    Test,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token
from meshproof.compiler.semantics.handshake import mode_of
from meshproof.compiler.semantics.token import accepted_issuers
from meshproof.compiler.semantics.wellformed import normal_host

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shape:
    """`is_complete`: every field that can matter and every answer is there, so that there always is a decision.
    `is_raw`: paths may be written in other than their normal form.
    """

    is_complete: bool = True
    is_raw: bool = True


COMPLETE = Shape()
NORMAL = Shape(is_raw=False)
SPARSE = Shape(is_complete=False)


def random_request(rng: Random, mesh: Mesh, shape: Shape = COMPLETE) -> Request:
    """A well-formed request to some port of the mesh, mostly aimed at a rule; now and then to an undeclared port."""
    rule = rng.choice(mesh.rules) if mesh.rules and rng.random() < 0.7 else None
    node, port, protocol = _destination(rng, mesh, rule)
    day = rng.choice(words.UNTILS) if rng.random() < 0.1 else None
    request = Request(
        source=_peer(rng, mesh, node, (port, day or words.DAY), rule),
        destination=node.name,
        port=port,
        protocol=protocol,
        client_ip=rng.choice(words.ADDRESSES),
        answers=tuple((authorizer.name, rng.random() < 0.6) for authorizer in mesh.authorizers),
        day=day,
    )
    tests = tuple(_tests(mesh, rule))
    if protocol is not RequestProtocol.TCP:
        request = _with_http(rng, mesh, node, request, tests, shape)
    request = replace(
        request,
        source=replace(request.source, ip=_value(rng, tests, SourceIp(), words.ADDRESSES)),
        client_ip=_value(rng, tests, rng.choice((ClientIp(), RemoteIp())), words.ADDRESSES),
        destination_ip=_value(rng, tests, DestinationIp(), words.ADDRESSES),
        sni=_sni(rng, node, request, tests),
    )
    return request if shape.is_complete else _sparse(rng, request)


def requests_to(mesh: Mesh, shape: Shape = COMPLETE, *, can_shrink: bool = False) -> st.SearchStrategy[Request]:
    """Random requests to the mesh."""
    return st.builds(random_request, randoms(can_shrink=can_shrink), st.just(mesh), st.just(shape))


def _destination(rng: Random, mesh: Mesh, rule: AuthzRule | None) -> tuple[Node, int, RequestProtocol]:
    """A node, a workload port of it, and what is spoken there: one that the rule is about, if there is a rule."""
    aimed = None if rule is None else rng.choice(rule.destinations)
    node = (None if aimed is None else mesh.node(aimed.node)) or rng.choice(mesh.nodes)
    declared = tuple(
        port for port in node.ports if aimed is None or aimed.ports is None or port.workload in aimed.ports
    )
    if not declared or rng.random() < 0.03:
        return node, rng.choice((1, 7777)), rng.choice(tuple(RequestProtocol))
    port = rng.choice(declared)
    if port.layer is Layer.TCP or (port.layer is Layer.SNIFFED and rng.random() < 0.5):
        return node, port.workload, RequestProtocol.TCP
    return node, port.workload, RequestProtocol.GRPC if port.protocol is Protocol.GRPC else RequestProtocol.HTTP


def _peer(rng: Random, mesh: Mesh, node: Node, where: tuple[int, date], rule: AuthzRule | None) -> Peer:
    """A caller, mostly one that the rule takes; none has an identity where mTLS is disabled."""
    if mode_of(mesh, node, *where) is MtlsMode.DISABLED:
        return Peer(None)
    callers = (
        *(service.identity.uri for service in mesh.services),
        *(gateway.identity.uri for gateway in mesh.gateways),
    )
    if rule is not None and rng.random() < 0.8:
        taken = [uri for uri in (*callers, None) if takes(rule.sources.matches, uri)]
        if taken:
            return Peer(_alias(rng, mesh, rng.choice(taken)))
    kind = rng.random()
    if kind < (0.7 if isinstance(node, Gateway) else 0.15):
        return Peer(None)
    if kind < 0.85:
        return Peer(_alias(rng, mesh, rng.choice(callers)))
    domain = rng.choice((words.TRUST_DOMAIN, words.PARTNER, words.STRANGER))
    tests = tuple(test for test in _tests(mesh, rule) if isinstance(test.attribute, SourceIdentity))
    named = [words.samples(rng, test.matcher) for test in tests]
    parsed = [uri for uri in named if SpiffeId.parse(uri) is not None]
    undeclared = SpiffeId.of_account(domain, rng.choice((*words.NAMESPACES, "other")), rng.choice(("vm", "shared")))
    return Peer(rng.choice((*parsed, undeclared.uri)))


def _alias(rng: Random, mesh: Mesh, uri: str | None) -> str | None:
    """The identity as it was called before the trust domain was renamed, now and then (trusted or not)."""
    identity = None if uri is None else SpiffeId.parse(uri)
    if identity is None or identity.trust_domain != mesh.trust_domain or rng.random() > 0.1:
        return uri
    return SpiffeId(words.ALIAS, identity.path).uri


def _tests(mesh: Mesh, rule: AuthzRule | None) -> list[Test]:
    """The tests of the rule that is aimed at, else of all rules; and those of the routes."""
    found: list[Test] = []
    for one in mesh.rules if rule is None else (rule,):
        found += [*_tests_in(one.sources.matches), *_tests_in(one.content)]
    if rule is None:
        for route in mesh.routes:
            for branch in route.branches:
                found += _tests_in(branch.condition)
    return found


def _tests_in(predicate: Predicate) -> list[Test]:
    match predicate:
        case Test():
            return [predicate]
        case Not(operand):
            return _tests_in(operand)
        case And(operands) | Or(operands):
            return [test for operand in operands for test in _tests_in(operand)]
        case _:
            return []


def _value(rng: Random, tests: tuple[Test, ...], attribute: Attribute, otherwise: tuple[str, ...]) -> str:
    """A value of the attribute: mostly one that some test of it is about."""
    about = [test for test in tests if test.attribute == attribute]
    if about and rng.random() < 0.75:
        value = words.samples(rng, rng.choice(about).matcher)
        is_address = isinstance(attribute, SourceIp | ClientIp | RemoteIp | DestinationIp)
        return value if not is_address or value in words.ADDRESSES else rng.choice(otherwise)
    return rng.choice(otherwise)


def _with_http(rng: Random, mesh: Mesh, node: Node, request: Request, tests: tuple[Test, ...], shape: Shape) -> Request:
    path = _value(rng, tests, Path(), (words.plain_path(rng),))
    if not path.startswith("/"):
        path = words.plain_path(rng) + path.replace("/", "")
    host = _value(rng, tests, rng.choice((Host(), RawAuthority())), words.HOSTS)
    host = host if normal_host(host) else words.HOSTS[0]
    return replace(
        request,
        method=_value(rng, tests, Method(), (*words.METHODS,) * 2 + ("OPTIONS", "CONNECT")),
        path=(_raw(rng, path) if shape.is_raw else path) + _query(rng, tests),
        host=rng.choice((host, host, host.upper(), f"{host}:8080", f"{host}.")),
        headers=_headers(rng, tests),
        token=_token(rng, mesh, node, tests),
    )


def _raw(rng: Random, path: str) -> str:
    """Another writing of the path, or one that is refused, or one that only looks like it."""
    if rng.random() < 0.85:
        return path
    first = path[1:2]
    return rng.choice(
        (
            path.replace("/", "//", 1),
            "/x/.." + path,
            "/." + path,
            f"/%{ord(first):02x}{path[2:]}" if first else path,
            path + ";v=1",
            path + "%2F",
            path + "%",
            path + "\\",
            path + "#x",
            path.upper(),
            "*",
        )
    )


def _query(rng: Random, tests: tuple[Test, ...]) -> str:
    pairs = [
        (name, _value(rng, tests, Query(name), words.HEADER_VALUES))
        for name in words.QUERIES
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    pieces = [f"{name}={value}" if value or rng.random() < 0.5 else name for name, value in pairs]
    return "?" + "&".join(pieces) if pieces else rng.choice(("", "", "?"))


def _headers(rng: Random, tests: tuple[Test, ...]) -> tuple[tuple[str, str], ...]:
    found = [
        (name, _value(rng, tests, Header(name), words.HEADER_VALUES))
        for name in words.HEADERS
        for _ in range(rng.choice((0, 0, 1, 1, 2)))
    ]
    joined = JoinedHeader(words.JOINED_HEADER)
    found += [(joined.name, _value(rng, tests, joined, words.HEADER_VALUES)) for _ in range(rng.choice((0, 1, 1, 2)))]
    if rng.random() < 0.1:
        found += [("origin", "https://shop.example.com"), ("access-control-request-method", "POST")]
    if rng.random() < 0.1:
        found.append(("x-forwarded-for", ", ".join(words.ADDRESSES[: rng.randint(1, 3)])))
    rng.shuffle(found)
    return tuple(found)


def _token(rng: Random, mesh: Mesh, node: Node, tests: tuple[Test, ...]) -> Token | None:
    """A valid token is mostly of an issuer that the destination accepts; one that is not may be foreign or broken."""
    kind = rng.random()
    if kind < 0.35:
        return None
    accepted = accepted_issuers(mesh, node)
    issuer = rng.choice(accepted) if accepted else None
    if kind < 0.85 and issuer is not None:
        return Token(is_valid=True, claims=_claims(rng, tests, issuer.url, issuer))
    url = rng.choice((*ISSUER_URLS, "https://stranger.example"))
    return Token(is_valid=rng.random() < 0.5, claims=_claims(rng, tests, url, None))


def _claims(rng: Random, tests: tuple[Test, ...], url: str, issuer: Issuer | None) -> ClaimObject:
    audiences = tuple(rng.choice(words.AUDIENCES) for _ in range(rng.randint(0, 2)))
    if issuer is not None and issuer.audiences:
        audiences = (*audiences, rng.choice(issuer.audiences))
    found: dict[str, ClaimValue] = {"iss": url, "exp": 1800000000}
    if audiences:
        found["aud"] = audiences[0] if len(audiences) == 1 and rng.random() < 0.5 else audiences
    if rng.random() < 0.8:
        found["sub"] = _value(rng, tests, TokenSubject(), words.SUBJECTS)
    if rng.random() < 0.5:
        found["azp"] = _value(rng, tests, TokenPresenter(), words.SUBJECTS)
    if rng.random() < 0.7:
        found["groups"] = _claim(rng, tests, ("groups",))
    if rng.random() < 0.6:
        found["scope"] = " ".join(_value(rng, tests, Claim(("scope",)), words.CLAIM_VALUES) for _ in range(2))
    if rng.random() < 0.6:
        found["org"] = ClaimObject((("id", _claim(rng, tests, ("org", "id"))), ("size", 3)))
    return ClaimObject(tuple(sorted(found.items())))


def _claim(rng: Random, tests: tuple[Test, ...], path: tuple[str, ...]) -> ClaimValue:
    values = tuple(_value(rng, tests, Claim(path), words.CLAIM_VALUES) for _ in range(rng.randint(0, 2)))
    return rng.choice((values, values, (*values, 7, None), values[0] if values else "", 7, True, None))


def _sni(rng: Random, node: Node, request: Request, tests: tuple[Test, ...]) -> str | None:
    """A server name, where there may be one: with mTLS, on TLS ports, on opaque and undeclared ones."""
    port = next((port for port in node.ports if port.workload == request.port), None)
    is_tls = (
        request.source.identity is not None
        or port is None
        or port.layer is not Layer.HTTP
        or port.protocol in {Protocol.HTTPS, Protocol.TLS}
    )
    return (_value(rng, tests, Sni(), words.HOSTS) or None) if is_tls and rng.random() < 0.6 else None


def _sparse(rng: Random, request: Request) -> Request:
    """The request with some of its fields left out, and some answers."""
    return replace(
        request,
        source=replace(request.source, ip=_kept(rng, request.source.ip)),
        method=_kept(rng, request.method),
        path=_kept(rng, request.path),
        host=_kept(rng, request.host),
        client_ip=_kept(rng, request.client_ip),
        token=_kept(rng, request.token),
        sni=_kept(rng, request.sni),
        answers=tuple(answer for answer in request.answers if rng.random() < 0.5),
    )


def _kept(rng: Random, value: _T) -> _T | None:
    return value if rng.random() < 0.7 else None
