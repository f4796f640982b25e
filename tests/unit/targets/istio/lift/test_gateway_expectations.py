"""What Istio's own end-to-end tests expect of requests to gateways, in policies of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.istio_expectations import JWT_A, JWT_B, Expected, broken, custom_object, no, yes
from tests.strategies.istio_lifting import HTTP, OTHER, WEB, WORKLOAD, config, lift, policy, token

from meshproof.compiler.ir.names import NodeName

GATEWAY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: istio-system}
spec:
  template:
    metadata:
      labels: {istio: front, app: front-gateway}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: front
      containers: [{name: istio-proxy}]
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: front}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: https, port: 443, targetPort: 8443}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  selector: {istio: front}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*.shop.example"]
  - port: {number: 443, name: mutual, protocol: HTTPS}
    tls: {mode: ISTIO_MUTUAL}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front, namespace: shop}
spec:
  hosts: ["*.shop.example"]
  gateways: [front]
  http:
  - route: [{destination: {host: api.shop.svc.cluster.local, port: {number: 80}}}]
---
"""
NODE = NodeName("istio-system/front")
OUTSIDE = replace(HTTP, destination=NODE, destination_ip=None, source=replace(HTTP.source, identity=None))
SETTINGS = config("defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}")
A, B = token(**JWT_A), token(**JWT_B)


def _asked(host: str, address: str | None = None, path: str = "/", *, is_allowed: bool) -> Expected:
    headers = () if address is None else (("x-forwarded-for", address),)
    fields = {"host": f"{host}.shop.example", "path": path, "headers": headers}
    return Expected(OUTSIDE, fields, is_allowed=is_allowed)


DENIED = policy(
    """
    action: DENY
    selector: {matchLabels: {app: front-gateway}}
    rules:
    - to: [{operation: {hosts: [deny.shop.example, "*.suffix.shop.example", "prefix.shop.*"]}}]
    - to: [{operation: {hosts: [internal.shop.example]}}, {operation: {paths: [/private]}}]
    - from: [{source: {remoteIpBlocks: [172.17.72.46, 192.168.4.0/23]}}]
      to: [{operation: {hosts: [blocks.shop.example]}}]
    - from: [{source: {notRemoteIpBlocks: [172.23.240.0/22]}}]
      to: [{operation: {hosts: [not-blocks.shop.example]}}]
    - to: [{operation: {hosts: [attribute.shop.example]}}]
      when: [{key: remote.ip, values: [10.242.5.7, 10.124.99.0/24]}]
    """,
    namespace="istio-system",
)


def test_hosts_and_addresses_at_an_ingress() -> None:
    mesh = lift(WORKLOAD + GATEWAY + SETTINGS + DENIED)
    hosts = ("deny", "DENY", "Deny", "x.suffix", "X.SUFFIX", "prefix", "PREFIX", "Prefix")
    table = (
        *(_asked(host, is_allowed=False) for host in hosts),
        _asked("www", "172.16.0.1", is_allowed=True),
        _asked("www", "172.16.0.1", "/private", is_allowed=False),
        _asked("www", "172.16.0.1", "/public", is_allowed=True),
        _asked("internal", "172.16.0.1", is_allowed=False),
        _asked("internal", "172.16.0.1", "/private", is_allowed=False),
        _asked("blocks", "172.17.72.46", is_allowed=False),
        _asked("blocks", "192.168.5.233", is_allowed=False),
        _asked("blocks", "10.4.5.6", is_allowed=True),
        _asked("blocks", "172.17.72.46, 10.4.5.6", is_allowed=True),
        _asked("not-blocks", "10.2.3.4", is_allowed=False),
        _asked("not-blocks", "172.23.242.188", is_allowed=True),
        _asked("attribute", "10.242.5.7", is_allowed=False),
        _asked("attribute", "10.124.99.10", is_allowed=False),
        _asked("attribute", "10.4.5.6", is_allowed=True),
    )
    assert broken(mesh, table) == []


