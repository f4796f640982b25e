"""Manifests without the Service of a gateway: nobody knows which of its ports a policy speaks of."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.istio_lifting import lift

from meshproof.compiler.verify.semantic_diff import semantic_diff

DAY = date(2026, 11, 23)
FILES = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: ops}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 443, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: ops}
spec:
  hosts: [shop.example]
  gateways: [edge]
  http: [{timeout: 3s, route: [{destination: {host: api.shop.svc.cluster.local, port: {number: 80}}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: edge, namespace: ops}
spec:
  selector: {matchLabels: {istio: edge}}
  rules: [{to: [{operation: {ports: ["PORT"]}}]}]
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: ops}
spec: {selector: {istio: edge}, ports: [{name: http, port: 443, targetPort: 8443}]}
---
"""


@pytest.mark.parametrize(
    ("files", "port", "subjects", "rerouted"),
    [
        (FILES, "8443", ["gateway ops/edge"], 0),
        (FILES, "443", [], 1),
        (FILES + SERVICE, "8443", [], 1),
    ],
    ids=["no Service, another port", "no Service, the same port", "a Service"],
)
def test_a_route_is_never_called_the_same_at_a_port_that_is_a_guess(
    files: str, port: str, subjects: list[str], rerouted: int
) -> None:
    old = files.replace("PORT", port)
    found = semantic_diff(lift(old), lift(old.replace("3s", "4s")), DAY)
    assert [one.subject for one in found.undecided] == subjects
    assert len(found.rerouted) == rerouted
