"""A rule rests on an address that any caller in the mesh can claim

## What it does

Looks for rules with `remoteIpBlocks` or `remote.ip` at workloads that are no gateways. A sidecar takes the last address
in `x-forwarded-for` for the client, whoever wrote it.

## Why it matters

Any workload that may call at all can send the header, and be whichever address it likes.

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
  - from: [{source: {remoteIpBlocks: [198.51.100.0/24]}}]
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
  - from:
    - source:
        principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway]
        remoteIpBlocks: [198.51.100.0/24]
```

## Precision

Exact. A rule that asks for an identity as well is left alone: then it is that caller who says where requests come from.

## References

Istio, "Ingress access control": `ipBlocks` and `remoteIpBlocks`. Envoy, `x-forwarded-for`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import nodes_of, written_rules
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.predicate import Always, RemoteIp, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules at sidecars that go by what callers say of themselves."""
    for rule in written_rules(ctx):
        names = tuple(str(node.name) for node in nodes_of(ctx, rule) if isinstance(node, Service))
        is_by_address = RemoteIp() in attributes_of(rule.when) and isinstance(rule.sources.matches, Always)
        if names and is_by_address:
            yield CHECK.finding(
                f"{title(rule)} goes by the client's address, which any caller of {listed(names)} can claim",
                rule.origin.span,
                "reads `x-forwarded-for`",
                subject=rule.id,
                help="put the rule at the gateway, or name the gateway with `principals` beside the addresses",
            )


CHECK = Check("MP330", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
