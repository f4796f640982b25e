"""DestinationRules: which one a client has, its versions, its TLS, its bounds."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.istio_routes import (
    JOB,
    SHOP,
    SUBSETS,
    an_object,
    deployment,
    sent,
    service,
    shop,
    virtual_service,
)

from meshproof.compiler.ir.routing import Balance, BalanceKind, Ejection, Limits, Route
from meshproof.targets.istio.lift.destination_rules import ClientTls, DestinationRules

TO_V1 = virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: api, subset: v1}}]}]")

FULL = "api.shop.svc.cluster.local"
ANOTHER = SUBSETS.replace("name: api,", "name: more,")


def rule(spec: str, name: str = "api", namespace: str = "shop", created: str = "2026-01-01T00:00:00Z") -> str:
    return an_object("DestinationRule", name, spec, namespace, created)


def of_version(version: str) -> str:
    return f"subsets: [{{name: v1, labels: {{version: {version}}}}}]"


def test_subsets_are_the_pods_with_the_labels() -> None:
    mesh = shop(SUBSETS, TO_V1)
    targets = [target for route in mesh.routes for branch in route.branches for target in branch.targets]
    assert {(target.node, target.label) for target in targets if target.version == "v1"} == {("shop/api-v1", "v1")}
    assert {node.name: node.versions for node in mesh.services if node.versions} == {
        "shop/api-v1": ("v1",),
        "shop/api-v2": ("v2",),
    }


@pytest.mark.parametrize(
    ("rules", "of_web", "of_job"),
    [
        ((SUBSETS,), {"v1": 100}, {"v1": 100}),
        # The first place that has any rule for the host decides alone: the client's namespace, the host's, the root's.
        ((SUBSETS, rule("host: '*.local'", "wide", "batch")), {"v1": 100}, 503),
        ((rule(f"host: {FULL}\n{of_version('v1')}", "r", "istio-system"),), {"v1": 100}, {"v1": 100}),
        ((rule(f"host: {FULL}\n{of_version('v1')}", "r", "batch"),), 503, {"v1": 100}),
        ((rule(f"host: api\nexportTo: [.]\n{of_version('v1')}"),), {"v1": 100}, 503),
        # A rule that is private to its own namespace is in force there whatever it is exported to.
        ((rule(f"host: api\nexportTo: ['~']\n{of_version('v1')}"),), {"v1": 100}, 503),
        ((rule("host: api"), ANOTHER), {"v1": 100}, {"v1": 100}),
        ((rule(f"host: api\n{of_version('v9')}", "a", created="2020-01-01T00:00:00Z"), ANOTHER), 503, 503),
        ((rule(f"host: api\nworkloadSelector: {{matchLabels: {{app: web}}}}\n{of_version('v1')}"),), {"v1": 100}, 503),
    ],
)  # fmt: skip
def test_which_rule_a_client_has(rules: tuple[str, ...], of_web: object, of_job: object) -> None:
    mesh = shop(*rules, TO_V1)
    assert sent(mesh) == of_web
    assert sent(mesh, identity=JOB) == of_job


def test_a_closer_host_hides_a_wider_one_in_the_same_place() -> None:
    wide = rule(f"host: '*.shop.svc.cluster.local'\n{of_version('v1')}", "wide")
    assert sent(shop(wide, TO_V1)) == {"v1": 100}
    assert sent(shop(wide, rule("host: api"), TO_V1)) == 503


def _route(text: str) -> Route:
    return next(route for route in shop(text).routes if route.id == "shop/old:9080/http")


def test_bounds_ejection_and_balance() -> None:
    found = _route(
        rule(
            """
            host: old
            trafficPolicy:
              connectionPool: {tcp: {maxConnections: 7}, http: {http1MaxPendingRequests: 8, http2MaxRequests: 9}}
              outlierDetection: {consecutive5xxErrors: 3, baseEjectionTime: 1m, maxEjectionPercent: 50}
              loadBalancer: {consistentHash: {httpHeaderName: x-user}}
            """
        )
    )
    assert found.limits == Limits(7, 8, 9)
    assert found.ejection == Ejection(3, 60_000, 50)
    assert found.balance == Balance(BalanceKind.HASH, "x-user")


def test_settings_of_a_port_replace_those_of_the_host() -> None:
    found = _route(
        rule(
            """
            host: old
            trafficPolicy:
              connectionPool: {tcp: {maxConnections: 7}}
              portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: ROUND_ROBIN}}]
            """
        )
    )
    # As the reference has it, "unset sections fall back to defaults, not to the destination level"
    assert found.limits is None
    assert found.balance == Balance(BalanceKind.ROUND_ROBIN)


@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("trafficPolicy: {loadBalancer: {simple: RANDOM}}", ClientTls.AUTO),  # any policy without tls keeps auto-mTLS
        ("trafficPolicy: {tls: {mode: DISABLE}}", ClientTls.DISABLE),
        ("trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}", ClientTls.ISTIO_MUTUAL),
        ("trafficPolicy: {tls: {mode: DISABLE}, portLevelSettings: [{port: {number: 80}}]}", ClientTls.AUTO),
        ("trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}", ClientTls.SIMPLE),
    ],
)
def test_tls_of_clients(policy: str, mode: ClientTls) -> None:
    context = read(SHOP + rule(f"host: api\n{policy}")).context
    found = DestinationRules(context).policy("api.shop.svc.cluster.local", "shop", "shop").tls(80, None)
    assert found is mode
    said = any("they show no identity there" in one.message for one in context.findings.diagnostics)
    assert said is not mode.has_identity


def test_a_version_overrides_the_host() -> None:
    text = "trafficPolicy: {tls: {mode: DISABLE}}\nsubsets: [{name: a, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}]"
    policy = DestinationRules(read(SHOP + rule(f"host: api\n{text}")).context).policy(
        "api.shop.svc.cluster.local", "shop", "shop"
    )
    assert (policy.tls(80, "a"), policy.tls(80, None)) == (ClientTls.ISTIO_MUTUAL, ClientTls.DISABLE)


def test_pods_that_no_file_makes_may_be_of_any_version() -> None:
    mesh = shop(
        service("ghost"),
        deployment("x", app="x"),
        rule("host: ghost\nsubsets: [{name: v7, labels: {version: v7}}]", "ghost"),
        virtual_service("hosts: [ghost]\nhttp: [{route: [{destination: {host: ghost, subset: v7}}]}]"),
    )
    assert sent(mesh, "shop/ghost", port=8080, host="ghost") == {"v7": 100}
