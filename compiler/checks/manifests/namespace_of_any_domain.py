"""A rule for a namespace takes that of a foreign trust domain too

## What it does

Where the mesh trusts another trust domain, looks for rules with `namespaces` or `serviceAccounts`: they compare what
stands behind the trust domain, and take the namespace of that name wherever it is.

## Why it matters

Whoever runs the other mesh can make a namespace `shop` there, and is let in.

## Example

```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    caCertificates: [{pem: "PEM", trustDomains: [partner.example]}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {namespaces: [shop]}}]
```

## Use instead

```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    caCertificates: [{pem: "PEM", trustDomains: [partner.example]}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {principals: ["cluster.local/ns/shop/*"]}}]
```

## Precision

Exact about the trust domains that the files state.

## References

Istio, AuthorizationPolicy, `namespaces`. SPIFFE, "SPIFFE Federation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import written_rules
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.resolve.callers import takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Foreign trust domains that rules about namespaces let in, each once."""
    rules = [rule for rule in written_rules(ctx) if rule.effect is Effect.ALLOW]
    for domain in ctx.mesh.trusts:
        found = [rule for rule in rules if _takes_namesake(ctx, rule, domain)]
        if found:
            yield _finding(ctx, domain, found)


def _takes_namesake(ctx: CheckContext, rule: AuthzRule, domain: str) -> bool:
    """Whether a namespace of which the rule takes everything is taken from the other domain too, and not all of it."""
    sources = rule.sources.matches
    if takes(sources, f"spiffe://{domain}/ns/a-namespace-that-nobody-names/sa/x"):
        return False
    for namespace in ctx.mesh.namespaces:
        own = SpiffeId.of_account(ctx.mesh.trust_domain, namespace.name, "an-account-that-nobody-names")
        if takes(sources, own.uri) and takes(sources, SpiffeId(domain, own.path).uri):
            return True
    nodes: tuple[Service | Gateway, ...] = (*ctx.mesh.services, *ctx.mesh.gateways)
    members = (node for node in nodes if node.name in rule.sources.members)
    return any(takes(sources, SpiffeId(domain, node.identity.path).uri) for node in members)


def _finding(ctx: CheckContext, domain: str, found: list[AuthzRule]) -> Diagnostic:
    rules = Rules(ctx)
    names = [str(rule.id) for rule in found]
    return CHECK.finding(
        f"{listed(names)} {'take' if len(names) > 1 else 'takes'} the same namespace of trust domain `{domain}` too",
        rules.sources(found[0]),
        "does not ask for a trust domain",
        subject=found[0].id,
        labels=tuple(rules.label(rule.id, "nor does this") for rule in found[1:MOST_NAMES]),
        notes=every(names),
        help=f'write `principals: ["{ctx.mesh.trust_domain}/ns/NAMESPACE/*"]`',
    )


CHECK = Check("MP508", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
