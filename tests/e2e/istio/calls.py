"""Random requests that come near to what random policies speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from tests.e2e.istio.nearby import Vocabulary

from meshproof.compiler.ir.names import AuthorizerName, NodeName
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token

IDENTITIES = (
    None,
    None,
    "spiffe://td1/ns/n1/sa/a",
    "spiffe://td1/ns/n1/sa/b",
    "spiffe://td1/ns/n2/sa/a",
    "spiffe://old-td/ns/n1/sa/a",
    "spiffe://old-td/ns/n1/sa/b",
    "spiffe://cluster.local/ns/n1/sa/a",
    "spiffe://foreign.example/ns/n1/sa/a",
    "spiffe://foreign.example/ns/n2/sa/a",
    "spiffe://td1.example/ns/n1/sa/a",
    "spiffe://td1/ns/n1/sa/a/extra",
    "spiffe://td1/ns/n1/x/y/sa/a",
    "spiffe://td1/ns/x/sa/b/ns/n1/z",
    "spiffe://td1/ns/nx1/sa/a",
    "spiffe://td1/other",
    "spiffe://td1/ns/w3/sa/a",
)
_ADDRESSES = ("10.0.0.7", "10.0.0.8", "10.0.1.8", "192.168.3.4", "172.16.0.1", "2001:db8::7", "2001:db9::1")
_HOSTS = ("api", "api.example", "API.EXAMPLE", "api.example:8080", "api.example.", "x.example", "apix", "a*i", "aa*")
_METHODS = ("GET", "POST", "PUT", "OPTIONS", "DELETE", "HEAD")
_PATHS = (
    "/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/A", "/x/b", "/x.html", "/a?x=1", "/a/b?x=/c", "//a", "/a//b",
    "/a/../b", "/a/./b", "/a%2fb", "/a%2Fb/b", "/%61", "/a;b", "/a*b", "/a/x/b", "/a//b/", "/axb", "/b/a*", "/a.b",
    "/a%5Cb", "/a/%2e%2e/b",
)  # fmt: skip
_VALUES = ("v1", "v2", "", "v", "V1", "x1", "v1,v2", "a b", "v*", "vx")
_AUDIENCES: tuple[ClaimValue, ...] = (
    "aud1",
    ("aud1", "aud2"),
    "other",
    "https://aud1",
    "http://aud2/",
    "x/",
    "ftp://aud1",
)
_SNIS = (None, None, "api.example", "API.Example", "x.example", "outbound_.80_._.api")
_CLAIMS: tuple[ClaimValue, ...] = ("v1", "x1", "", ("v1", "z"), ("q",), 1, True, "a b", None, (("v1",),), ())


_T = TypeVar("_T")


def random_request(
    draw: Random, near: Vocabulary, destination: NodeName, port: int, *, is_tcp: bool, address: str
) -> Request:
    """A request or a connection to a port of a workload."""
    identity = _either(draw, near.share, near.identities, IDENTITIES)
    is_named = identity is not None or is_tcp
    plain = Request(
        Peer(identity, _either(draw, near.share, near.addresses, _ADDRESSES)),
        destination,
        port,
        RequestProtocol.TCP if is_tcp else RequestProtocol.HTTP,
        destination_ip=address,
        sni=_either(draw, near.share, _names(near), _SNIS) if is_named else None,
        answers=tuple((AuthorizerName(name), draw.random() < 0.5) for name in ("web", "rpc")),
    )
    return plain if is_tcp else _with_http(draw, near, plain)


def _names(near: Vocabulary) -> list[str]:
    """The server names that a client can ask for."""
    return [name for name in near.of("connection.sni") if name.strip("*.-") and name[0] not in "*.-"]


def _either(draw: Random, share: float, near: Sequence[_T], otherwise: Sequence[_T]) -> _T:
    """One of those that policies speak of in a share of the cases, else any other."""
    return draw.choice(near) if near and draw.random() < share else draw.choice(otherwise)


def _with_http(draw: Random, near: Vocabulary, plain: Request) -> Request:
    paths = [path for path in near.of("paths") if path.startswith("/") and "{" not in path]
    return replace(
        plain,
        method=_either(draw, near.share, [one for one in near.of("methods") if one in _METHODS], _METHODS),
        host=_either(draw, near.share, [host for host in near.of("hosts") if host], _HOSTS),
        path=_either(draw, near.share, paths, _PATHS),
        headers=_headers(draw, near),
        token=_token(draw, near),
    )


def _headers(draw: Random, near: Vocabulary) -> tuple[tuple[str, str], ...]:
    found = [(name, draw.choice(_VALUES)) for name in ("x-a", "x-b") for _ in range(draw.choice((0, 1, 1, 2)))]
    known = [
        (name.lower(), value) for name, value in near.below("request.headers") if name.isidentifier() or "-" in name
    ]
    found += draw.sample(known, min(len(known), draw.choice((0, 1, 2))))
    if draw.random() < 0.3:
        addresses = _ADDRESSES + tuple(near.addresses)
        found.append(("x-forwarded-for", ", ".join(draw.sample(addresses, draw.choice((1, 2))))))
    if draw.random() < 0.1:
        found += [("origin", "https://o"), ("access-control-request-method", "GET")]
    return tuple(found)


def _token(draw: Random, near: Vocabulary) -> Token | None:
    if draw.random() < 0.4:
        return None
    issuers = (("iss1", "sub1"), ("https://iss2", "sub2"), ("iss3", "s"), ("iss1", ""), ("https://iss2", "sub1"))
    issuer, subject = _either(draw, near.share, near.subjects, issuers)
    claims: dict[str, ClaimValue] = {
        "iss": issuer,
        "sub": subject,
        "aud": _either(draw, near.share, near.of("request.auth.audiences"), _AUDIENCES),
        "azp": _either(draw, near.share, near.of("request.auth.presenter"), ("app", "b")),
        "group": draw.choice(_CLAIMS),
        "nested": ClaimObject((("role", draw.choice(_CLAIMS)), ("scope", draw.choice(("read write", "read"))))),
        "a.b/c": draw.choice(_CLAIMS),
        "scope": draw.choice(("read write", "read", "write  read", ("read", "x"))),
        "num": draw.choice((1, True, "1")),
        "odd[x": draw.choice(_CLAIMS),
    }
    kept = {name: value for name, value in claims.items() if name == "iss" or draw.random() < 0.8}
    known = [(name, value) for name, value in near.below("request.auth.claims") if "[" not in name and name not in kept]
    for name, value in draw.sample(known, min(len(known), 2)):
        kept[name] = value if draw.random() < 0.5 else ("other", value)
    return Token(draw.random() < 0.9, ClaimObject(tuple(kept.items())))
