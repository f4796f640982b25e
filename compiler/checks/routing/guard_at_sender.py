"""A route guards what the destination lets in

## What it does

Looks for branches of routes that answer or abort with 401 or 403, and for branches of gateways that ask for claims of a
token, and asks whether the destination itself lets in what they keep away: from a gateway's routes, for callers other
than the gateway.

## Why it matters

A route is asked by the proxy of whoever sends. A caller without a sidecar, one that dials the pod, and one that sends
from another place than the gateway never ask it. What a destination must not get, a policy of its own has to refuse.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders]
  http:
  - match: [{uri: {prefix: /admin}}]
    directResponse: {status: 403}
  - route: [{destination: {host: orders}}]
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
metadata: {name: no-admin, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules:
  - to: [{operation: {paths: ["/admin*"]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders]
  http:
  - match: [{uri: {prefix: /admin}}]
    directResponse: {status: 403}
  - route: [{destination: {host: orders}}]
```

## Precision

Misses some: faults for a share of the requests, and requests for which there is no branch at all, are left out. What is
reported is shown with a request that the destination lets in.

## References

Istio, "Security best practices". Envoy, route configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.entities import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.routing import Branch
    from meshproof.compiler.verify.guards import Escaped
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import Span


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    from meshproof.compiler.verify.guards import escaped_guards, is_refusal  # noqa: PLC0415  it loads the solver

    branches = {branch.id: branch for route in context.mesh.routes for branch in route.branches}
    seen: set[Span] = set()
    for one in escaped_guards(context.analysis()):
        branch = branches[one.branch]
        if branch.origin.span not in seen:  # of the gateways and ports that a route is for, one is enough
            seen.add(branch.origin.span)
            yield _finding(context, branch, one, refuses=is_refusal(branch))


def _finding(context: CheckContext, branch: Branch, escaped: Escaped, *, refuses: bool) -> Diagnostic:
    node = next(route.node for route in context.mesh.routes if route.id == escaped.route)
    is_edge = isinstance(context.mesh.node(node), Gateway)
    past = f"whoever does not come through `{node}`" if is_edge else "whoever does not ask it"
    if refuses:
        message = f"a route refuses what `{escaped.place}` lets in from {past}"
    else:
        message = f"a route asks for claims that `{escaped.place}` does not ask of {past}"
    otherwise = ", or let in the gateway alone" if is_edge else ""
    return CHECK.finding(
        message,
        branch.origin.span,
        "is asked by the sender's proxy alone",
        subject=branch.id.partition("@")[0],
        help=f"say it in an AuthorizationPolicy at the destination as well{otherwise}",
        evidence=(request_row(escaped.witness.request),),
    )


CHECK = Check("MP411", Needs.SMT, Precision.MISSES_SOME, _find, AppliesTo.MANIFESTS)
