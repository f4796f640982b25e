"""A rule names the port of a Service, and the pods listen on another one

## What it does

Looks for ports in rules, and in `portLevelMtls`, at which a workload does not listen, while a Service in front of it
has a port of that number with another `targetPort`.

## Why it matters

Policies are enforced where the pods listen. A rule for the port that callers dial matches nothing: an ALLOW lets nobody
in, a DENY refuses nobody, and an mTLS mode is that of nothing.

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
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {ports: ["80"]}}]
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
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {ports: ["8080"]}}]
```

## Precision

Exact. A port that is neither a Service's nor a pod's is left alone: pods may listen on ports of which no file speaks.

## References

Istio, AuthorizationPolicy, `ports`. Istio, PeerAuthentication, `portLevelMtls`: the port of the workload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import nodes_of, written_rules
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.mtls import PortScope
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Node, ServicePort
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import Span


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules and modes for ports that callers dial and nobody listens on."""
    for rule in written_rules(ctx):
        dialled = tuple(_dialled(ctx, rule))
        if dialled:
            yield _finding(title(rule), rule.origin.span, rule.id, dialled)
    nodes = {node.name: node for node in ctx.mesh.nodes}
    for statement in ctx.mesh.mtls:
        match statement.scope:
            case PortScope(service, port) if service in nodes:
                meant = _meant(nodes[service], port)
                if meant is not None:
                    found = ((nodes[service], port, meant),)
                    yield _finding("the mode of a port", statement.origin.span, service, found)
            case _:
                pass


def _dialled(ctx: CheckContext, rule: AuthzRule) -> Iterator[tuple[Node, int, ServicePort]]:
    meant = {place.node: place.ports or () for place in rule.destinations}
    for node in nodes_of(ctx, rule):
        for number in meant[node.name]:
            port = _meant(node, number)
            if port is not None:
                yield node, number, port


def _meant(node: Node, number: int) -> ServicePort | None:
    """The port of a Service of that number, if the pods do not listen there."""
    if any(port.workload == number for port in node.ports):
        return None
    return next((port for port in node.ports if port.number == number), None)


def _finding(what: str, at: Span, subject: str, found: tuple[tuple[Node, int, ServicePort], ...]) -> Diagnostic:
    names = listed(tuple(dict.fromkeys(str(node.name) for node, _, _ in found)))
    _, number, port = found[0]
    return CHECK.finding(
        f"{what} names port {number}, which callers dial: {names} listens on {port.workload}",
        at,
        "matches nothing there",
        subject=subject,
        labels=(Label(port.origin.span, f"sends {port.number} to {port.workload}"),),
        help=f"write `{port.workload}`",
    )


CHECK = Check("MP329", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
