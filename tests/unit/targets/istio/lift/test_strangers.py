"""What is emitted for pods that the policy does not declare is told."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.policy_text import mesh_of

KNOWN = mesh_of(
    """
gateway edge { namespace shop  hosts "a.example"  port http 80 }
service web { namespace shop  port http 80 -> 8080 }
"""
)


def told(kind: str, spec: str, group: str = "security") -> tuple[str, ...]:
    text = f"""
    apiVersion: {group}.istio.io/v1
    kind: {kind}
    metadata: {{name: x, namespace: shop}}
    spec: {spec}
    """
    found = read(text, known=KNOWN).transport
    assert found is not None
    return found.unread


_WEB = "selector: {matchLabels: {app: web}}"
_NOBODY = "selector: {matchLabels: {app: x}}"
_SERVER = "servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [./a.example]}]"


@pytest.mark.parametrize(
    ("kind", "spec", "group"),
    [
        ("AuthorizationPolicy", f"{{{_WEB}}}", "security"),
        ("AuthorizationPolicy", "{}", "security"),
        ("PeerAuthentication", f"{{{_WEB}, mtls: {{mode: STRICT}}}}", "security"),
        ("PeerAuthentication", "{mtls: {mode: STRICT}}", "security"),
        ("Sidecar", "{workloadSelector: {labels: {app: web}}}", "networking"),
        ("Gateway", f"{{selector: {{istio: edge}}, {_SERVER}}}", "networking"),
    ],
)
def test_what_is_for_declared_pods_or_closes_a_namespace_is_not_told(kind: str, spec: str, group: str) -> None:
    assert told(kind, spec, group) == ()


@pytest.mark.parametrize(
    ("kind", "spec", "group"),
    [
        ("AuthorizationPolicy", f"{{{_NOBODY}}}", "security"),
        ("AuthorizationPolicy", "{rules: [{}]}", "security"),
        ("AuthorizationPolicy", "{action: DENY, rules: [{}]}", "security"),
        ("PeerAuthentication", f"{{{_NOBODY}, mtls: {{mode: STRICT}}}}", "security"),
        ("RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: 'https://a'}]}", "security"),
        ("Sidecar", "{workloadSelector: {labels: {app: x}}}", "networking"),
        ("Sidecar", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "networking"),
        ("Gateway", f"{{selector: {{istio: x}}, {_SERVER}}}", "networking"),
    ],
)
def test_what_is_for_others_is_told(kind: str, spec: str, group: str) -> None:
    assert f"{kind} shop/x, for pods that are not declared," in told(kind, spec, group)
