"""Whose identity is seen where rules decide: nobody's at gateways that ask for none, each sender's outside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.compiler.driver.policies import DAY

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.express.seen_callers import as_seen, seen_alike
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
)
from meshproof.compiler.verify.semantic_diff import semantic_diff

EDGE = NodeName("edge")
KNOWN = Test(SourceIdentity(), Present())
WEB = Test(SourceIdentity(), Exact("spiffe://cluster.local/ns/shop/sa/web"))
TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }
gateway edge { hosts "shop.example.com"  port https 443 -> 8443  port http 80 -> 8080  certificate "c" }
external bank { hosts "bank.example.com"  port tcp 443 }
service web { port http 8080 }
allow public: internet -> edge
allow out: web -> bank
"""


def _mesh(text: str = TEXT) -> Mesh:
    found = policy_of_texts({"shop.mesh": text})
    assert found.is_judgeable, found.diagnostics
    return found.meshes[0]


def _files(*modes: tuple[int, MtlsMode]) -> Mesh:
    mesh = _mesh()
    statements = (MtlsPolicy(PortScope(EDGE, port), mode, mesh.origin) for port, mode in modes)
    return replace(mesh, mtls=(*mesh.mtls, *statements))


def _rule(mesh: Mesh, name: str, matches: Predicate, *, has_internet: bool = False) -> AuthzRule:
    rule = next(one for one in mesh.rules if one.id == name)
    sources = replace(rule.sources, matches=matches, has_internet=has_internet)
    (found,) = (one for one in as_seen(replace(mesh, rules=(replace(rule, sources=sources),))).rules)
    return found


BOTH = ((8443, MtlsMode.DISABLED), (8080, MtlsMode.DISABLED))


@pytest.mark.parametrize(
    ("matches", "has_internet", "takes_all"),
    [(Not(KNOWN), True, True), (KNOWN, False, False), (WEB, False, False), (Not(WEB), True, True), (WEB, True, True)],
)
def test_where_nobody_has_an_identity_a_rule_is_for_all_or_none(
    matches: Predicate, *, has_internet: bool, takes_all: bool
) -> None:
    found = _rule(_files(*BOTH), "public", matches, has_internet=has_internet)
    assert found.sources.matches == Never()
    assert found.sources.has_internet is takes_all


def test_a_rule_that_looks_at_nobody_is_left_as_it_is() -> None:
    assert _rule(_files(*BOTH), "public", Always(), has_internet=True).sources.matches == Always()


@pytest.mark.parametrize("modes", [(), BOTH[:1], ((8443, MtlsMode.DISABLED), (8080, MtlsMode.PERMISSIVE))])
def test_where_somebody_may_have_one_it_is_left_as_it_is(modes: tuple[tuple[int, MtlsMode], ...]) -> None:
    assert _rule(_files(*modes), "public", WEB).sources.matches == WEB


def test_a_condition_on_the_caller_is_settled_too() -> None:
    mesh = _files(*BOTH)
    rule = next(one for one in mesh.rules if one.id == "public")
    (found,) = as_seen(replace(mesh, rules=(replace(rule, when=Not(WEB)),))).rules
    assert found.when == Always()


def test_outside_what_is_not_known_of_nobody_is_left_out() -> None:
    mesh = _mesh()
    unknown = Opaque("the sender, who shows no identity (case 1)", mesh.origin)
    assert _rule(mesh, "out", Or((WEB, conjunction((Not(KNOWN), unknown))))).sources.matches == WEB
    found = _rule(mesh, "out", Or((Not(WEB), conjunction((Not(KNOWN), unknown)))))
    assert found.sources.matches == And((KNOWN, Not(WEB)))
    other = Or((conjunction((WEB, unknown)), Not(KNOWN)))
    assert _rule(mesh, "out", other).sources.matches == conjunction((WEB, unknown))


def test_a_gateway_of_the_language_sees_no_more_than_that_of_the_files() -> None:
    files, names = _files(*BOTH), {EDGE: EDGE}
    assert semantic_diff(files, _mesh(), DAY).newly_denied
    assert semantic_diff(files, seen_alike(files, _mesh(), names), DAY).regions == ()
    asking = _mesh(TEXT.replace('certificate "c"', 'certificate "c"  client-ca "d"'))
    assert seen_alike(files, asking, names) == asking
    assert seen_alike(files, _mesh(), {}) == _mesh()
