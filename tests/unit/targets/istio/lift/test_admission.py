"""What Kubernetes and Istio refuse, with the field and the line: istio.md, section 13."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import WORKLOAD, allows, api, policy, read

from meshproof.targets.istio.lift.conditions import Unmodelled, attribute_of, is_known


def refusals(spec: str, **more: str) -> list[str]:
    """The fields that are blamed in an AuthorizationPolicy."""
    return blamed(WORKLOAD + policy(spec, **more))


def blamed(text: str) -> list[str]:
    found = [one for one in read(text).diagnostics if one.code in {"MP711", "MP712"}]
    return [one.message.partition(": ")[2].split("`")[1] if ": `" in one.message else one.message for one in found]


RULE = "rules: [{%s}]"
CUSTOM = "action: CUSTOM\nprovider: {name: x}\n" + RULE


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("action: PERMIT", "spec.action"),
        ("action: DENY", "spec"),
        ("action: DENY\nrules: []", "spec"),
        ("action: CUSTOM\nprovider: {name: x}", "spec"),
        ("action: CUSTOM\nrules: [{}]", "spec"),
        ("provider: {name: x}\nrules: [{}]", "spec.provider"),
        ("rules: [null]", "spec.rules[0]"),
        ("rules: {}", "spec.rules"),
        (RULE % "from: [{}]", "spec.rules[0].from[0].source"),
        (RULE % "from: [{source: {}}]", "spec.rules[0].from[0].source"),
        (RULE % "from: [{source: {principals: []}}]", "spec.rules[0].from[0].source"),
        (RULE % "to: [{operation: {}}]", "spec.rules[0].to[0].operation"),
        (RULE % "from: [{source: {principals: ['']}}]", "spec.rules[0].from[0].source.principals"),
        (RULE % "from: [{source: {principals: [1]}}]", "spec.rules[0].from[0].source.principals[0]"),
        (RULE % "from: [{source: {principals: x}}]", "spec.rules[0].from[0].source.principals"),
        (RULE % "from: [{source: {ipBlocks: [10.0.0]}}]", "spec.rules[0].from[0].source.ipBlocks"),
        (
            RULE % "from: [{source: {notRemoteIpBlocks: [10.0.0.0/33]}}]",
            "spec.rules[0].from[0].source.notRemoteIpBlocks",
        ),
        (RULE % "from: [{source: {serviceAccounts: [a/b/c]}}]", "spec.rules[0].from[0].source.serviceAccounts"),
        (RULE % "from: [{source: {serviceAccounts: ['n/*']}}]", "spec.rules[0].from[0].source.serviceAccounts"),
        (RULE % "when: [{key: source.serviceAccount, values: ['*']}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{key: source.serviceAccount, values: [a/b/c]}]", "spec.rules[0].when[0]"),
        (RULE % "from: [{source: {ipBlocks: [10.0.0.0/255.0.0.0]}}]", "spec.rules[0].from[0].source.ipBlocks"),
        (RULE % "from: [{source: {ipBlocks: [10.0.0.0/08]}}]", "spec.rules[0].from[0].source.ipBlocks"),
        (RULE % "to: [{operation: {paths: ['/{*}//x']}}]", "spec.rules[0].to[0].operation.paths"),
        (RULE % "from: [{source: {serviceAccounts: [a], namespaces: [b]}}]", "spec.rules[0].from[0].source"),
        (RULE % "from: [{source: {trustDomains: ['a*b']}}]", "spec.rules[0].from[0].source.trustDomains"),
        (RULE % "from: [{source: {trustDomains: ['*a*']}}]", "spec.rules[0].from[0].source.trustDomains"),
        (RULE % "from: [{source: {trustDomains: [a/b]}}]", "spec.rules[0].from[0].source.trustDomains"),
        (RULE % "to: [{operation: {ports: [http]}}]", "spec.rules[0].to[0].operation.ports"),
        (RULE % "to: [{operation: {ports: ['65536']}}]", "spec.rules[0].to[0].operation.ports"),
        (RULE % "to: [{operation: {notPorts: [80]}}]", "spec.rules[0].to[0].operation.notPorts[0]"),
        (RULE % "to: [{operation: {paths: ['/a/{*}x']}}]", "spec.rules[0].to[0].operation.paths"),
        (RULE % "to: [{operation: {paths: ['/{**}/{*}']}}]", "spec.rules[0].to[0].operation.paths"),
        (RULE % "to: [{operation: {paths: ['/a/{id}']}}]", "spec.rules[0].to[0].operation.paths"),
        (RULE % "to: [{operation: {paths: ['/a*{*}']}}]", "spec.rules[0].to[0].operation.paths"),
        (RULE % "when: [{key: source.workload, values: [a]}]", "spec.rules[0].when[0].key"),
        (RULE % "when: [{key: 'request.headers[]', values: [a]}]", "spec.rules[0].when[0].key"),
        (RULE % "when: [{key: request.headers, values: [a]}]", "spec.rules[0].when[0].key"),
        (RULE % "when: [{key: source.ip}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{key: source.ip, values: [x]}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{key: destination.port, values: [x]}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{key: source.principal, values: ['']}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{key: source.trustDomain, values: ['a*b']}]", "spec.rules[0].when[0]"),
        (RULE % "when: [{values: [a]}]", "spec.rules[0].when[0]"),
        (CUSTOM % "from: [{source: {principals: [a]}}]", "spec.rules[0].from[0].source.principals"),
        (CUSTOM % "from: [{source: {notRequestPrincipals: [a]}}]", "spec.rules[0].from[0].source.notRequestPrincipals"),
        (CUSTOM % "when: [{key: source.namespace, values: [a]}]", "spec.rules[0].when[0].key"),
        (CUSTOM % "when: [{key: 'request.auth.claims[a]', values: [a]}]", "spec.rules[0].when[0].key"),
        ("selector: {matchLabels: {a: 'b*'}}", "spec.selector.matchLabels.a"),
        ("selector: {matchLabels: {a: 1}}", "spec.selector.matchLabels.a"),
        ("selector: {}\ntargetRef: {kind: Service, name: a}", "spec"),
        ("targetRef: {kind: Pod, name: a}", "spec.targetRef"),
        ("targetRef: {kind: Service, name: a, namespace: b}", "spec.targetRef.namespace"),
        ("targetRefs: [{kind: Service}]", "spec.targetRefs[0]"),
    ],
)
def test_what_is_refused_in_an_authorization_policy(spec: str, path: str) -> None:
    assert refusals(spec) == [path]


@pytest.mark.parametrize(
    "spec",
    [
        RULE % "to: [{operation: {methods: [get], hosts: ['http://x/y'], paths: [no-slash, '/a/*/b', '*a*']}}]",
        RULE % "from: [{source: {principals: ['spiffe://x', 'a', '**'], namespaces: ['a*b']}}]",
        RULE % "from: [{source: {ipBlocks: ['10.0.0.7/8', '::1', '2001:db8::/32'], trustDomains: ['*', '*.a']}}]",
        RULE % "to: [{operation: {ports: ['0', '65535', '080']}}]",
        RULE % "when: [{key: 'experimental.envoy.filters.a.b[c]', values: [x]}]",
        RULE % "when: [{key: 'request.auth.claims[a][b]', values: [x]}]",
        CUSTOM % "from: [{source: {ipBlocks: [10.0.0.1]}}], when: [{key: source.ip, values: [10.0.0.1]}]",
        "selector: null\nrules: null",
        "selector: {}",
    ],
)
def test_what_is_useless_is_taken_all_the_same(spec: str) -> None:
    assert refusals(spec) == []


def test_an_annotation_for_other_policies_is_refused() -> None:
    annotation = '{istio.io/dry-run: "true"}'
    assert refusals("action: AUDIT\nrules: [{}]", annotations=annotation) == ["metadata.annotations[istio.io/dry-run]"]
    assert refusals("rules: [{}]", annotations=annotation) == []


API = "selector: {matchLabels: {app: api}}"
PEER = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: shop}\nspec: %s\n"
TOKENS = (
    "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r, namespace: shop}\nspec: %s\n"
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (PEER % "{portLevelMtls: {80: {mode: STRICT}}}", "spec.portLevelMtls"),
        (PEER % f"{{{API}, portLevelMtls: {{0: {{mode: STRICT}}}}}}", "spec.portLevelMtls.0"),
        (
            PEER % f"{{{API}, portLevelMtls: {{web: {{mode: STRICT}}}}}}",
            "spec.portLevelMtls.web",
        ),
        (PEER % "{mtls: {mode: SIMPLE}}", "spec.mtls.mode"),
        (TOKENS % "{jwtRules: [{}]}", "spec.jwtRules[0]"),
        (TOKENS % "{jwtRules: [{issuer: ''}]}", "spec.jwtRules[0].issuer"),
        (TOKENS % "{jwtRules: [{issuer: a, jwksUri: 'https://a', jwks: '{}'}]}", "spec.jwtRules[0]"),
        (TOKENS % "{jwtRules: [{issuer: a, jwksUri: 'file:///a'}]}", "spec.jwtRules[0].jwksUri"),
        (TOKENS % "{jwtRules: [{issuer: a, jwks: 'x'}]}", "spec.jwtRules[0].jwks"),
        (TOKENS % "{jwtRules: [{issuer: a, timeout: 0.1ms}]}", "spec.jwtRules[0].timeout"),
        (TOKENS % "{jwtRules: [{issuer: a, audiences: ['']}]}", "spec.jwtRules[0].audiences[0]"),
        (TOKENS % "{jwtRules: [{issuer: a, fromHeaders: [{prefix: x}]}]}", "spec.jwtRules[0].fromHeaders[0]"),
    ],
)
def test_what_is_refused_in_authentication(text: str, path: str) -> None:
    assert blamed(WORKLOAD + text) == [path]


def test_an_unknown_field_has_its_place_and_what_was_meant() -> None:
    found = read(WORKLOAD + policy("rules:\n- to:\n  - operation:\n      method: [GET]\n      paths: [/x]"))
    (one,) = found.diagnostics
    assert (one.code, one.help) == ("MP711", "did you mean `methods`?")
    assert one.message == "`spec.rules[0].to[0].operation.method` is no field of AuthorizationPolicy and does nothing"
    assert one.primary is not None
    source = found.context.sources[0]
    assert source.text[one.primary.start : one.primary.end] == "method"


def test_an_object_without_a_name_and_one_of_another_version_are_told() -> None:
    assert blamed("apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {}\nspec: {}\n")
    assert blamed("apiVersion: security.istio.io/v9\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}\n") == [
        "apiVersion"
    ]


@pytest.mark.parametrize(
    ("key", "is_taken"),
    [
        ("source.ip", True),
        ("request.headers[a]", True),
        ("request.headers[]", False),
        ("request.headers[a", False),
        ("request.auth.claims[a][b]", True),
        ("request.auth.claims", False),
        ("experimental.envoy.filters.a[b]", True),
        ("experimental.envoy.filters.a", False),
        ("source.user", False),
        ("", False),
    ],
)
def test_keys(key: str, is_taken: bool) -> None:
    assert is_known(key) is is_taken


def test_keys_that_are_not_modelled() -> None:
    for key in ("request.headers[:path]", "request.headers[:scheme]", "experimental.envoy.filters.a[b]"):
        assert isinstance(attribute_of(key), Unmodelled)


def test_an_empty_list_is_no_list() -> None:
    """What asks for nothing is about everyone: istiod reads both alike."""
    for spec in (RULE % "from: []", RULE % "to: []", RULE % "from: [], to: [], when: []"):
        assert refusals(spec) == []
        assert allows(api(policy(spec)), identity=None)
        assert not allows(api(policy(f"action: DENY\n{spec}")))


def test_a_service_may_be_of_the_group_core() -> None:
    assert refusals("targetRefs: [{group: core, kind: Service, name: api}]\nrules: [{}]") == []
