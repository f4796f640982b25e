"""Tokens are verified, and none is needed

## What it does

Finds the workloads with a RequestAuthentication at which no policy asks for a token, in any rule.

## Why it matters

A RequestAuthentication refuses bad tokens. Who sends none passes it: requiring one is for an AuthorizationPolicy to do.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec: {jwtRules: [{issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/jwks"}]}
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec: {jwtRules: [{issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/jwks"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {requestPrincipals: ["https://idp.example.com/*"]}}]
```

## Precision

Exact: it reports workloads of which no rule reads a token. Whether rules that read one ask for it everywhere is for
`prove`. Where rules name the callers it is for information.

## References

Istio, RequestAuthentication: "requests without a token are accepted". Istio, "Require a valid token".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed
from meshproof.compiler.checks.unmodelled import stands_for
from meshproof.compiler.ir.predicate import (
    Claim,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    attributes_of,
)
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Gateway, Issuer, Service
    from meshproof.dsl.diagnostic import Diagnostic

_OF_TOKEN = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Issuers whose tokens nobody needs, each once."""
    asking = {
        place.node
        for rule in ctx.mesh.rules
        if stands_for(rule) is not None or any(isinstance(one, _OF_TOKEN) for one in attributes_of(rule.content))
        for place in rule.destinations
    }
    nodes: tuple[Service | Gateway, ...] = (*ctx.mesh.services, *ctx.mesh.gateways)
    for issuer in ctx.mesh.issuers:
        idle = [node for node in nodes if issuer.name in node.accepts and node.name not in asking]
        if idle:
            yield _finding(issuer, idle)


def _finding(issuer: Issuer, idle: list[Service | Gateway]) -> Diagnostic:
    names = [str(node.name) for node in idle]
    is_open = any(node.default_allow for node in idle)
    return CHECK.finding(
        f"tokens of `{issuer.url}` are verified at {listed(names)}, and no policy there asks for one",
        issuer.origin.span,
        "refuses bad tokens, and nobody without one",
        subject=str(issuer.name),
        labels=tuple(Label(node.origin.span, "lets in who sends no token") for node in idle[:MOST_NAMES]),
        notes=every(names),
        help='add an AuthorizationPolicy with `from: [{source: {requestPrincipals: ["*"]}}]`',
        severity=None if is_open else Severity.INFO,
    )


CHECK = Check("MP506", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
