from __future__ import annotations

from tests.unit.compiler.driver.policies import DAY, TEA, policy

from meshproof.compiler.driver.asking import requests_in
from meshproof.compiler.driver.explaining import explain
from meshproof.compiler.report.model_why import Explanation

TWO = 'allow fill: shop -> kettle {\n    PUT /water\n    when header["x-clean"] == "yes"\n}\n'


def explained(text: str, *parts: str) -> Explanation:
    mesh = policy(TEA, *parts).meshes[0]
    asked = requests_in(mesh, text)
    assert asked.requests, asked.diagnostics
    return explain(mesh, asked.requests, DAY)[0]


def test_the_rule_that_decided_is_there_with_what_it_became() -> None:
    found = explained("shop -> kettle:http POST /boil")

    assert [(rule.rule, rule.effect) for rule in found.rules] == [("boil", "allow")]
    assert [(one.target, one.piece.kind) for one in found.rules[0].emitted] == [
        ("app-mesh", "GatewayRoute"),
        ("app-mesh", "GatewayRoute"),
        ("istio", "AuthorizationPolicy"),
        ("native", "rule"),
    ]


def test_no_target_is_named_that_cannot_say_the_policy() -> None:
    near = 'allow look: shop -> kettle {\n    GET /log\n    when source.ip in "10.0.0.0/8"\n}\n'

    found = explained("shop -> kettle:http POST /boil", near)

    assert {one.target for one in found.rules[0].emitted} == {"istio", "native"}


def test_the_allow_that_lacks_least_is_nearest() -> None:
    found = explained("shop -> kettle:http PUT /water", TWO)

    assert [miss.rule for miss in found.nearest] == ["boil", "fill"]
    lacking = {miss.rule: [(one.field, one.has) for one in miss.missing] for miss in found.nearest}
    assert lacking == {"boil": [("operation", "PUT /water")], "fill": [('header["x-clean"]', "absent")]}


def test_who_calls_is_named_and_so_is_who_may() -> None:
    found = explained("spy -> kettle:http GET /level")

    missing = found.nearest[0].missing[0]
    assert (missing.field, missing.needs, missing.has) == ("source", "shop", "spy")


def test_an_operation_is_shown_as_it_is_written() -> None:
    found = explained("shop -> kettle:http GET /boil")

    assert found.nearest[0].missing[0].needs == "POST /boil or GET /level"


def test_what_a_deny_refuses_has_no_near_misses() -> None:
    found = explained("shop -> kettle:http POST /boil", "deny stop: anyone -> kettle { * /boil }\n")

    assert [rule.rule for rule in found.rules] == ["stop"]
    assert found.nearest == ()


def test_transport_says_the_mode_and_what_the_caller_has() -> None:
    assert explained("plaintext -> kettle:http POST /boil").note == (
        "mTLS is strict there, and the caller has no identity"
    )
