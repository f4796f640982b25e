"""Test lines: the requests that they make and the outcomes that they expect."""

from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.assertions import ExpectDecision, ExpectRoute, TestLine
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token

WORLD = """
issuer idp { url "https://idp" }
issuer other { url "https://other" }
authorizer opa { address "opa:1" }
service a { port http 80 }
service b { name "bee"  port http 80 -> 8080  port grpc 50051  port db tcp 5432  accepts idp  versions v1, v2 }
gateway edge { hosts "*.shop.example", "b"  port https 443 -> 8443  certificate "c" }
external out { hosts "Api.example"  port tls 443 }
zone z = { a, b, namespace dev }
allow r: a -> b
"""
A = "spiffe://td/ns/app/sa/a"


def line_of(text: str) -> TestLine:
    (block,) = mesh_of(WORLD + f"test t {{ {text} }}").tests
    return block.lines[0]


def request_of(text: str) -> Request:
    (request,) = line_of(f"{text} => deny").requests
    return request


def test_a_plain_request() -> None:
    assert request_of("a -> b:http GET /x?q=1") == Request(
        source=Peer(A),
        destination="b",  # type: ignore[arg-type]
        port=8080,
        protocol=RequestProtocol.HTTP,
        method="GET",
        host="bee",
        path="/x?q=1",
    )


def test_protocol_by_port_and_operation() -> None:
    assert request_of("a -> b:grpc POST /x").protocol is RequestProtocol.GRPC
    call = request_of("a -> b:http call p.S/M")
    assert (call.protocol, call.method, call.path) == (RequestProtocol.GRPC, "POST", "/p.S/M")
    connection = request_of("a -> b:db")
    assert (connection.protocol, connection.method, connection.host, connection.sni) == (
        RequestProtocol.TCP,
        None,
        None,
        None,
    )


def test_hosts_that_callers_ask_for() -> None:
    assert request_of("internet -> edge GET /").host == "www.shop.example"
    assert request_of("a -> out").sni == "api.example"
    assert request_of('a -> b:http GET / with host == "X.example"').host == "x.example"


def test_sources() -> None:
    assert request_of("plaintext -> b:db").source == Peer(None)
    assert request_of("internet -> edge GET /").source == Peer(None)
    assert request_of('identity "spiffe://td/ns/n/sa/x" -> b:db').source == Peer("spiffe://td/ns/n/sa/x")
    assert [request.source.identity for request in line_of("z -> b:db => deny").requests] == [
        A,
        "spiffe://td/ns/app/sa/b",
        "spiffe://td/ns/dev/sa/undeclared",
    ]


def test_givens() -> None:
    request = request_of(
        'a -> b:http GET /x?a=1 with header["X-A"] == "1", header["x-a"] == "2", query["b"] == "2", '
        'source.ip == "10.0.0.1", client.ip == "2001:DB8::1", sni == "s", opa == allow, at 2027-02-01'
    )

    assert request.headers == (("x-a", "1"), ("x-a", "2"))
    assert request.path == "/x?a=1&b=2"
    assert (request.source.ip, request.client_ip, request.sni) == ("10.0.0.1", "2001:db8::1", "s")
    assert request.answers == (("opa", True),)
    assert request.day == date(2027, 2, 1)
    assert request_of('a -> b:http GET /x with query["b"] == "2"').path == "/x?b=2"


def test_tokens() -> None:
    given = 'claim["g"] == "1", claim["g"] == "2", claim["o"]["p"] == "3", token.subject == "s"'
    token = request_of(f"a -> b:http GET / with token from other, {given}").token

    assert token == Token(
        is_valid=True,
        claims=ClaimObject(
            (("g", ("1", "2")), ("iss", "https://other"), ("o", ClaimObject((("p", "3"),))), ("sub", "s"))
        ),
    )
    assert request_of("a -> b:http GET /").token is None
    assert request_of("a -> b:http GET / with token invalid").token == Token(is_valid=False, claims=ClaimObject(()))


def test_the_one_accepted_issuer_is_meant_where_none_is_named() -> None:
    token = request_of('a -> b:http GET / with claim["g"] == "1"').token
    named = request_of('a -> b:http GET / with token.issuer == "https://x"').token

    assert token is not None
    assert token.claims == ClaimObject((("g", "1"), ("iss", "https://idp")))
    assert named is not None
    assert named.claims == ClaimObject((("iss", "https://x"),))


def test_outcomes() -> None:
    assert line_of("a -> b:db => allow").expected == ExpectDecision(is_allowed=True)
    assert line_of("a -> b:db => allow by r").expected == ExpectDecision(is_allowed=True, by="r")  # type: ignore[arg-type]
    assert line_of("a -> b:db => deny at default").expected == ExpectDecision(is_allowed=False, at="default")
    assert line_of("a -> b:http GET / => route v1 95%, v2 5%").expected == ExpectRoute((("v1", 95), ("v2", 5)))
    assert line_of("a -> b:http GET / => route b").expected == ExpectRoute((("b:8080", 100),))
    assert line_of("internet -> edge GET / => route b:http").expected == ExpectRoute((("b:8080", 100),))


def test_lines_are_said_as_the_formatter_writes_them() -> None:
    assert line_of("a   ->   b:db\n=> deny").text == "a -> b:db => deny"
