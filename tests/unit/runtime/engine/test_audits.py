"""Audited rules are named where they are met, and nowhere else; the interpreter says where that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics.decide import decide
from meshproof.runtime.engine.audits import audits
from meshproof.runtime.engine.engine import Engine

DAY, AFTER = date(2026, 11, 23), date(2027, 2, 1)
TEXT = """
mesh m { language 1  trust-domain "ours.example"  namespace shop
  mtls permissive { because "b" owner "o" until 2028-01-31 } }
authorizer opa { address "opa:9191"  protocol http  timeout 100ms }
service front { port http 80 -> 8080 }
service shop { port http 80 -> 8080  port db tcp 5432  observe { because "b" owner "o" until 2028-01-31 } }
allow read: front -> shop:http { GET /items/** }
audit deny no-plain: plaintext -> all { because "b" owner "o" until 2027-01-31 }
audit deny no-one: front -> shop:http { GET /items/1 because "b" owner "o" until 2027-01-31 }
audit allow more: front -> shop { because "b" owner "o" until 2027-01-31 }
audit ask asked: front -> shop:http { GET /items/** via opa because "b" owner "o" until 2027-01-31 }
"""
POLICY = policy_of_texts({"m.mesh": TEXT})
FRONT = "spiffe://ours.example/ns/shop/sa/front"
SHOP = NodeName("shop")


def _mesh() -> Mesh:
    assert POLICY.meshes, POLICY.diagnostics
    return POLICY.meshes[0]


def _request(identity: str | None, path: str | None, port: int = 8080) -> Request:
    protocol = RequestProtocol.TCP if path is None else RequestProtocol.HTTP
    method = None if path is None else "GET"
    return Request(
        source=Peer(identity, "10.0.0.1"), destination=SHOP, port=port, protocol=protocol, method=method, path=path
    )


CASES = [
    (_request(FRONT, "/items/1"), ("more", "no-one")),
    (_request(FRONT, "/items/2"), ("more",)),
    (_request(FRONT, "/else"), ("more",)),
    (_request(None, "/items/1"), ("no-plain",)),
    (_request(None, None, 5432), ("no-plain",)),
    (_request(FRONT, None, 5432), ("more",)),
    (_request("spiffe://ours.example/ns/shop/sa/other", "/items/1"), ()),
    (_request(FRONT, "/%zz"), ()),
]


@pytest.mark.parametrize(("request_", "met"), CASES)
def test_each_rule_is_named_where_it_is_met(request_: Request, met: tuple[str, ...]) -> None:
    engine = audits(_mesh())
    assert engine is not None
    assert engine.decide(request_, DAY).determined_by == met
    assert engine.decide(request_, AFTER).determined_by == ()  # an audit ends with its day


@pytest.mark.parametrize(("request_", "met"), CASES)
def test_the_interpreter_meets_the_same_rules_one_by_one(request_: Request, met: tuple[str, ...]) -> None:
    mesh = _mesh()
    found: list[str] = []
    for rule in mesh.rules:
        if not rule.is_enforced and rule.effect is not Effect.ASK:
            alone = replace(mesh, rules=(replace(rule, effect=Effect.ALLOW, is_enforced=True),))
            found += decide(alone, request_, DAY).determined_by
    assert tuple(sorted(found)) == met


def test_audited_rules_decide_nothing() -> None:
    mesh = _mesh()
    without = replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.is_enforced))
    for request, _ in CASES:
        assert Engine(mesh).decide(request, DAY) == Engine(without).decide(request, DAY)


def test_a_policy_without_them_has_no_second_engine() -> None:
    mesh = _mesh()
    assert audits(replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.is_enforced))) is None