TOKENS = custom_object(
    "RequestAuthentication",
    """
  jwtRules:
  - {issuer: a@issuer, jwksUri: "https://keys.example/a"}
  - {issuer: b@issuer, jwksUri: "https://keys.example/b"}
""",
    namespace="istio-system",
)
RULES = """
rules:
- to: [{operation: {hosts: [www.company.example], paths: [/allow]}}]
- to: [{operation: {hosts: [web-only.example]}}]
  from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
- to: [{operation: {hosts: [token-only.example]}}]
  from: [{source: {requestPrincipals: ["a@issuer/one"]}}]
- to: [{operation: {hosts: [token-and-web-only.example]}}]
  from: [{source: {requestPrincipals: ["a@issuer/one"], principals: [cluster.local/ns/shop/sa/web]}}]
- to: [{operation: {hosts: [any-token.example]}}]
  from: [{source: {requestPrincipals: ["*"]}}]
- to: [{operation: {paths: [/healthz]}}]
"""


def test_identities_and_tokens_at_an_egress() -> None:
    """On 443 the gateway knows its callers."""
    mesh = lift(
        WORKLOAD
        + GATEWAY
        + TOKENS
        + policy(f"selector: {{matchLabels: {{istio: front}}}}{RULES}", namespace="istio-system")
    )
    known = replace(OUTSIDE, port=8443, source=HTTP.source)
    table = (
        yes(OUTSIDE, host="www.company.example", path="/allow"),
        no(OUTSIDE, host="www.company.example", path="/deny"),
        yes(known, host="web-only.example"),
        no(known, host="web-only.example", identity=OTHER),
        *(yes(known, host="token-only.example", token=A, identity=one) for one in (WEB, OTHER)),
        *(no(known, host="token-only.example", token=B, identity=one) for one in (WEB, OTHER)),
        yes(known, host="token-and-web-only.example", token=A),
        no(known, host="token-and-web-only.example", token=A, identity=OTHER),
        no(known, host="token-and-web-only.example", token=B),
    )
    assert broken(mesh, table) == []


def test_tokens_at_an_ingress() -> None:
    mesh = lift(
        WORKLOAD
        + GATEWAY
        + TOKENS
        + policy(f"selector: {{matchLabels: {{istio: front}}}}{RULES}", namespace="istio-system")
    )
    assert broken(mesh, _TOKEN_TABLE) == []


_EXPIRED = replace(A, is_valid=False)
_TOKEN_TABLE = (
    yes(OUTSIDE, host="token-only.example", path="/healthz"),
    no(OUTSIDE, host="token-only.example"),
    yes(OUTSIDE, host="token-only.example", token=A),
    no(OUTSIDE, host="token-only.example", token=B),
    no(OUTSIDE, host="token-only.example", token=_EXPIRED),
    no(OUTSIDE, host="token-only.example", path="/healthz", token=_EXPIRED),
    yes(OUTSIDE, host="any-token.example", token=A),
    yes(OUTSIDE, host="any-token.example", token=B),
    no(OUTSIDE, host="any-token.example"),
    no(OUTSIDE, host="other.example", token=A),
)

KUBERNETES_GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: api, port: 80}]}]
---
"""
_REF = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]"
_LABEL = "selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}"


@pytest.mark.parametrize("attached", [_REF, _LABEL], ids=["by reference", "by selector"])
def test_tokens_at_a_gateway_of_kubernetes(attached: str) -> None:
    tokens = custom_object(
        "RequestAuthentication",
        f"""
  {attached}
  jwtRules:
  - {{issuer: a@issuer, jwksUri: "https://keys.example/a"}}
  - {{issuer: b@issuer, jwksUri: "https://keys.example/b"}}
""",
    )
    mesh = lift(WORKLOAD + KUBERNETES_GATEWAY + tokens + policy(attached + RULES))
    (gateway,) = mesh.gateways
    table = tuple(replace(one, request=replace(one.request, destination=gateway.name, port=80)) for one in _TOKEN_TABLE)
    assert broken(mesh, table) == []
