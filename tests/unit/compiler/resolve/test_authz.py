"""Rules: names, operations, effects, and the ports that they can speak of."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.matchers import Exact, Present, Segments
from meshproof.compiler.ir.predicate import Always, And, Header, Not, Test, TokenIssuer

WORLD = """
service a {}
service b { port http 80 -> 8080  port db tcp 5432 }
service c { port tcp 6379 }
authorizer opa { address "opa:9191" }
"""


def rule_of(text: str) -> AuthzRule:
    (rule,) = mesh_of(WORLD + text).rules
    return rule


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("allow a -> b", "a-to-b"),
        ("allow a -> b:http", "a-to-b-http"),
        ("allow a -> b:8080", "a-to-b-8080"),
        ("deny x: a -> b", "x"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert rule_of(text).id == name


def test_clauses() -> None:
    rule = rule_of('allow a -> b { because "why" owner "who" until 2027-06-30 tags guardrail, audit }')

    assert (rule.because, rule.owner, rule.until) == ("why", "who", date(2027, 6, 30))
    assert rule.tags == ("audit", "guardrail")
    assert (rule.effect, rule.is_enforced, rule.authorizer) == (Effect.ALLOW, True, None)


def test_audit_and_ask() -> None:
    assert not rule_of("audit deny x: a -> b").is_enforced
    asking = rule_of("ask x: a -> b:http { POST /x via opa }")
    assert (asking.effect, asking.authorizer) == (Effect.ASK, "opa")


def test_operations() -> None:
    rule = rule_of("allow a -> b:http { GET|HEAD /x  * /y/{id}/**  call p.S/M  call p.S/*  PUT / }")

    assert [(one.methods, one.path) for one in rule.operations] == [
        (("GET", "HEAD"), Exact("/x")),
        ((), Segments("/y/*/**")),
        (("POST",), Exact("/p.S/M")),
        (("POST",), Segments("/p.S/*")),
        (("PUT",), Exact("/")),
    ]


def test_all_of_when_and_none_of_unless() -> None:
    rule = rule_of('deny x: a -> b { when has token when has header["A"] unless has header["B"] }')

    assert rule.when == And(
        (
            Test(TokenIssuer(), Present()),
            Test(Header("a"), Present()),
            Not(Test(Header("b"), Present())),
        )
    )


def test_without_conditions_every_request_matches_tcp_too() -> None:
    rule = rule_of("allow a -> b")

    assert (rule.when, rule.operations, rule.content) == (Always(), (), Always())
    assert [place.ports for place in rule.destinations] == [(5432, 8080)]


@pytest.mark.parametrize(
    "clause",
    ["GET /x", "call p.S/M", "when has token", 'when host == "x"', 'unless has claim["a"]', "when path in /x/**"],
)
def test_what_speaks_http_leaves_tcp_out_and_says_so(clause: str) -> None:
    rule = rule_of(f"deny x: a -> all {{ {clause} }}")

    assert [(place.node, place.ports) for place in rule.destinations] == [("b", (8080,))]
    assert [(place.node, place.ports) for place in rule.skipped] == [("b", (5432,)), ("c", (6379,))]


@pytest.mark.parametrize(
    "clause", ['when source.ip in "10.0.0.0/8"', 'when sni == "x"', "when port == 8080", "unless source in { a }"]
)
def test_what_connections_have_too_keeps_tcp(clause: str) -> None:
    rule = rule_of(f"deny x: a -> all {{ {clause} }}")

    assert [place.ports for place in rule.destinations] == [(5432, 8080), (6379,)]
    assert rule.skipped == ()


def test_an_http_test_counts_although_another_swallows_it() -> None:
    rule = rule_of('deny x: a -> all { when source in { anyone } or path == "/" }')

    assert rule.when == Always()
    assert [place.node for place in rule.destinations] == ["b"]


def test_client_ip_is_read_behind_gateways_alone() -> None:
    mesh = mesh_of(
        "gateway g { port http 80 }\nservice b { port http 80 }\n"
        'zone edges = { g }\nallow x: edges -> b { when client.ip in "10.0.0.0/8" }'
    )

    assert mesh.rules[0].sources.members == ("g",)
