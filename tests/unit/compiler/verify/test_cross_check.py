"""A second opinion agrees, does not know, or is an error of ours; it never refutes."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.verify import Analysis, CrossCheck, OpinionsDisagree, cross_check
from meshproof.compiler.verify import second_opinion as module

WORLD = """
issuer idp { url "https://idp.example" jwks "https://idp.example/keys" audiences "shop" }
service front { port http 80 }
service shop  { port http 8080  port db tcp 5432  accepts idp }
service admin { namespace ops  port http 80 }
external api  { hosts "api.example" port https 443 }
allow read: front -> shop:http { GET|HEAD /items/** when header["x-tenant"] matches re"t[0-9]+" or query["all"] == "1" }
allow signed: anyone -> shop:http { POST /items/{id}  when token from idp and token.subject == "s" because "signed" }
allow db: front -> shop:db
deny no-admin: anyone -> shop:http { * /items/admin/**  unless source in namespace ops }
"""
HOLDS = (
    "only { front, authenticated } reaches shop",
    "no request from front to shop:http DELETE /**",
    "no request from front to shop GET /items/admin/**",
    "every request from front to shop:http is GET|HEAD /items/**",
    'every request to shop:http GET /** satisfies header["x-tenant"] startswith "t" or query["all"] == "1"',
    "every request to shop is mtls",
    'front can call shop:http GET /items/1 with header["x-tenant"] == "t1"',
)
BREAKS = (
    "front can call shop:http GET /items/1",
    "only plaintext reaches shop:db",
    "no request from front to shop GET /items/**",
    "every request from front to shop:http is GET /items/**",
    'every request to shop:http GET /** satisfies header["x-tenant"] startswith "t"',
)


def checked(claim: str) -> CrossCheck:
    mesh = mesh_of(WORLD + f'prove "p" {{ {claim} }}')
    (prove,) = mesh.proofs
    return cross_check(Analysis(mesh, date(2026, 11, 23)), prove.claims[0].statement)


@pytest.mark.parametrize("claim", [*HOLDS, *BREAKS])
def test_it_agrees_where_a_claim_holds_and_where_it_does_not(claim: str) -> None:
    found = checked(claim)
    assert found.is_confirmed
    assert "z3 strings" in {who for _, who in found.agreed}


@pytest.mark.parametrize("claim", [HOLDS[1], BREAKS[0]])
def test_it_is_an_error_of_ours_if_it_does_not(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def contrary(script: str, timeout_ms: int) -> bool | None:
        found = original(script, timeout_ms)
        return None if found is None else not found

    original = engines()["z3 strings"]
    monkeypatch.setattr(module, "engines", lambda: {"contrary": contrary})
    with pytest.raises(OpinionsDisagree, match="contrary finds"):
        checked(claim)


def test_what_takes_too_long_is_unknown_and_refutes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "engines", lambda: {"slow": lambda _script, _timeout_ms: None})
    found = checked(HOLDS[1])
    assert not found.is_confirmed
    assert found.unknown == (("shop:http", "slow: no answer in time"),)


def test_what_has_no_words_in_the_second_encoding_is_unknown() -> None:
    found = checked('no request from anyone to shop:http GET /x when source.ip in "10.0.0.0/8"')
    assert not found.is_confirmed
    assert found.unknown == (("shop:http", "strings: an attribute of the kind SourceIp is not encoded"),)


def test_claims_about_chains_have_no_second_encoding() -> None:
    found = checked("no path from admin to shop")
    assert not found.is_confirmed
    assert found.unknown == (("", "a claim of this kind has no second encoding"),)


def test_what_is_refuted_by_no_request_is_not_confirmed_by_one() -> None:
    found = checked("front can call admin:http GET /x")
    assert found.is_confirmed
    mesh = mesh_of(
        WORLD
        + """service job { }
        prove "p" { front can call { admin, job } GET /x }"""
    )
    statement = mesh.proofs[0].claims[0].statement
    assert not cross_check(Analysis(mesh, date(2026, 11, 23)), statement).is_confirmed


def test_nobody_knows_the_connection_of_an_external() -> None:
    assert checked("every request to api is mtls") == CrossCheck()


@pytest.mark.parametrize("mode", ["strict", "permissive", "disabled"])
@pytest.mark.parametrize("claim", ["no request from anyone to shop:db", "only plaintext reaches shop:db"])
def test_it_knows_who_has_an_identity_in_each_mode_of_transport(mode: str, claim: str) -> None:
    mesh = mesh_of(
        f"""service front {{ port http 80 }}
        service shop {{ port db tcp 5432 }}
        allow named: front -> shop:db
        mtls {mode} for shop {{ because "it is tried" until 2027-01-01 }}
        prove "p" {{ {claim} }}"""
    )
    found = cross_check(Analysis(mesh, date(2026, 11, 23)), mesh.proofs[0].claims[0].statement)
    assert found.is_confirmed
