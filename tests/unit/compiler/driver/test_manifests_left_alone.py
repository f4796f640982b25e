"""What users of other tools complain about as false alarms: these manifests have no findings at all."""

from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_manifests

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec: {template: {metadata: {labels: {app: orders}}, spec: {serviceAccountName: orders}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing, namespace: shop}
spec: {}
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""


def an_object(kind: str, spec: str, name: str = "orders", group: str = "security.istio.io/v1") -> str:
    return f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"


def policy(rule: str) -> str:
    return an_object("AuthorizationPolicy", f"{{selector: {{matchLabels: {{app: orders}}}}, rules: [{rule}]}}")


def requests(name: str, issuer: str) -> str:
    rule = f'{{issuer: "https://{issuer}", jwksUri: "https://{issuer}/keys"}}'
    return an_object(
        "RequestAuthentication", f"{{selector: {{matchLabels: {{app: orders}}}}, jwtRules: [{rule}]}}", name
    )


def codes(*objects: str) -> list[tuple[str, str]]:
    policy = policy_of_manifests({"mesh.yaml": "\n---\n".join((SHOP, *objects))})
    report = judge(policy, JudgeOptions(day=date(2026, 11, 23)))
    return [(one.diagnostic.code, one.diagnostic.message) for one in report.findings]


CALLER = "cluster.local/ns/shop/sa/web"
CLEAN = {
    "a host in a route that no file declares": (
        STRICT,
        an_object(
            "VirtualService",
            "{hosts: [reviews.other.svc.cluster.local], "
            "http: [{route: [{destination: {host: reviews.other.svc.cluster.local, port: {number: 80}}}]}]}",
            group="networking.istio.io/v1",
        ),
    ),
    "a host in a rule that no file declares, with and without a port": (
        STRICT,
        policy(
            f"{{from: [{{source: {{principals: [{CALLER}]}}}}], "
            'to: [{operation: {hosts: ["shop.example", "shop.example:*"], paths: ["/a/*"]}}]}'
        ),
    ),
    "any method, and methods by their beginning": (
        STRICT,
        policy(f'{{from: [{{source: {{principals: [{CALLER}]}}}}], to: [{{operation: {{methods: ["*"]}}}}]}}'),
    ),
    "methods by their beginning": (
        STRICT,
        policy(f'{{from: [{{source: {{principals: [{CALLER}]}}}}], to: [{{operation: {{methods: ["P*"]}}}}]}}'),
    ),
    "rules for identities without a PeerAuthentication": (
        policy(f"{{from: [{{source: {{principals: [{CALLER}]}}}}]}}"),
    ),
    "PERMISSIVE where every rule asks for a namespace": (
        STRICT.replace("STRICT", "PERMISSIVE"),
        policy("{from: [{source: {namespaces: [web, batch]}}]}"),
    ),
    "namespaces with stars": (STRICT, policy('{from: [{source: {namespaces: ["team-*", "*-batch"]}}]}')),
    "several RequestAuthentications, which are pooled": (
        STRICT,
        requests("one", "idp.example"),
        requests("two", "login.example"),
        policy('{from: [{source: {requestPrincipals: ["https://idp.example/*", "https://login.example/*"]}}]}'),
    ),
}


@pytest.mark.parametrize("objects", CLEAN.values(), ids=CLEAN.keys())
def test_it_is_left_alone(objects: tuple[str, ...]) -> None:
    assert codes(*objects) == []


def test_the_same_manifests_with_something_wrong_are_not() -> None:
    everyone = policy("{}")

    assert {code for code, _ in codes(everyone)} == {"MP305", "MP501"}
