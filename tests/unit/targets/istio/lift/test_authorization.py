"""How policies decide together: istio.md, sections 1 and 1.3 to 1.5."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import (
    HTTP,
    OTHER,
    TCP,
    WEB,
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
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.semantics import MissingAnswer, NotModelled

FROM_WEB = "rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]"
DENY_WEB = f"action: DENY\n{FROM_WEB}"
ALLOW_GET = "rules: [{to: [{operation: {methods: [GET]}}]}]"
SNIFFED = {"port": 9000}


def test_without_any_policy_everything_is_allowed() -> None:
    mesh = api()
    assert mesh.services[0].default_allow == (Layer.HTTP, Layer.TCP)
    assert allows(mesh)
    assert allows(mesh, identity=None)
    assert allows(mesh, TCP)
    assert judged(mesh).reason is Reason.DEFAULT


def test_the_first_policy_that_allows_refuses_the_rest() -> None:
    mesh = api(policy(FROM_WEB))
    assert allows(mesh)
    assert judged(mesh).determined_by == (RuleId("shop/p[0]"),)
    assert not allows(mesh, identity=OTHER)
    assert not allows(mesh, identity=None)


def test_a_policy_without_rules_allows_nothing() -> None:
    for spec in ("{}", "rules: []", "action: ALLOW"):
        text = policy(spec) if spec != "{}" else policy("selector: {}")
        mesh = api(text)
        assert not allows(mesh), spec
        assert not allows(mesh, TCP), spec
        assert mesh.rules == ()


def test_an_empty_rule_allows_everything() -> None:
    mesh = api(policy("rules: [{}]"))
    assert allows(mesh)
    assert allows(mesh, TCP, identity=None)
    assert mesh.services[0].default_allow == ()


def test_an_empty_rule_denies_everything() -> None:
    mesh = api(policy("action: DENY\nrules: [{}]"), policy("rules: [{}]", name="open"))
    assert not allows(mesh)
    assert judged(mesh).reason is Reason.RULE


def test_a_deny_alone_leaves_the_rest_open() -> None:
    mesh = api(policy(DENY_WEB))
    assert not allows(mesh)
    assert allows(mesh, identity=OTHER)


def test_policies_of_all_places_are_pooled_and_a_deny_wins() -> None:
    mesh = api(
        policy("rules: [{}]", name="wide", namespace="istio-system"),
        policy("selector: {matchLabels: {app: api}}\n" + ALLOW_GET, name="near"),
        policy(DENY_WEB, name="never", namespace="istio-system"),
    )
    assert not allows(mesh)
    assert allows(mesh, identity=OTHER, method="POST")
    assert judged(mesh, identity=OTHER).determined_by == (RuleId("istio-system/wide[0]"), RuleId("shop/near[0]"))


def test_items_are_alternatives_and_fields_must_all_be_met() -> None:
    mesh = api(
        policy(
            """
            rules:
            - from:
              - source: {namespaces: [shop], principals: ["*/sa/web"]}
              - source: {namespaces: [ops]}
              to:
              - operation: {methods: [GET, HEAD], paths: [/a]}
              - operation: {methods: [POST], paths: [/b]}
            """
        )
    )
    ops = "spiffe://cluster.local/ns/ops/sa/x"
    assert allows(mesh, path="/a")
    assert allows(mesh, method="HEAD", path="/a", identity=ops)
    assert allows(mesh, method="POST", path="/b")
    assert not allows(mesh, method="POST", path="/a")
    assert not allows(mesh, path="/a", identity="spiffe://cluster.local/ns/shop/sa/other")


def test_values_and_values_not_wanted_are_both_asked() -> None:
    mesh = api(policy('rules: [{when: [{key: "request.headers[x-a]", values: ["v*"], notValues: ["v9"]}]}]'))
    assert allows(mesh, headers=(("x-a", "v1"),))
    assert not allows(mesh, headers=(("x-a", "v9"),))
    assert not allows(mesh, headers=(("x-a", "v1"), ("x-a", "v9")))
    assert not allows(mesh)


# --- TCP -------------------------------------------------------------------------------------------


def test_an_allow_about_http_vanishes_on_tcp_and_still_closes_it() -> None:
    mesh = api(policy(ALLOW_GET))
    assert allows(mesh)
    assert not allows(mesh, TCP)
    assert judged(mesh, TCP).reason is Reason.DEFAULT


def test_one_field_of_http_takes_the_whole_allow_rule_off_tcp() -> None:
    mesh = api(policy("rules: [{to: [{operation: {ports: ['5432']}}, {operation: {methods: [GET]}}]}]"))
    assert not allows(mesh, TCP)
    apart = api(policy("rules: [{to: [{operation: {ports: ['5432']}}]}, {to: [{operation: {methods: [GET]}}]}]"))
    assert allows(apart, TCP)


def test_a_deny_about_http_takes_every_connection_on_tcp() -> None:
    mesh = api(policy("action: DENY\nrules: [{to: [{operation: {methods: [POST]}}]}]"))
    assert allows(mesh)
    assert not allows(mesh, method="POST")
    assert not allows(mesh, TCP)
    assert {rule.id for rule in mesh.rules} == {"shop/p[0]", "shop/p[0]@tcp"}


def test_a_deny_keeps_on_tcp_what_tcp_has() -> None:
    to = "to: [{operation: {paths: [/x], ports: ['%s']}}]"
    spec = "action: DENY\nrules: [{from: [{source: {namespaces: [shop]}}], " + to + "}]"
    assert not allows(api(policy(spec % 5432)), TCP)
    assert allows(api(policy(spec % 5432)), TCP, identity=OTHER)
    assert allows(api(policy(spec % 8080)), TCP)


def test_a_deny_with_an_alternative_of_http_alone_takes_all_of_tcp() -> None:
    spec = "action: DENY\nrules: [{from: [{source: {requestPrincipals: ['*']}}, {source: {namespaces: [ops]}}]}]"
    mesh = api(policy(spec))
    assert allows(mesh)
    assert not allows(mesh, TCP)


def test_a_sniffed_port_is_judged_by_what_is_spoken() -> None:
    mesh = api(policy("action: DENY\nrules: [{to: [{operation: {methods: [POST]}}]}]"))
    assert allows(mesh, HTTP, **SNIFFED)
    assert not allows(mesh, TCP, **SNIFFED)
    assert allows(mesh, HTTP, port=1234)
    assert not allows(mesh, TCP, port=1234)


# --- CUSTOM, AUDIT, dry run ------------------------------------------------------------------------

PROVIDERS = config(
    """
    extensionProviders:
    - name: opa
      envoyExtAuthzGrpc: {service: opa.auth.svc.cluster.local, port: 9191, timeout: 0.25s, failOpen: true}
    - name: web
      envoyExtAuthzHttp: {service: web.auth.svc.cluster.local, port: 80}
    """
)


def _custom(name: str, rules: str, policy_name: str = "ask") -> str:
    return policy(f"action: CUSTOM\nprovider: {{name: {name}}}\n{rules}", name=policy_name)


def test_an_external_authorizer_is_asked_for_what_matches() -> None:
    mesh = api(PROVIDERS, _custom("opa", "rules: [{to: [{operation: {paths: [/admin*]}}]}]"))
    assert allows(mesh, path="/x")
    assert allows(mesh, path="/admin", answers={"opa": True})
    assert not allows(mesh, path="/admin", answers={"opa": False})
    assert judged(mesh, path="/admin", answers={"opa": False}).reason is Reason.ASK
    with pytest.raises(MissingAnswer):
        judged(mesh, path="/admin")


def test_its_yes_allows_nothing_by_itself() -> None:
    mesh = api(PROVIDERS, _custom("opa", "rules: [{}]"), policy(FROM_WEB))
    assert not allows(mesh, identity=OTHER, answers={"opa": True})
    assert allows(mesh, answers={"opa": True})


def test_a_provider_of_http_is_asked_on_http_alone() -> None:
    asked = {"web": False, "opa": False}
    assert allows(api(PROVIDERS, _custom("web", "rules: [{}]")), TCP, answers=asked)
    assert not allows(api(PROVIDERS, _custom("opa", "rules: [{}]")), TCP, answers=asked)
    # The paths are left out on TCP, so every connection is asked.
    about_paths = api(PROVIDERS, _custom("opa", "rules: [{to: [{operation: {paths: [/x]}}]}]"))
    assert not allows(about_paths, TCP, answers=asked)


def test_a_provider_that_nobody_configured_refuses() -> None:
    mesh = api(_custom("nobody", "rules: [{to: [{operation: {paths: [/x]}}]}]"))
    assert not allows(mesh, path="/x")
    assert allows(mesh, path="/y")


def test_two_providers_refuse_unless_istiod_was_told() -> None:
    objects = (
        PROVIDERS,
        _custom("opa", "rules: [{to: [{operation: {paths: [/x]}}]}]"),
        _custom("web", "rules: [{}]", "b"),
    )
    one = api(*objects)
    assert not allows(one, path="/y", answers={"opa": True, "web": True})
    many = api(*objects, settings=(("istio.custom-providers", "many"),))
    assert allows(many, path="/x", answers={"opa": True, "web": True})
    assert not allows(many, path="/x", answers={"opa": False, "web": True})
    assert allows(many, path="/y", answers={"opa": False, "web": True})


def test_two_providers_refuse_connections_too_whatever_they_speak() -> None:
    """On a TCP chain the paths are left out, so every connection is refused."""
    objects = (
        PROVIDERS,
        _custom("nobody", "rules: [{to: [{operation: {paths: [/x]}}]}]"),
        _custom("web", "rules: [{to: [{operation: {paths: [/y]}}]}]", "b"),
    )
    said = {"opa": True, "web": True}
    assert not allows(api(*objects), TCP, answers=said)
    web_alone = api(PROVIDERS, _custom("web", "rules: [{to: [{operation: {paths: [/y]}}]}]"))
    assert allows(web_alone, TCP, answers=said)
    of_two = api(PROVIDERS, objects[2], _custom("opa", 'rules: [{to: [{operation: {ports: ["8080"]}}]}]', "c"))
    assert not allows(of_two, TCP, answers=said)


def test_two_policies_of_one_provider_are_one_question() -> None:
    mesh = api(PROVIDERS, _custom("opa", "rules: [{}]"), _custom("opa", "rules: [{}]", "b"))
    assert allows(mesh, answers={"opa": True})


def test_the_providers_are_in_the_mesh() -> None:
    mesh = api(PROVIDERS)
    assert [(one.name, one.protocol, one.address, one.timeout_ms, one.fails_open) for one in mesh.authorizers] == [
        ("opa", "grpc", "opa.auth.svc.cluster.local:9191", 250, True),
        ("web", "http", "web.auth.svc.cluster.local:80", None, False),
    ]


def test_an_audit_decides_nothing() -> None:
    mesh = api(policy("action: AUDIT\nrules: [{}]"))
    assert mesh.rules == ()
    assert allows(mesh)


@pytest.mark.parametrize(
    ("value", "is_dry"), [('"true"', True), ('"T"', True), ('"1"', True), ('"false"', False), ('"yes"', False)]
)
def test_a_dry_run_decides_nothing_and_closes_nothing(value: str, is_dry: bool) -> None:
    annotations = f"{{istio.io/dry-run: {value}}}"
    assert allows(api(policy(FROM_WEB, annotations=annotations)), identity=OTHER) is is_dry
    assert allows(api(policy(DENY_WEB, annotations=annotations))) is is_dry


# --- attachment ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "labels", "is_selected"),
    [
        ("shop", "{app: api}", True),
        ("shop", "{app: api, version: v1}", True),
        ("shop", "{app: api, version: v2}", False),
        ("shop", "{}", True),
        ("other", "{}", False),
        ("other", "{app: api}", False),
        ("istio-system", "{}", True),
        ("istio-system", "{app: api}", True),
        ("istio-system", "{app: web}", False),
    ],
)
def test_selectors_are_over_labels_of_pods(namespace: str, labels: str, is_selected: bool) -> None:
    mesh = api(policy(f"selector: {{matchLabels: {labels}}}", namespace=namespace))
    assert allows(mesh) is not is_selected


def test_target_references_are_not_for_sidecars() -> None:
    assert allows(api(policy('targetRef: {group: "", kind: Service, name: api}')))


def test_the_root_namespace_is_configured() -> None:
    closing = policy("selector: {}", namespace="mesh-root")
    assert allows(api(closing))
    assert not allows(api(closing, config("rootNamespace: mesh-root")))
    assert not allows(api(closing, settings=(("istio.root-namespace", "mesh-root"),)))


def test_a_policy_for_all_closes_its_namespace_for_workloads_that_nobody_knows() -> None:
    def closed(*objects: str) -> set[str]:
        return {one.name for one in api(*objects).namespaces if one.is_closed}

    assert closed(policy("selector: {}")) == {"shop"}
    assert closed(policy("selector: {}", namespace="istio-system")) == {"istio-system", "shop"}
    assert closed(policy("selector: {}"), policy("rules: [{}]", name="open")) == set()
    assert closed(policy("selector: {matchLabels: {app: api}}")) == set()


# --- what admission refuses ------------------------------------------------------------------------


def test_a_policy_with_a_refused_value_may_be_in_force_or_not() -> None:
    found = read(WORKLOAD + policy("rules: [{to: [{operation: {ports: [http]}}]}]"))
    assert [one.code for one in found.diagnostics] == ["MP712"]
    assert found.mesh is not None
    with pytest.raises(NotModelled):
        judged(found.mesh)


def test_an_unknown_field_of_a_rule_makes_that_rule_uncertain_alone() -> None:
    text = policy("rules: [{to: [{operation: {methods: [GET], verbs: [x]}}]}, {to: [{operation: {methods: [PUT]}}]}]")
    found = read(WORKLOAD + text)
    assert [one.code for one in found.diagnostics] == ["MP711"]
    assert found.mesh is not None
    assert allows(found.mesh, method="PUT")
    assert not allows(found.mesh, method="POST")
    with pytest.raises(NotModelled):
        judged(found.mesh)


def test_places_are_those_of_the_rules() -> None:
    found = read(WORKLOAD + policy("rules:\n- {}\n- to: [{operation: {methods: [GET]}}]"))
    assert found.mesh is not None
    lines = [found.context.sources[0].position(rule.origin.span.start).line for rule in found.mesh.rules]
    first = found.context.sources[0].text.splitlines().index("  - {}") + 1
    assert lines == [first, first + 1]


def test_workloads_outside_of_the_mesh_refuse_nothing() -> None:
    outside = WORKLOAD.replace("version: v1}", 'version: v1, sidecar.istio.io/inject: "false"}')
    mesh = lift(outside + policy("selector: {}"))
    assert allows(mesh, identity=None)
    assert mesh.services[0].identity.trust_domain == "outside.invalid"
    assert WEB
