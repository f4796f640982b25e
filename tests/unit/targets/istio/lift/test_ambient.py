"""Rules as the proxies of nodes enforce them: istio.md, section 12."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import (
    DAY,
    NODE,
    OTHER,
    TCP,
    WEB,
    WORKLOAD,
    allows,
    config,
    judged,
    lift,
    policy,
    read,
)

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, effective_policy
from meshproof.compiler.semantics import NotModelled

AREA = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient%s}}\n---\n"
PROVIDER = config("extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: o.a, port: 1}}]")


def mesh(*objects: str, labels: str = "") -> Mesh:
    return lift(AREA % labels + WORKLOAD + "".join(objects))


def deny(rule: str) -> str:
    return policy(f"action: DENY\nrules: [{{{rule}}}]")


def test_without_a_policy_everything_is_allowed() -> None:
    assert allows(mesh())
    assert allows(mesh(), TCP, identity=None)


def test_a_rule_about_connections_is_enforced_on_http_too() -> None:
    found = mesh(policy("rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]"))
    assert allows(found)
    assert allows(found, TCP)
    assert not allows(found, identity=OTHER)
    assert [rule.layer for rule in found.rules] == [None]


def test_an_allow_about_http_is_left_out_and_still_closes() -> None:
    found = mesh(policy("rules: [{to: [{operation: {methods: [GET]}}]}]"))
    assert not allows(found)
    assert not allows(found, TCP)
    assert found.rules == ()


@pytest.mark.parametrize(
    "rule",
    [
        "to: [{operation: {methods: [POST]}}]",
        "to: [{operation: {paths: [/x]}}, {operation: {hosts: [h]}}]",
        "from: [{source: {requestPrincipals: ['*']}}]",
        "from: [{source: {remoteIpBlocks: [0.0.0.0/0]}}]",
        "when: [{key: 'request.headers[a]', notValues: [b]}]",
        "from: [{source: {namespaces: [shop]}}], when: [{key: connection.sni, notValues: [b]}]",
        "from: [{source: {namespaces: [shop]}}], to: [{operation: {notMethods: [PUT]}}]",
        "from: [{source: {trustDomains: ['*']}}]",
        "when: [{key: source.trustDomain, values: ['*']}]",
    ],
)
def test_a_deny_that_loses_all_of_a_list_never_fires(rule: str) -> None:
    assert allows(mesh(deny(rule)))
    assert allows(mesh(deny(rule)), TCP)


@pytest.mark.parametrize(
    "rule",
    [
        "to: [{operation: {methods: [PUT], ports: ['8080']}}]",
        "to: [{operation: {methods: [PUT]}}, {operation: {ports: ['8080']}}]",
        "from: [{source: {requestPrincipals: [x], namespaces: [shop]}}]",
        "from: [{source: {trustDomains: [x], namespaces: [shop]}}]",
        "",
    ],
)
def test_a_deny_that_keeps_something_takes_more(rule: str) -> None:
    assert not allows(mesh(deny(rule)))
    assert allows(mesh(deny(rule)), identity=OTHER) is ("namespaces" in rule)


def test_trust_domains_make_an_allow_wider_or_empty() -> None:
    wide = mesh(policy("rules: [{from: [{source: {namespaces: [shop], trustDomains: [x]}}]}]"))
    assert allows(wide)
    empty = mesh(policy("rules: [{from: [{source: {trustDomains: ['*']}}]}]"))
    assert not allows(empty)


@pytest.mark.parametrize(
    ("value", "identity", "is_met"),
    [
        ("shop", WEB, True),
        ("sh*", WEB, True),
        ("*op", WEB, True),
        ("*", WEB, True),
        ("s*p", WEB, False),
        ("shop", "spiffe://cluster.local/ns/a/sa/b/ns/shop/x", False),
    ],
)
def test_namespaces_are_compared_with_one_star_at_an_end(value: str, identity: str, is_met: bool) -> None:
    found = mesh(policy(f"rules: [{{from: [{{source: {{namespaces: ['{value}']}}}}]}}]"))
    assert allows(found, identity=identity) is is_met


def test_principals_lose_their_scheme_and_know_no_aliases() -> None:
    settings = config("trustDomain: new.td\ntrustDomainAliases: [old.td]")
    rule = "rules: [{from: [{source: {principals: ['%s']}}]}]"
    new, old = "spiffe://new.td/ns/shop/sa/web", "spiffe://old.td/ns/shop/sa/web"
    assert not allows(mesh(settings, policy(rule % "cluster.local/ns/shop/sa/web")), identity=new)
    exact = mesh(settings, policy(rule % "spiffe://new.td/ns/shop/sa/web"))
    assert allows(exact, identity=new)
    assert not allows(exact, identity=old)


def test_service_accounts_are_those_of_the_identity() -> None:
    found = mesh(policy("rules: [{from: [{source: {serviceAccounts: [web, ops/x]}}]}]"))
    assert allows(found)
    assert allows(found, identity="spiffe://cluster.local/ns/ops/sa/x")
    assert not allows(found, identity="spiffe://cluster.local/ns/ops/sa/web")


def test_nobody_is_asked_and_no_token_is_looked_at() -> None:
    asking = policy("action: CUSTOM\nprovider: {name: opa}\nrules: [{}]")
    assert allows(mesh(PROVIDER, asking))
    tokens = (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: t, namespace: shop}\n"
        "spec: {jwtRules: [{issuer: i, jwksUri: 'https://i'}]}\n---\n"
    )
    assert mesh(tokens).services[0].accepts == ()


def test_a_field_that_nobody_knows_may_be_in_force() -> None:
    found = read(AREA % "" + WORKLOAD + policy("rules: [{from: [{source: {namespaces: [shop], teams: [x]}}]}]"))
    assert found.mesh is not None
    assert not allows(found.mesh, identity=OTHER)
    with pytest.raises(NotModelled):
        judged(found.mesh)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{mtls: {mode: STRICT}}", MtlsMode.STRICT),
        ("{mtls: {mode: DISABLE}}", MtlsMode.PERMISSIVE),
        ("{selector: {matchLabels: {app: api}}, mtls: {mode: DISABLE}}", MtlsMode.PERMISSIVE),
        ("{selector: {matchLabels: {app: api}}, portLevelMtls: {8080: {mode: DISABLE}}}", MtlsMode.PERMISSIVE),
        ("{selector: {matchLabels: {app: api}}, portLevelMtls: {8080: {mode: STRICT}}}", MtlsMode.STRICT),
    ],
)
def test_mtls_cannot_be_disabled(spec: str, expected: MtlsMode) -> None:
    peer = (
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        f"metadata: {{name: p, namespace: shop}}\nspec: {spec}\n---\n"
    )
    found = effective_policy(mesh(peer).mtls, NODE, "shop", 8080, DAY)
    assert found is not None
    assert found.mode is expected


@pytest.mark.parametrize(
    ("labels", "is_behind"),
    [("", False), (", istio.io/use-waypoint: w", True), (", istio.io/use-waypoint: none", False)],
)
def test_what_stands_behind_a_waypoint_is_not_modelled(labels: str, is_behind: bool) -> None:
    found = read(AREA % labels + WORKLOAD)
    assert found.mesh is not None
    assert ("MP713" in {one.code for one in found.diagnostics}) is is_behind
    if is_behind:
        with pytest.raises(NotModelled):
            judged(found.mesh)
    else:
        assert allows(found.mesh)
