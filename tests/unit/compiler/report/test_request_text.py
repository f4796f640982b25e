"""A request as one line: a line that the language reads, where it has one."""

from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token
from meshproof.compiler.report.request_text import request_text

WEB = "spiffe://cluster.local/ns/shop/sa/web"
NAMES = {WEB: "web"}
TILL = NodeName("till")


def http(**parts: object) -> Request:
    given: dict[str, object] = {"method": "GET", "path": "/", **parts}
    return Request(Peer(WEB, None), TILL, 8080, RequestProtocol.HTTP, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (http(), "web -> till:8080 GET /"),
        (http(path="/a b"), 'web -> till:8080 GET "/a b"'),
        (http(path="/a#b"), 'web -> till:8080 GET "/a#b"'),
        (http(method=None), "web -> till:8080 * /"),
        (http(method=None, path=None), "web -> till:8080"),
        (http(host="till"), "web -> till:8080 GET /"),
        (http(host="other"), 'web -> till:8080 GET / with host == "other"'),
        (
            http(headers=(("x-a", "1"), ("x-a", "2"))),
            'web -> till:8080 GET / with header["x-a"] == "1", header["x-a"] == "2"',
        ),
        (http(client_ip="1.2.3.4", sni="s"), 'web -> till:8080 GET / with client.ip == "1.2.3.4", sni == "s"'),
        (http(answers=(("opa", True), ("own", False))), "web -> till:8080 GET / with opa == allow, own == deny"),
        (http(day=date(2027, 2, 1)), "web -> till:8080 GET / with at 2027-02-01"),
        (
            http(token=Token(is_valid=False, claims=ClaimObject(()))),
            "web -> till:8080 GET / with token invalid",
        ),
        (
            http(token=Token(is_valid=True, claims=ClaimObject((("iss", "i"), ("groups", ("a", "b")))))),
            'web -> till:8080 GET / with token valid, claim["iss"] == "i", claim["groups"] == ["a", "b"]',
        ),
        (
            Request(Peer(None, "10.0.0.7"), TILL, 8080, RequestProtocol.TCP),
            'plaintext -> till:8080 (tcp) with source.ip == "10.0.0.7"',
        ),
        (
            Request(Peer("spiffe://x/y", None), TILL, 1, RequestProtocol.GRPC, method="POST", path="/s.T/Pay"),
            'identity "spiffe://x/y" -> till:1 call s.T/Pay',
        ),
        (
            Request(Peer(WEB, None), TILL, 1, RequestProtocol.GRPC, method="POST", path="/s.T/Pay/x"),
            "web -> till:1 POST /s.T/Pay/x",
        ),
        (
            Request(Peer(WEB, None), TILL, 1, RequestProtocol.GRPC, method="GET", path="/s.T/Pay"),
            "web -> till:1 GET /s.T/Pay",
        ),
    ],
)
def test_a_request_is_one_line(request_: Request, text: str) -> None:
    assert request_text(request_, NAMES) == text
