"""A rule takes a whole namespace in which a gateway runs

## What it does

Looks for rules that allow every account of `istio-system`, or of a namespace in which a gateway runs and nothing else
that the files make. It says once which rules take the namespace.

## Why it matters

What is meant is the gateway. The namespace holds more: the control plane, other gateways, whatever an add-on brings.
Each of them may call, with what it was told by whoever reaches it.

## Example

```yaml
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
  - from: [{source: {namespaces: [istio-system]}}]
```

## Use instead

```yaml
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
  - from: [{source: {principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]}}]
```

## Precision

Heuristic: all of the namespace may be meant.

## References

Istio, security best practices. NIST SP 800-207A, section 4 (identity of the service, not of where it runs).
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
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

_ROOT = "istio-system"
_NOBODY = "an-account-that-nobody-names"
"""An account and a namespace of which no policy speaks: what takes them takes all there are."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Namespaces of gateways that rules take as a whole, each once."""
    rules = [rule for rule in written_rules(ctx) if rule.effect is Effect.ALLOW]
    for namespace in _namespaces(ctx.mesh):
        found = [rule for rule in rules if _takes_whole(ctx.mesh, rule, namespace)]
        if found:
            yield _finding(ctx, namespace, found)


def _namespaces(mesh: Mesh) -> list[str]:
    """Where gateways run and no application does, as far as files tell."""
    applications = {service.namespace for service in mesh.services}
    return sorted({_ROOT, *(gateway.namespace for gateway in mesh.gateways)} - applications)


def _takes_whole(mesh: Mesh, rule: AuthzRule, namespace: str) -> bool:
    inside = SpiffeId.of_account(mesh.trust_domain, namespace, _NOBODY).uri
    elsewhere = SpiffeId.of_account(mesh.trust_domain, _NOBODY, _NOBODY).uri
    return takes(rule.sources.matches, inside) and not takes(rule.sources.matches, elsewhere)


def _finding(ctx: CheckContext, namespace: str, found: list[AuthzRule]) -> Diagnostic:
    rules = Rules(ctx)
    names = [str(rule.id) for rule in found]
    return CHECK.finding(
        f"{listed(names)} {'let' if len(names) > 1 else 'lets'} in everything that runs in namespace `{namespace}`, "
        "and not its gateway alone",
        rules.sources(found[0]),
        "takes the whole namespace",
        subject=found[0].id,
        labels=tuple(rules.label(rule.id, "and so does this") for rule in found[1:MOST_NAMES]),
        notes=every(names),
        help=f'name the gateway: `principals: ["{ctx.mesh.trust_domain}/ns/{namespace}/sa/ACCOUNT"]`',
    )


CHECK = Check("MP325", Needs.MODEL, Precision.HEURISTIC, find, AppliesTo.MANIFESTS)
