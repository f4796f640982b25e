"""An external authorizer is not asked, or lets through what it fails on

## What it does

Looks at the CUSTOM policies: for providers with `failOpen: true`, which let in whatever they cannot judge, and for
requests that are refused unasked, because no provider of that name is configured or because several stand before one
workload.

## Why it matters

With `failOpen` an authorizer that is down, or slow, is no authorizer. Without a provider every request that the policy
matches is refused.

## Example

```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    extensionProviders:
    - name: opa
      envoyExtAuthzGrpc: {service: opa.shop.svc.cluster.local, port: 9191, failOpen: true}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: CUSTOM
  provider: {name: opa}
  rules: [{to: [{operation: {paths: ["/orders/*"]}}]}]
```

## Use instead

```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    extensionProviders:
    - name: opa
      envoyExtAuthzGrpc: {service: opa.shop.svc.cluster.local, port: 9191}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: CUSTOM
  provider: {name: opa}
  rules: [{to: [{operation: {paths: ["/orders/*"]}}]}]
```

## Precision

Exact about what the files say. Where they hold no mesh configuration, a missing provider is for information.

## References

Istio, MeshConfig, `extensionProviders`, `failOpen`. NIST SP 800-53 Rev. 5, SC-24 (fail in known state).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import written_rules
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import written_name
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Authorizer
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Policies whose authorizer is not there when it counts."""
    asking = [rule for rule in written_rules(ctx) if rule.effect is Effect.ASK]
    for authorizer in ctx.mesh.authorizers:
        rules = [rule for rule in asking if rule.authorizer == authorizer.name]
        if authorizer.fails_open and rules:
            yield _open(authorizer, rules)
    for rule in asking:
        if rule.authorizer is None:
            yield _unasked(ctx, rule)


def _open(authorizer: Authorizer, rules: list[AuthzRule]) -> Diagnostic:
    names = listed([str(rule.id) for rule in rules])
    return CHECK.finding(
        f"`{authorizer.name}` lets through what it fails on, and {names} {'rest' if len(rules) > 1 else 'rests'} on it",
        authorizer.origin.span,
        "has `failOpen: true`",
        subject=str(authorizer.name),
        labels=tuple(Label(rule.origin.span, "asks it") for rule in rules[:1]),
        help="take `failOpen` out, and run the authorizer so that it answers",
    )


def _unasked(ctx: CheckContext, rule: AuthzRule) -> Diagnostic:
    is_configured = bool(ctx.mesh.authorizers)
    why = "there is no provider of its name, or more than one would be asked"
    if not is_configured:
        why = "no file configures a provider"
    return CHECK.finding(
        f"CUSTOM `{written_name(rule.id)}` refuses what it matches: {why}",
        rule.origin.span,
        "asks nobody",
        subject=rule.id,
        help="add the provider to `extensionProviders` of the mesh configuration (the ConfigMap `istio`), and let one "
        "provider stand before a workload",
        severity=None if is_configured else Severity.INFO,
    )


CHECK = Check("MP331", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
