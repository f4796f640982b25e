from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.verify import Analysis, HostTrust, host_trusts

DECLARED = """
gateway edge { hosts "a.example", "b.example"  port https 443 -> 8443  certificate "c" }
service web { }
service api { port http 8080 }
"""


def trusts(rules: str) -> list[HostTrust]:
    result = host_trusts(Analysis(mesh_of(f"{DECLARED}{rules}"), date(2026, 11, 23)))
    assert not result.undecided
    return list(result.found)


def test_a_deny_shows_the_request_that_gets_by_and_the_host_that_does_not() -> None:
    (found,) = trusts('allow a: web -> api { GET /** }\ndeny d: anyone -> api { when host == "x.example" }')

    assert found.rule == "d"
    assert found.witness.decisions[0].is_allowed
    assert found.witness.request.host == "api"
    assert found.other.request.host == "x.example"
    assert found.other.blamed == ("d",)


def test_the_caller_that_is_shown_is_no_gateway() -> None:
    (found,) = trusts(
        'allow a: { edge, web } -> api { GET /** }\ndeny d: anyone -> api { when host == "x.example" }',
    )

    assert found.witness.request.source.identity == "spiffe://td/ns/app/sa/web"


def test_what_only_gateways_are_let_do_and_gateways_themselves_are_left_alone() -> None:
    assert trusts('allow a: edge -> api { GET /** }\ndeny d: anyone -> api { when host == "x.example" }') == []
    assert trusts('allow a: internet -> edge { when host == "a.example" }') == []


def test_an_allow_needs_to_be_for_every_identity_and_about_the_host_alone() -> None:
    (found,) = trusts('allow a: authenticated -> api { when host == "x.example" }')

    assert found.rule == "a"
    assert found.witness.request.host == "x.example"
    assert not found.other.decisions[0].is_allowed
    assert trusts('allow a: web -> api { when host == "x.example" }') == []
    assert trusts('allow a: authenticated -> api { GET /a  when host == "x.example" }') == []
    assert trusts('allow a: authenticated -> api { when host == "x" and has header["y"] }') == []


def test_a_host_that_makes_no_difference_is_no_finding() -> None:
    assert trusts('allow a: authenticated -> api { when host == "x" or not host == "x" }') == []
    assert trusts('allow a: web -> api { GET /a }\ndeny d: web -> api { PUT /a  when host == "x.example" }') == []
