"""Senders whose proxies show no identity, by DestinationRules: what is decided about their identities is unknown."""

from __future__ import annotations

import pytest
from tests.strategies.istio_expectations import custom_object
from tests.strategies.istio_lifting import OTHER, TCP, WEB, WORKLOAD, allows, judged, lift, policy, read

from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.semantics import NotModelled

ONLY_WEB = policy("rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]")
HOST = "api.shop.svc.cluster.local"
STRANGER = "spiffe://cluster.local/ns/shop/sa/stranger"


def rule(policy_: str, namespace: str = "shop", host: str = HOST, more: str = "") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: r-{namespace}, namespace: {namespace}}}\n"
        f"spec: {{host: '{host}', trafficPolicy: {policy_}{more}}}\n---\n"
    )


def mesh(*rules: str, mode: str = "STRICT") -> Mesh:
    peer = custom_object("PeerAuthentication", f"mtls: {{mode: {mode}}}", namespace="istio-system")
    return lift(WORKLOAD + ONLY_WEB + peer + "".join(rules))


@pytest.mark.parametrize("mode", ["DISABLE", "SIMPLE", "MUTUAL"])
@pytest.mark.parametrize("server", ["STRICT", "PERMISSIVE"])
def test_an_identity_that_is_not_shown_is_no_answer(mode: str, server: str) -> None:
    found = mesh(rule(f"{{tls: {{mode: {mode}}}}}"), mode=server)
    with pytest.raises(NotModelled, match="show their identity to api"):
        judged(found)
    with pytest.raises(NotModelled):
        judged(found, identity=OTHER)
    assert not allows(found, identity=None)  # decided as it comes


def test_the_tls_of_the_mesh_and_what_says_nothing_of_tls_show_it() -> None:
    for policy_ in ("{tls: {mode: ISTIO_MUTUAL}}", "{loadBalancer: {simple: RANDOM}}"):
        found = mesh(rule(policy_))
        assert [allows(found, identity=one) for one in (WEB, OTHER)] == [True, False]


def test_nobody_has_an_identity_where_mtls_is_disabled_so_nothing_is_unknown() -> None:
    found = mesh(rule("{tls: {mode: DISABLE}}"), mode="DISABLE")
    assert not any("client-tls" in one.id for one in found.rules)
    assert judged(found, identity=None).reason is Reason.DEFAULT


def test_a_rule_of_the_sender_s_namespace_is_for_its_senders_alone() -> None:
    found = mesh(rule("{tls: {mode: DISABLE}}", namespace="other"))
    assert allows(found)
    assert not allows(found, identity=STRANGER)
    with pytest.raises(NotModelled):
        judged(found, identity=OTHER)


def test_a_port_of_its_own_is_the_only_one() -> None:
    settings = "{portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]}"
    found = mesh(rule(settings))
    with pytest.raises(NotModelled):
        judged(found)
    assert allows(found, TCP)


def test_a_version_may_be_the_one_that_is_called() -> None:
    subsets = ", subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {tls: {mode: DISABLE}}}]"
    with pytest.raises(NotModelled):
        judged(mesh(rule("{tls: {mode: ISTIO_MUTUAL}}", more=subsets)))


def test_what_is_refused_whoever_sends_it_is_refused() -> None:
    deny = policy("action: DENY\nrules: [{to: [{operation: {methods: [PUT]}}]}]", name="d")
    found = lift(WORKLOAD + ONLY_WEB + deny + rule("{tls: {mode: SIMPLE}}"))
    assert judged(found, method="PUT").reason is Reason.RULE


def test_a_wildcard_of_the_senders_hides_the_owner_s_rule() -> None:
    owner = rule("{tls: {mode: ISTIO_MUTUAL}}")
    found = mesh(owner, rule("{tls: {mode: DISABLE}}", namespace="other", host="*.svc.cluster.local"))
    assert allows(found)
    with pytest.raises(NotModelled):
        judged(found, identity=OTHER)


def test_nodes_that_are_known_from_elsewhere_are_compared_beside_the_mesh() -> None:
    text = WORKLOAD + ONLY_WEB + rule("{tls: {mode: DISABLE}}")
    known = read(text).mesh
    assert known is not None
    again = read(text, known=known).mesh
    assert again is not None
    assert not any("client-tls" in one.id for one in again.rules)
