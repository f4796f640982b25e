"""A workload that no policy selects

## What it does

Names, by namespace, the workloads with ports that no ALLOW policy selects. Where every workload that is known has one,
it says whether the namespace as a whole is closed. What only DENY and CUSTOM policies select is for information.

## Why it matters

Istio allows what no policy speaks of: without an ALLOW policy everyone may call, whatever other policies say of other
workloads. A namespace without a default is open again for each workload that somebody adds.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: payments, namespace: shop}
spec: {selector: {app: payments}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: payments, namespace: shop}
spec: {selector: {app: payments}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing, namespace: shop}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
```

## Precision

Exact about the workloads that the files make. A policy that selects all known workloads is taken for the namespace's
default. Workloads without a sidecar, which heed no policy, are left to `plaintext-reachable`.

## References

Istio, security best practices, "Use default-deny patterns". NIST SP 800-207, tenet 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import is_outside
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import written_name
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Namespace, Service
    from meshproof.dsl.diagnostic import Diagnostic

_ADVICE = "add an AuthorizationPolicy with `spec: {}` to namespace `%s`, which refuses what no other policy allows"


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Namespaces with workloads that nothing guards, and namespaces that are open for workloads to come."""
    guarded = {place.node for rule in ctx.mesh.rules if rule.is_enforced for place in rule.destinations}
    for namespace in ctx.mesh.namespaces:
        here = [one for one in ctx.mesh.services if one.namespace == namespace.name and not is_outside(ctx, one)]
        open_ = [one for one in here if one.default_allow and one.ports]
        bare = [one for one in open_ if one.name not in guarded]
        fenced = [one for one in open_ if one.name in guarded]
        if bare:
            yield _open(namespace, bare, "no policy selects", "everyone may call")
        if fenced:
            what = "no ALLOW policy selects", "what the others do not refuse, everyone may call"
            yield _open(namespace, fenced, *what, severity=Severity.INFO)
        closed = [one for one in here if not one.default_allow]
        if len(closed) > 1 and not open_ and not namespace.is_closed and not _has_default(ctx, closed):
            yield _without_default(namespace)


def _open(
    namespace: Namespace, found: Sequence[Service], what: str, so: str, *, severity: Severity | None = None
) -> Diagnostic:
    names = [str(one.name) for one in found]
    counted = f"{len(found)} workloads" if len(found) > 1 else "1 workload"
    return CHECK.finding(
        f"{what} {counted} of namespace `{namespace.name}`: {so} {listed(names)}",
        found[0].origin.span,
        "accepts whatever comes",
        subject=names[0],
        labels=tuple(Label(one.origin.span, "so does this") for one in found[1:MOST_NAMES]),
        notes=every(names),
        help=_ADVICE % namespace.name,
        severity=severity,
    )


def _without_default(namespace: Namespace) -> Diagnostic:
    return CHECK.finding(
        f"namespace `{namespace.name}` has no policy for all of its pods: what none selects, everyone may call",
        namespace.origin.span,
        "every workload that is known has a policy of its own",
        subject=namespace.name,
        help=_ADVICE % namespace.name,
        severity=Severity.INFO,
    )


def _has_default(ctx: CheckContext, here: Sequence[Service]) -> bool:
    """Whether one ALLOW policy selects all workloads that are known."""
    names = {one.name for one in here}
    covered: dict[str, set[str]] = {}
    for rule in ctx.mesh.rules:
        if rule.effect is Effect.ALLOW and rule.is_enforced:
            policy = written_name(rule.id).rpartition("[")[0]
            covered.setdefault(policy, set()).update(place.node for place in rule.destinations)
    return any(names <= nodes for nodes in covered.values())


CHECK = Check("MP322", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
