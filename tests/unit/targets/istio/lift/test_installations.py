"""The mesh configuration in objects of installers."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import WORKLOAD, allows, config, judged, lift, policy, read

from meshproof.compiler.semantics import NotModelled

OPERATOR = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: %s, namespace: istio-system}\n"
SAIL = "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: default}\n"
ONLY_WEB = policy("rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]")
OURS = "spiffe://td1/ns/shop/sa/web"


def operator(spec: str, name: str = "one") -> str:
    return f"{OPERATOR % name}spec: {spec}\n---\n"


@pytest.mark.parametrize(
    "text",
    [
        operator("{meshConfig: {trustDomain: td1}}"),
        operator("{values: {meshConfig: {trustDomain: td1}}}"),
        f"{SAIL}spec: {{namespace: istio-system, values: {{meshConfig: {{trustDomain: td1}}}}}}\n---\n",
        operator("{meshConfig: {trustDomain: td1}}") + operator("{meshConfig: {trustDomain: td1}}", "same"),
        operator("{meshConfig: {trustDomain: td1}}") + operator("{profile: empty}", "silent"),
    ],
)
def test_it_is_what_they_install(text: str) -> None:
    mesh = lift(WORKLOAD + ONLY_WEB + text)
    assert mesh.trust_domain == "td1"
    assert allows(mesh, identity=OURS)
    assert not allows(mesh)


def test_the_config_map_is_what_is_in_force() -> None:
    mesh = lift(WORKLOAD + ONLY_WEB + operator("{meshConfig: {trustDomain: td2}}") + config("trustDomain: td1"))
    assert mesh.trust_domain == "td1"


def test_several_that_differ_decide_nothing() -> None:
    text = operator("{meshConfig: {trustDomain: td1}}") + operator("{meshConfig: {trustDomain: td2}}", "two")
    found = read(WORKLOAD + ONLY_WEB + text)
    assert [one.code for one in found.diagnostics] == ["MP714"]
    assert found.mesh is not None
    with pytest.raises(NotModelled, match="meshConfig"):
        judged(found.mesh, identity=OURS)


def test_they_say_whether_a_workload_may_ask_several() -> None:
    providers = "{name: %s, envoyExtAuthzGrpc: {service: opa.shop.svc.cluster.local, port: 9191}}"
    listed = f"extensionProviders: [{providers % 'a'}, {providers % 'b'}]"
    asking = "".join(policy(f"action: CUSTOM\nprovider: {{name: {one}}}\nrules: [{{}}]", one) for one in ("a", "b"))
    said = {"a": True, "b": True}
    assert not allows(lift(WORKLOAD + asking + operator(f"{{meshConfig: {{{listed}}}}}")), answers=said)
    flag = "values: {pilot: {env: {PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: %s}}}"
    for value in ("true", '"true"'):
        many = operator(f"{{meshConfig: {{{listed}}}, {flag % value}}}")
        assert allows(lift(WORKLOAD + asking + many), answers=said)
        assert not allows(lift(WORKLOAD + asking + many, ("istio.custom-providers", "one")), answers=said)


def test_all_of_their_fields_are_accounted_for() -> None:
    text = operator("{profile: demo, meshConfig: {trustDomain: td1}, values: {pilot: {env: {PILOT_X: a}}}}")
    gaps = [(one.path, one.is_unknown) for one in read(text).accounts.gaps]
    assert gaps == [("spec.values.pilot.env.PILOT_X", False)]
