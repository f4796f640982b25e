"""Callers of domains that a side does not trust: what is said of them, and what their own proxies do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.building import branch, gateway, mesh, route_to, rule, service, target
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.matchers import Exact, Present, Regex
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope
from meshproof.compiler.ir.predicate import Predicate, SourceIdentity, Test, negation
from meshproof.compiler.ir.routing import HeaderAction, HeaderEdit, Settings
from meshproof.compiler.verify.semantic_diff import semantic_diff
from meshproof.compiler.verify.semantic_diff_values import DiffVerdict

DAY = date(2026, 11, 23)
HEAD = 'mesh m { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }\n'
EDGE = 'gateway edge { namespace ops  hosts "x.example"  port http 80 -> 8080 }\n'
OBSERVED = 'namespace ops { observe { because "moving in"  owner "o"  until 2027-01-31 } }\n'
KNOWN = "service web { }\nallow known: web -> edge\n"
EDITED = Settings(headers=(HeaderEdit(HeaderAction.SET, "x-a", "1"),))
PARTNER = "partner.example"


def test_an_exception_is_made_of_anyone_and_strangers_are_named_besides() -> None:
    """`anyone` is whoever has a verified identity, or none: `anyone except web` takes no stranger."""
    old, new = (mesh_of(HEAD + EDGE + KNOWN + more, has_mesh=True) for more in ("", OBSERVED))
    found = semantic_diff(old, new, DAY)

    told = {one.destinations: one.sources for one in found.newly_allowed}
    assert told["edge:http",] == ("anyone except web", "identities of other trust domains")


def routed(condition: Predicate, *, trusts: tuple[str, ...] = ()) -> Mesh:
    """What `condition` takes goes to another version with another header, which is another way whoever may call."""
    taken = branch(condition, target(version="v2"), name="some", settings=EDITED)
    rest = branch(None, target(version="v1"), name="rest")
    versioned = replace(service(), versions=("v1", "v2"))
    base = replace(mesh(rule()), services=(versioned,), gateways=(), trusts=trusts)
    return replace(base, routes=(route_to(versioned.name, taken, rest),))


@pytest.mark.parametrize(
    "condition",
    [
        Test(SourceIdentity(), Exact(f"spiffe://{PARTNER}/ns/pay/sa/a")),
        Test(SourceIdentity(), Regex("spiffe://[^/]+/ns/pay/sa/[^/]+")),
        Test(SourceIdentity(), Present()),
    ],
    ids=["exact", "anywhere", "present"],
)
def test_a_proxy_knows_its_workload_whether_the_called_trusts_it_or_not(condition: Predicate) -> None:
    old, new = routed(condition), routed(condition, trusts=(PARTNER,))

    assert semantic_diff(old, new, DAY).rerouted == ()
    back = semantic_diff(new, routed(negation(condition)), DAY)
    assert back.is_complete
    assert back.rerouted


def test_a_gateway_that_says_how_it_ends_tls_takes_every_domain() -> None:
    """Envoy looks there only at who signed: to trust a domain more opens nothing (ADR 0135)."""
    edge = gateway()
    statement = MtlsPolicy(PortScope(edge.name, 8080), MtlsMode.STRICT, edge.origin)
    shown = replace(rule(), destinations=(Destination(edge.name, (8080,)),))
    old = replace(mesh(shown), services=(), mtls=(statement,))

    assert semantic_diff(old, replace(old, trusts=(PARTNER,)), DAY).verdict is DiffVerdict.EQUAL
    assert semantic_diff(old, replace(old, trusts=(PARTNER,), mtls=()), DAY).verdict is DiffVerdict.LOOSER
