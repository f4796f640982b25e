"""Rules that mean something else to the proxy that reads them: one of a node, a waypoint, or one at the edge."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import read

PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec: {template: {metadata: {labels: {app: orders}}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
"""


def found(text: str, code: str) -> list[str]:
    return [one.message for one in read(PODS + text).diagnostics if one.code == code]


def policy(rule: str, extra: str = "") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: p, namespace: shop{extra}}}\nspec: {{rules: [{rule}]}}\n"
    )


def operation(field: str, value: str) -> str:
    return f'{{to: [{{operation: {{{field}: ["{value}"]}}}}]}}'


def source(field: str, value: str) -> str:
    return f'{{from: [{{source: {{{field}: ["{value}"]}}}}]}}'


AMBIENT = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient%s}}\n---\n"
ALIASES = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
    'data: {mesh: "trustDomain: new.td\\ntrustDomainAliases: [old.td]"}\n---\n'
)


def deny(rule: str) -> str:
    return policy(rule).replace("rules:", "action: DENY, rules:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            deny(operation("methods", "POST")),
            "deny `shop/p[0]` never fires at `shop/orders`: {proxy} does not see its `methods`",
        ),
        (
            deny('{to: [{operation: {methods: [POST], ports: ["8080"]}}]}'),
            "deny `shop/p[0]` refuses more than it says at `shop/orders`: {proxy} does not see its `methods`",
        ),
        (
            policy(operation("paths", "/a")),
            "allow `shop/p[0]` lets nobody in at `shop/orders`: {proxy} does not see its `paths`",
        ),
        (
            policy("{from: [{source: {namespaces: [a], trustDomains: [x]}}]}"),
            "allow `shop/p[0]` takes every trust domain at `shop/orders`: {proxy} does not see its `trustDomains`",
        ),
        (
            policy(source("trustDomains", "x")),
            "allow `shop/p[0]` lets nobody in at `shop/orders`: {proxy} does not see its `trustDomains`",
        ),
        (
            policy(source("principals", "old.td/ns/x")),
            "allow `shop/p[0]` takes nobody of this mesh for `old.td/ns/x` at `shop/orders`: {proxy} knows no aliases",
        ),
    ],
)
def test_what_the_proxy_of_a_node_makes_of_a_rule(text: str, said: str) -> None:
    said = said.format(proxy="the proxy of a node")
    assert found(AMBIENT % "" + ALIASES + text, "MP720") == [said]
    assert found(ALIASES + text, "MP720") == []  # a sidecar reads it as it is written
    assert (
        found(AMBIENT % "" + ALIASES + text.replace("shop}", 'shop, annotations: {istio.io/dry-run: "true"}}'), "MP720")
        == []
    )


@pytest.mark.parametrize(
    "rule",
    [
        source("namespaces", "a"),
        source("principals", "new.td/ns/a/sa/b"),
        source("ipBlocks", "10.0.0.0/8"),
        operation("ports", "8080"),
        "{}",
    ],
)
def test_a_rule_about_connections_is_read_as_it_is_written(rule: str) -> None:
    assert found(AMBIENT % "" + ALIASES + policy(rule) + "---\n" + deny(rule), "MP720") == []


TARGETED = policy("{}").replace("rules:", "targetRefs: [{group: '', kind: Service, name: orders}], rules:")


def test_a_policy_for_a_service_needs_a_waypoint() -> None:
    (said,) = found(AMBIENT % "" + TARGETED, "MP719")
    assert said == (
        "AuthorizationPolicy `shop/p` is attached to Service `orders`, which has no waypoint: nothing before"
        " `shop/orders` heeds it"
    )
    assert found(TARGETED, "MP719") == [said]  # sidecars heed it as little
    assert found(AMBIENT % ", istio.io/use-waypoint: w" + TARGETED, "MP719") == []
    assert found(AMBIENT % ", istio.io/use-waypoint: none" + TARGETED, "MP719") == [said]


WAYPOINT = (
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: w, namespace: shop}\n"
    "spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}\n"
)


def test_a_waypoint_heeds_no_selector() -> None:
    selecting = policy("{}").replace(
        "rules:", "selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: w}}, rules:"
    )
    (said,) = found(AMBIENT % "" + selecting + WAYPOINT, "MP719")
    assert said.startswith("AuthorizationPolicy `shop/p` selects the waypoint")
    assert found(AMBIENT % "" + policy("{}") + WAYPOINT, "MP719") == []


