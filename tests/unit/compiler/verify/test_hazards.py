from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.verify import Analysis, HazardKind, rule_hazards

DAY = date(2026, 11, 23)
DECLARED = "service web { }\nservice api { port http 8080 }\nservice other { port http 8080 }\n"


def test_both_requests_are_shown_and_differ_in_the_attribute_alone() -> None:
    rule = 'allow r: web -> api { GET /a  when header["x"] != "1" }'
    (found,) = rule_hazards(Analysis(mesh_of(f"{DECLARED}{rule}"), DAY)).found

    assert (found.kind, found.rule, found.name) == (HazardKind.LOST_BY_ADDITION, "r", 'header["x"]')
    assert found.without.request.headers == ()
    assert found.having.request.headers == (("x", "1"),)
    assert found.without.decisions[0].is_allowed
    assert not found.having.decisions[0].is_allowed
    assert found.without.request.path == found.having.request.path == "/a"


def test_a_port_that_cannot_be_decided_hides_no_other_and_is_told() -> None:
    text = (
        f"{DECLARED}"
        'allow r: web -> { api, other } { GET /a  when header["x"] != "1" }\n'
        'deny large: web -> api { when header["y"] matches re"(a|b)*a(a|b){14}" }\n'
    )
    result = rule_hazards(Analysis(mesh_of(text), DAY))

    assert [(one.rule, str(one.without.request.destination)) for one in result.found] == [("r", "other")]
    assert {one.rule for one in result.undecided} == {"r", "large"}


def test_an_ask_has_none() -> None:
    text = (
        f"{DECLARED}"
        'authorizer opa { address "opa:1" protocol grpc }\n'
        "allow a: web -> api { GET /** }\n"
        'ask r: web -> api { when header["x"] == "1" via opa }\n'
    )

    assert rule_hazards(Analysis(mesh_of(text), DAY)).found == ()
