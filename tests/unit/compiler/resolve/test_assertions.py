"""Claims: each form as the IR has it."""

from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir import assertions as ir
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.predicate import Always, And, Claim, Method, Or, Path, Test, TokenIssuer
from meshproof.compiler.resolve.callers import below, exactly, takes

WORLD = """
issuer idp { url "https://idp" }
service a { port http 80 }
service b { port http 81 -> 8081  port db tcp 5432 }
service twin { account a }
external out { hosts "x.example"  port tcp 1 }
gateway edge { port http 80 }
"""
A = exactly("spiffe://td/ns/app/sa/a")
GET_X = And((Test(Method(), Exact("GET")), Test(Path(), Exact("/x"))))


def claim_of(text: str) -> ir.Statement:
    (prove,) = mesh_of(WORLD + f'prove "p" {{ {text} }}').proofs
    return prove.claims[0].statement


def test_only_reaches() -> None:
    claim = claim_of("only a reaches b:db")

    assert isinstance(claim, ir.OnlyReaches)
    assert (claim.sources.matches, claim.sources.members, claim.sources.shared) == (A, ("a",), ("twin",))
    assert [(place.node, place.ports) for place in claim.destinations] == [("b", (5432,))]
    assert claim.narrowing == Always()


def test_operations_and_condition_narrow() -> None:
    claim = claim_of("no request from a to b GET /x when has token")

    assert isinstance(claim, ir.NoRequest)
    assert claim.narrowing == And((*GET_X.operands, Test(TokenIssuer(), Present())))
    assert [place.ports for place in claim.destinations] == [(5432, 8081)]


def test_every_request() -> None:
    claim = claim_of("every request from a to b is GET /x PUT /x")
    assert isinstance(claim, ir.EveryRequestIs)
    assert claim.required == Or((GET_X, And((Test(Method(), Exact("PUT")), Test(Path(), Exact("/x"))))))
    claim = claim_of("every request to b is mtls")
    assert isinstance(claim, ir.EveryRequestIsMtls)
    assert claim.sources is None
    claim = claim_of("every request to b GET /x satisfies has token")
    assert isinstance(claim, ir.EveryRequestSatisfies)
    assert (claim.narrowing, claim.required) == (GET_X, Test(TokenIssuer(), Present()))


def test_can() -> None:
    claim = claim_of("a can reach b:http GET /x")
    assert isinstance(claim, ir.CanReach)
    assert claim.narrowing == GET_X
    claim = claim_of('a can call b:http GET /x with token from idp, claim["s"] == "pay"')
    assert isinstance(claim, ir.CanCall)
    assert claim.operation == GET_X
    assert claim.givens == And((Test(TokenIssuer(), Exact("https://idp")), Test(Claim(("s",)), Exact("pay"))))


def test_paths() -> None:
    claim = claim_of("no path from { internet, a } to out bypassing { b, edge } within 3 hops")

    assert isinstance(claim, ir.NoPath)
    assert claim.sources.has_internet
    assert claim.bypassing is not None
    assert claim.bypassing.members == ("b", "edge")
    assert claim.within_hops == 3


def test_isolation_takes_each_side_both_ways() -> None:
    claim = claim_of("namespace app is isolated from { out, namespace dev }")

    assert isinstance(claim, ir.IsIsolated)
    assert [place.node for place in claim.left_destinations] == ["a", "b", "twin"]
    assert claim.right.matches == below("spiffe://td/ns/dev/")
    assert [place.node for place in claim.right_destinations] == ["out"]


def test_what_only_calls_is_no_destination_of_isolation() -> None:
    claim = claim_of("internet is isolated from b")

    assert isinstance(claim, ir.IsIsolated)
    assert (claim.left.has_internet, claim.left_destinations) == (True, ())


def test_mirrors_and_attempts() -> None:
    claim = claim_of("no mirror from b leaves namespace app")
    assert isinstance(claim, ir.NoMirrorLeaves)
    assert (claim.zone, claim.zone_text) == (("a", "b", "twin"), "namespace app")
    claim = claim_of("at most 3 attempts from edge")
    assert isinstance(claim, ir.AtMostAttempts)
    assert (claim.attempts, claim.sources.members) == (3, ("edge",))


def test_a_claim_about_a_set_covers_a_member_whose_identity_is_taken_out() -> None:
    every = claim_of("no request from all except twin to b")
    only = claim_of("only all except twin reaches b")

    assert isinstance(every, ir.NoRequest)
    assert isinstance(only, ir.OnlyReaches)
    assert "a" in every.sources.members
    assert takes(every.sources.matches, "spiffe://td/ns/app/sa/a")
    assert not takes(only.sources.matches, "spiffe://td/ns/app/sa/a")


def test_blocks_controls_and_assumptions() -> None:
    (prove,) = mesh_of(
        WORLD + 'prove "t" for pci-dss "1.4.2", nist "SC-7" {\n'
        '  assume unreachable namespace mon because "x" owner "y" until 2027-01-31\n  a can reach b\n}'
    ).proofs

    assert [(control.framework, control.control) for control in prove.controls] == [
        ("pci-dss", "1.4.2"),
        ("nist", "SC-7"),
    ]
    (assumption,) = prove.assumptions
    assert assumption.sources.matches == below("spiffe://td/ns/mon/")
    assert (assumption.because, assumption.owner, assumption.until) == ("x", "y", date(2027, 1, 31))


def test_claims_are_said_as_the_formatter_writes_them() -> None:
    (prove,) = mesh_of(WORLD + 'prove "t" { only   a\n reaches b:http }').proofs

    assert prove.claims[0].text == "only a reaches b:http"


def test_waivers_go_by_the_words_of_their_subject() -> None:
    mesh = mesh_of(
        'waive MP305 on charge because "x" owner "y" until 2027-01-01\nwaive MP405 on b:http\nwaive MP601 on "a title"'
    )

    assert [(waiver.code, waiver.subject, waiver.owner) for waiver in mesh.waivers] == [
        ("MP305", "charge", "y"),
        ("MP405", "b:http", None),
        ("MP601", "a title", None),
    ]