def test_who_calls_a_pod_by_its_address_passes_the_waypoint_by() -> None:
    area = AMBIENT % ", istio.io/use-waypoint: w"
    assert found(area + TARGETED, "MP721") == [
        "callers of `shop/orders` may pass the waypoint `w` by: nothing that selects the pods refuses them"
    ]
    assert found(area + policy(source("principals", "cluster.local/ns/shop/sa/w")), "MP721") == []
    assert found(area + deny(source("namespaces", "x")), "MP721") != []
    assert found(AMBIENT % "", "MP721") == []


EDGE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: shop}
spec: {template: {metadata: {labels: {istio: edge}}}}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: shop}
spec: {type: LoadBalancer, selector: {istio: edge}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [h.example]}]}
---
"""
HOPS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
    'data: {mesh: "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}"}\n---\n'
)
AT_EDGE = "selector: {matchLabels: {istio: edge}}, rules:"
AT_ORDERS = "selector: {matchLabels: {app: orders}}, rules:"


@pytest.mark.parametrize("field", ["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"])
def test_a_node_puts_its_own_address_before_a_gateway(field: str) -> None:
    rule = policy(source(field, "198.51.100.0/24")).replace("rules:", AT_EDGE)
    (said,) = found(EDGE + rule, "MP722")
    assert said.startswith(
        f"`{field}` in AuthorizationPolicy `shop/p` may compare a node of the cluster at `shop/edge`"
    )
    assert found(EDGE.replace("type:", "externalTrafficPolicy: Local, type:") + rule, "MP722") == []
    assert found(EDGE.replace("type: LoadBalancer, ", "") + rule, "MP722") == []


def test_where_proxies_stand_before_a_gateway_its_peer_is_one() -> None:
    rule = policy(source("ipBlocks", "198.51.100.0/24")).replace("rules:", AT_EDGE)
    (said,) = found(EDGE + HOPS + rule, "MP722")
    assert "compares the proxy that stands before `shop/edge`, not the client" in said
    assert found(EDGE + HOPS + rule.replace("ipBlocks", "remoteIpBlocks"), "MP722") == []


@pytest.mark.parametrize(("block", "is_odd"), [("8.8.8.0/24", True), ("10.0.0.0/8", False), ("0.0.0.0/0", False)])
def test_no_client_connects_to_a_sidecar_with_a_public_address(block: str, is_odd: bool) -> None:
    rule = policy(source("ipBlocks", block)).replace("rules:", AT_ORDERS)
    assert bool(found(rule, "MP722")) is is_odd
    assert found(rule.replace("ipBlocks", "remoteIpBlocks"), "MP722") == []


def gateway(*servers: tuple[int, str, str]) -> str:
    written = ", ".join(
        f"{{port: {{number: {port}, name: s{number}, protocol: HTTPS}}, tls: {{mode: {mode}}}, hosts: ['{host}']}}"
        for number, (port, mode, host) in enumerate(servers)
    )
    return (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: shop}\n"
        f"spec: {{selector: {{istio: edge}}, servers: [{written}]}}\n"
    )


@pytest.mark.parametrize(
    ("servers", "is_escaped"),
    [
        ([(443, "MUTUAL", "admin.example"), (443, "SIMPLE", "*")], True),
        ([(443, "SIMPLE", "*.example"), (443, "MUTUAL", "shop/admin.example")], True),
        ([(443, "MUTUAL", "*.example"), (443, "OPTIONAL_MUTUAL", "*")], True),
        ([(443, "MUTUAL", "admin.example"), (443, "SIMPLE", "shop.example")], False),
        ([(443, "MUTUAL", "admin.example"), (8443, "SIMPLE", "*")], False),
        ([(443, "MUTUAL", "admin.example"), (443, "PASSTHROUGH", "*")], False),
        ([(443, "MUTUAL", "admin.example"), (443, "MUTUAL", "*")], False),
        ([(443, "SIMPLE", "admin.example"), (443, "SIMPLE", "*")], False),
    ],
)
def test_a_server_for_more_hosts_gives_what_another_wants_a_certificate_for(
    servers: list[tuple[int, str, str]], *, is_escaped: bool
) -> None:
    assert bool(found(gateway(*servers), "MP724")) is is_escaped
