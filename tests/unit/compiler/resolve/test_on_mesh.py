"""Single claims, tests and requests about a mesh that was resolved before."""

from __future__ import annotations

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.resolve import resolve_claims, resolve_request, resolve_tests
from meshproof.dsl.ast.claims import AtMostAttempts, Claim, OnlyReaches, Prove
from meshproof.dsl.ast.tests import Case, CaseRequest, Suite
from meshproof.dsl.ast.values import Name, Text
from meshproof.dsl.parser import parse_line
from meshproof.dsl.source import SourceFile

WORLD = """
service a { port http 80 }
service b { port http 80 -> 8080  tags t  accepts idp }
issuer idp { url "https://idp" }
authorizer opa { address "opa:1" }
gateway edge { hosts "x.example"  port http 80 }
external out { hosts "y.example"  port tcp 1 }
zone z = tagged t
allow r: a -> z
"""


def line(text: str) -> Claim | Case | CaseRequest:
    parsed = parse_line(SourceFile("<query>", text)).line
    assert parsed is not None
    return parsed


def claims(text: str) -> Prove:
    written = line(text)
    assert isinstance(written, OnlyReaches | AtMostAttempts)
    return Prove(Text("query"), (), (written,))


def test_a_claim_means_the_same_as_in_the_policy() -> None:
    mesh = mesh_of(WORLD)
    inside = mesh_of(WORLD + 'prove "query" { only { a, z } reaches z }').proofs[0]
    found, diagnostics = resolve_claims(claims("only { a, z } reaches z"), mesh)

    assert diagnostics == ()
    assert found is not None
    assert found.claims[0].statement == inside.claims[0].statement


def test_an_error_leaves_nothing() -> None:
    found, diagnostics = resolve_claims(claims("only zz reaches z"), mesh_of(WORLD))

    assert found is None
    assert [one.code for one in diagnostics] == ["MP201"]


def test_a_test_line() -> None:
    written = line("a -> b:http GET / with token from idp, opa == deny => allow by r")
    assert isinstance(written, Case)
    found, diagnostics = resolve_tests(Suite(Name("query"), (written,)), mesh_of(WORLD))

    assert diagnostics == ()
    assert found is not None
    assert found.lines[0].requests[0].answers == (("opa", False),)


def test_a_request() -> None:
    written = line("internet -> edge GET /x")
    assert isinstance(written, CaseRequest)
    found, diagnostics = resolve_request(written, mesh_of(WORLD))

    assert diagnostics == ()
    assert found is not None
    assert [(request.host, request.path) for request in found] == [("x.example", "/x")]


def test_a_request_that_names_an_external_as_source_is_refused() -> None:
    written = line("out -> b:http GET /x")
    assert isinstance(written, CaseRequest)
    found, diagnostics = resolve_request(written, mesh_of(WORLD))

    assert found is None
    assert [one.code for one in diagnostics] == ["MP203"]
