"""PeerAuthentications: istio.md, section 8."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.istio_lifting import (
    DAY,
    HTTP,
    NODE,
    TCP,
    WORKLOAD,
    allows,
    api,
    config,
    judged,
    lift,
    policy,
    read,
)

from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, effective_policy
from meshproof.compiler.semantics import NotModelled


def peer(spec: str, name: str = "p", namespace: str = "shop", created: str = "") -> str:
    created = f", creationTimestamp: {created}" if created else ""
    return (
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        f"metadata: {{name: {name}, namespace: {namespace}{created}}}\nspec: {spec}\n---\n"
    )


def mode(mesh: Mesh, port: int = 8080, day: date = DAY) -> MtlsMode:
    found = effective_policy(mesh.mtls, NODE, "shop", port, day)
    assert found is not None
    return found.mode


API = "selector: {matchLabels: {app: api}}"
STRICT, PERMISSIVE, DISABLED = MtlsMode.STRICT, MtlsMode.PERMISSIVE, MtlsMode.DISABLED


def test_without_a_word_either_is_taken() -> None:
    mesh = api()
    assert mode(mesh) is PERMISSIVE
    assert allows(mesh, identity=None)


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([peer("{mtls: {mode: STRICT}}", namespace="istio-system")], STRICT),
        ([peer("{mtls: {mode: STRICT}}", namespace="other")], PERMISSIVE),
        ([peer("{mtls: {mode: STRICT}}")], STRICT),
        ([peer("{mtls: {mode: STRICT}}", namespace="istio-system"), peer("{mtls: {mode: DISABLE}}")], DISABLED),
        ([peer("{mtls: {mode: STRICT}}", namespace="istio-system"), peer("{mtls: {mode: UNSET}}")], STRICT),
        ([peer("{mtls: {mode: STRICT}}", namespace="istio-system"), peer("{mtls: {}}")], STRICT),
        ([peer("{mtls: {mode: STRICT}}"), peer(f"{{{API}, mtls: {{mode: PERMISSIVE}}}}", "w")], PERMISSIVE),
        ([peer("{mtls: {mode: STRICT}}"), peer(f"{{{API}}}", "w")], STRICT),
        (
            [peer("{mtls: {mode: STRICT}}"), peer("{selector: {matchLabels: {app: x}}, mtls: {mode: DISABLE}}", "w")],
            STRICT,
        ),
        # With a selector in the root namespace it is ignored; with one that is empty it is the mesh's.
        ([peer(f"{{{API}, mtls: {{mode: STRICT}}}}", namespace="istio-system")], PERMISSIVE),
        ([peer("{selector: {matchLabels: {}}, mtls: {mode: STRICT}}", namespace="istio-system")], STRICT),
        ([peer("{selector: {}, mtls: {mode: STRICT}}")], STRICT),
    ],
)
def test_the_closest_statement_that_says_a_mode_holds(objects: list[str], expected: MtlsMode) -> None:
    assert mode(api(*objects)) is expected


def test_ports_have_modes_of_their_own() -> None:
    ports = f"{{{API}, mtls: {{mode: STRICT}}, portLevelMtls: {{8080: {{mode: DISABLE}}, '7': {{mode: UNSET}}}}}}"
    mesh = api(peer(ports))
    assert mode(mesh, 8080) is DISABLED
    assert mode(mesh, 5432) is STRICT
    assert mode(mesh, 7) is STRICT
    without = api(peer(f"{{{API}, portLevelMtls: {{8080: {{mode: STRICT}}}}}}"))
    assert mode(without, 8080) is STRICT
    assert mode(without, 5432) is PERMISSIVE


def test_the_oldest_of_a_level_is_in_force_and_the_others_are_told() -> None:
    old = peer("{mtls: {mode: PERMISSIVE}}", "b", created='"2024-01-01T00:00:00Z"')
    new = peer("{mtls: {mode: STRICT}}", "a", created='"2025-01-01T00:00:00Z"')
    found = read(WORKLOAD + new + old)
    assert found.mesh is not None
    assert mode(found.mesh) is PERMISSIVE
    assert [(one.code, one.subject) for one in found.diagnostics] == [("MP714", "shop/a")]
    assert mode(api(peer("{mtls: {mode: PERMISSIVE}}", "b"), peer("{mtls: {mode: STRICT}}", "a"))) is STRICT


def test_strict_refuses_who_has_no_identity() -> None:
    mesh = api(peer("{mtls: {mode: STRICT}}"))
    assert allows(mesh)
    assert judged(mesh, identity=None).reason is Reason.TRANSPORT
    assert judged(mesh, TCP, identity=None).reason is Reason.TRANSPORT


def test_where_mtls_is_disabled_whoever_shows_an_identity_is_refused() -> None:
    mesh = api(peer("{mtls: {mode: DISABLE}}"))
    assert allows(mesh, identity=None)
    assert judged(mesh).reason is Reason.TRANSPORT


def test_permissive_lets_plaintext_meet_what_is_negated() -> None:
    allow = policy("rules: [{from: [{source: {notNamespaces: [ops]}}]}]")
    deny = policy("action: DENY\nrules: [{from: [{source: {notPrincipals: ['*']}}]}]", name="d")
    assert allows(api(allow), identity=None)
    assert not allows(api(allow, deny), identity=None)
    assert allows(api(allow, deny))


def test_the_root_namespace_has_no_policies_for_workloads() -> None:
    text = WORKLOAD.replace("namespace: shop", "namespace: istio-system")
    mesh = lift(text + peer(f"{{{API}, mtls: {{mode: STRICT}}}}", namespace="istio-system"))
    found = effective_policy(mesh.mtls, mesh.services[0].name, "istio-system", 8080, DAY)
    assert found is not None
    assert found.mode is PERMISSIVE
    moved = lift(config("rootNamespace: root") + text + peer(f"{{{API}, mtls: {{mode: STRICT}}}}", "p", "istio-system"))
    found = effective_policy(moved.mtls, moved.services[0].name, "istio-system", 8080, DAY)
    assert found is not None
    assert found.mode is STRICT


def test_one_that_is_refused_leaves_the_weaker_mode_and_doubt() -> None:
    found = read(WORKLOAD + peer("{mtls: {mode: STRICT}}") + peer(f"{{{API}, mtls: {{mode: SIMPLE}}}}", "w"))
    assert [one.code for one in found.diagnostics] == ["MP712"]
    assert found.mesh is not None
    assert mode(found.mesh) is PERMISSIVE
    with pytest.raises(NotModelled):
        judged(found.mesh, HTTP)


@pytest.mark.parametrize(("kind", "expected"), [("NETWORK_FILTER", PERMISSIVE), ("HTTP_FILTER", STRICT)])
def test_no_proof_of_mtls_rests_on_a_proxy_whose_connections_a_filter_changes(kind: str, expected: MtlsMode) -> None:
    changed = (
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: f, namespace: shop}\n"
        f"spec: {{configPatches: [{{applyTo: {kind}, patch: {{operation: MERGE}}}}]}}\n---\n"
    )
    assert mode(api(peer("{mtls: {mode: STRICT}}"), changed)) is expected
