"""Policies that compile to files which are proved to mean the same, or to refuse more by listed losses alone."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import EQUAL, STRICTER, Emitted, emitted
from meshproof.targets.istio import TARGET

DAY = date(2026, 11, 23)
HEAD = 'mesh m { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
OPEN = HEAD.replace("closed", "open")
SHOP = """
service web { port http 80 -> 8080  versions v1, v2 }
service api { port http 8080 }
"""
EDGE = """
gateway edge { namespace ingress  hosts "shop.example.com"  port https 443 -> 8443  certificate "shop" }
"""
WAY_OUT = "gateway out { namespace egress  port tls 443 -> 8443 }\n"

SAME = {
    "a rewrite that keeps the rest": HEAD
    + SHOP
    + """
        allow all-of-it: api -> web:http { * /** }
        route web:http {
            /old/**         => web { rewrite path /new }
            /by/{id}/**     => web { rewrite path / }
            /one            => web { rewrite path /other }
            otherwise       => web { rewrite path /v1 }
        }""",
    "an external that listens elsewhere than is dialled": HEAD
    + SHOP
    + """
        external bank { hosts "bank.example"  port https 443 -> 8444 }
        allow pay: api -> bank:https""",
    "a rewrite at a gateway": HEAD
    + SHOP
    + EDGE
    + """
        allow visit: internet -> edge
        allow pass: edge -> web:http { * /** }
        route edge { host "shop.example.com" /shop/** => web:http { rewrite path / } }""",
    "a branch of a gateway for any host": HEAD
    + SHOP
    + EDGE
    + """
        allow visit: internet -> edge
        allow pass: edge -> web:http { * /** }
        route edge { /a/** => web:http  otherwise => { redirect 302 path "/a" } }""".replace('"/a"', "/a"),
    "an external through a gateway": HEAD
    + SHOP
    + WAY_OUT
    + """
        external bank { hosts "bank.example.com", "eu.bank.example.com"  port https 443 originate  via out }
        allow read: web -> bank { GET /accounts/all }
        deny late: web -> bank { when source.ip in "10.9.0.0/16" }""",
    "an external through a gateway under TLS of its own": HEAD
    + SHOP
    + WAY_OUT
    + """
        external vault { hosts "vault.example.com"  port https 443  via out }
        allow open: web -> vault""",
    "open egress through a gateway": OPEN
    + SHOP
    + WAY_OUT
    + """
        external bank { hosts "bank.example.com"  port https 443 originate  via out }
        deny no-writes: api -> bank { POST /accounts }""",
    "a gateway for both ways": HEAD
    + SHOP
    + EDGE
    + """
        external bank { hosts "bank.example.com"  port https 443 originate  via edge }
        external vault { hosts "vault.example.com"  port https 443  via edge }
        allow visit: internet -> edge
        allow pass: edge -> web:http { * /** }
        allow read: web -> bank { GET /accounts/all }
        allow open: api -> vault
        route edge { /** => web:http }""",
    "a sender with an identity of its own": OPEN
    + SHOP
    + WAY_OUT
    + """
        service machine { namespace shop  identity "spiffe://cluster.local/vm/machine" }
        external bank { hosts "bank.example.com"  port https 443 originate  via out }""",
    "whether there is a server name": HEAD
    + SHOP
    + """
        allow named: web -> api:http { when has sni }""",
    "a server name by a pattern": HEAD
    + SHOP
    + """
        allow named: web -> api:http { when sni endswith ".example.com" }""",
    "a host by its begin": HEAD
    + SHOP
    + """
        allow named: web -> api:http { when host startswith "api" and source in namespace shop }""",
    "a service without ports that is observed": HEAD
    + SHOP
    + """
        service job { observe { because "it is new" owner "ops" until 2027-01-01 } }
        allow work: job -> api""",
    "weights that something else moves": HEAD
    + SHOP
    + """
        allow all-of-it: api -> web:http { * /** }
        route web:http { /a => { redirect path /b }  otherwise => v1 90%, v2 10%  weights by "argo-rollouts" }""",
    "closed egress where nobody calls": HEAD
    + EDGE
    + """
        allow visit: internet -> edge""",
    "a template beside connections": HEAD
    + SHOP
    + """
        service store { port http 80 -> 8080  port tcp 5432 }
        deny one-of-them: api -> store:http { GET /{id}/secret }
        allow both: web -> store:tcp""",
}

LESS = {
    "a template beside TLS of others that goes through": HEAD
    + SHOP
    + EDGE
    + """
        external vault { hosts "vault.example.com"  port https 443  via edge }
        allow visit: internet -> edge
        deny one-of-them: internet -> edge:https { GET /{id}/secret }
        allow open: api -> vault""",
    "a pattern of segments": HEAD
    + SHOP
    + """
        allow read: web -> api:http { GET /items/{id} }""",
    "a template beside an allow of requests and connections": HEAD
    + SHOP
    + """
        service store { port http 80 -> 8080  port tcp 5432 }
        deny one-of-them: api -> store:http { GET /{id}/secret }
        allow both: { web, api } -> store""",
    "a host by its end": HEAD
    + SHOP
    + """
        allow named: web -> api:http { when host endswith ".example.com" }""",
    "a header whose lines are joined": HEAD
    + SHOP
    + """
        allow json: web -> api:http { when header["content-type"] == "application/json" }
        allow text: web -> api:http { when header["accept"] startswith "text/" }""",
    "a token at a gateway that relays": HEAD
    + SHOP
    + """
        issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/keys"  audiences "shop" }
        gateway out { namespace egress  port tls 443 -> 8443  accepts idp }
        external bank { hosts "bank.example.com"  port https 443 originate  via out }
        allow read: web -> bank""",
    "a claim that is there": HEAD
    + SHOP
    + """
        issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/keys"  audiences "shop" }
        service door { port http 80  accepts idp }
        allow known: web -> door:http { when has claim["team"] }""",
    "an ask by identity": HEAD
    + SHOP
    + """
        authorizer opa { address "opa.shop:9191"  protocol grpc  timeout 200ms }
        ask think: web -> api:http {
            POST /items
            via opa
        }
        allow write: { web, api } -> api:http { POST /items }""",
}


def compiled(text: str) -> Emitted:
    mesh = mesh_of(text, has_mesh=True)
    options = CompileOptions(DAY, (("istio.path-normalization", "DECODE_AND_MERGE_SLASHES"),), "hash")
    lowered = TARGET.lower(mesh, options)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    return emitted(TARGET, lowered, mesh, options, 10_000)


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_it_means_the_same(text: str) -> None:
    found = compiled(text)

    assert [one.message for one in found.diagnostics] == []
    assert found.known == EQUAL


@pytest.mark.parametrize("text", LESS.values(), ids=LESS.keys())
def test_it_refuses_more_by_listed_losses(text: str) -> None:
    found = compiled(text)

    assert [one.message for one in found.diagnostics] == []
    assert found.known == STRICTER
