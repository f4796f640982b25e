"""Tokens: valid, forged, foreign and missing ones, at each place, with claims of every type."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from tests.e2e.envoy.stage import Stage, http_request
from tests.e2e.envoy.tokens import FORGERIES

from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Token

pytestmark = pytest.mark.e2e

MESH = """mesh m { language 1  trust-domain "td"  namespace app  egress closed }
issuer shop { url "https://shop.example"  jwks "https://shop.example/keys"  audiences "app" }
issuer other { url "https://other.example/"  jwks "https://other.example/keys" }
issuer header { url "https://header.example"  jwks "https://header.example/keys"  from header "x-token"  strip }
issuer query { url "https://query.example"  jwks "https://query.example/keys"  from query "jwt" }
issuer cookie { url "https://cookie.example"  jwks "https://cookie.example/keys"  from cookie "session" }
service b { port http 80 -> 8080  accepts shop, other }
service h { port http 80 -> 8080  accepts header, query, cookie }
service n { port http 80 -> 8080 }
mtls permissive for { b, h, n } { because "x" until 2027-01-31 }
"""
WHY = 'because "x" until 2027-01-31'
CONDITIONS = (
    "has token",
    "not has token",
    "token from {one}",
    "not token from {one}",
    'token.subject == "alice"',
    'token.subject != "alice"',
    'token.audience == "app"',
    'token.presenter startswith "a"',
    'claim["group"] == "admin"',
    'claim["group"] in ["admin", "dev"]',
    'claim["group"] != "admin"',
    'claim["org"]["id"] endswith "1"',
    'claim["scope"] == "read"',
    'claim["scope"] == "read write"',
    'token from {one} and claim["group"] == "admin"',
)
ISSUERS = {
    "b": ("https://shop.example", "https://other.example/"),
    "h": ("https://header.example", "https://query.example", "https://cookie.example"),
    "n": ("https://shop.example",),
}
CLAIMS: tuple[dict[str, ClaimValue], ...] = (
    {},
    {"sub": "alice", "aud": "app", "azp": "a1"},
    {"sub": "bob", "aud": ("x", "app"), "group": "admin"},
    {"group": ("dev", "admin", 7, None), "org": ClaimObject((("id", "x1"), ("size", 3)))},
    {"group": 7, "scope": "read write", "azp": "b"},
    {"group": "administrator", "org": ClaimObject((("id", ("1", "2")),)), "scope": ("read", "x")},
    {"aud": "elsewhere", "sub": "alice", "group": "admin"},
)


def test_tokens_at_every_place(stage: Stage, tmp_path: Path) -> None:
    plays = []
    for condition, effect in product(CONDITIONS, ("allow", "deny")):
        text = MESH
        for node, one in (("b", "shop"), ("h", "query"), ("n", "")):
            if node != "n" or "{one}" not in condition:
                written = condition.format(one=one)
                whole = f"allow w{node}: anyone -> {node} {{ {WHY} }}\n" if effect == "deny" else ""
                why = WHY if effect == "allow" else ""
                text += f"{whole}{effect} r{node}: anyone -> {node} {{ GET /x\nwhen {written}\n{why} }}\n"
        plays.append((stage.put_on(text, has_mesh=True), "n" if "{one}" not in condition else ""))
    with stage.open(tmp_path):
        for play, unissued in plays:
            for node in ("b", "h", unissued) if unissued else ("b", "h"):
                plain = http_request(node, 8080, "/x")
                stage.send(play, plain)
                for url in (*ISSUERS[node], "https://stranger.example"):
                    for claims in CLAIMS:
                        found = ClaimObject((("iss", url), *claims.items()))
                        stage.send(play, replace(plain, token=Token(is_valid=True, claims=found)))
                forged = ClaimObject((("iss", ISSUERS[node][0]), ("aud", "app"), ("sub", "alice"), ("group", "admin")))
                for _ in FORGERIES:
                    stage.send(play, replace(plain, token=Token(is_valid=False, claims=forged)))
    assert stage.counts["sent"] > 1000
    assert min(stage.counts["rule True"], stage.counts["default False"], stage.counts["token False"]) > 100


def test_what_is_no_bearer_token_is_none(stage: Stage, tmp_path: Path) -> None:
    """`Authorization: Basic` and a token at a place that nobody looks at are missing tokens."""
    text = f"{MESH}allow r: anyone -> b {{ GET /x\nwhen has token\n{WHY} }}\n"
    text += f"allow s: anyone -> b {{ GET /y\nwhen not has token\n{WHY} }}"
    play = stage.put_on(text, has_mesh=True)
    lines = (("authorization", "Basic YWxpY2U6c2VjcmV0"), ("x-token", "x.y.z"), ("cookie", "session=x.y.z"))
    with stage.open(tmp_path):
        for line in lines:
            for path in ("/x", "/y", "/y?jwt=x.y.z", "/y?access_token=x.y.z"):
                stage.send(play, http_request("b", 8080, path, headers=(line,)))
    assert stage.counts["rule True"] == 9


def test_a_preflight_shows_no_token(stage: Stage, tmp_path: Path) -> None:
    text = f"{MESH}allow r: anyone -> b {{ * /x\nwhen has token\n{WHY} }}\n"
    text += f"allow s: anyone -> b {{ OPTIONS /x {WHY.replace('because', chr(10) + 'because')} }}"
    play = stage.put_on(text, has_mesh=True)
    asking = (("origin", "https://app.example"), ("access-control-request-method", "POST"))
    bad = Token(is_valid=False, claims=ClaimObject((("iss", "https://shop.example"), ("aud", "app"))))
    with stage.open(tmp_path):
        for headers in ((), asking[:1], asking):
            for method in ("OPTIONS", "GET"):
                for token in (None, bad):
                    request = http_request("b", 8080, "/x", method=method, headers=headers)
                    stage.send(play, replace(request, token=token))
    assert stage.counts["token False"] == 5
