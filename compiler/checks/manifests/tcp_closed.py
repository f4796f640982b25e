"""A rule that speaks of HTTP refuses connections at TCP ports

## What it does

Looks for rules with methods, paths, hosts, headers or tokens at workloads with TCP ports that the rule does not leave
out. On TCP a DENY loses those fields, and the rest of it refuses whole connections. An ALLOW is not there at all, and
still refuses what no other rule allows: reported is one that leaves a port to nobody.

## Why it matters

A DENY for `POST` refuses every connection to the database port of the same pod, and so does an ALLOW for `GET` that is
alone. Nothing in the policy says so, and it is noticed when it is applied.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app: orders}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-db, port: 5432, targetPort: 5432}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-posts, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules:
  - to: [{operation: {methods: [POST]}}]
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app: orders}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-db, port: 5432, targetPort: 5432}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-posts, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: DENY
  rules:
  - to: [{operation: {methods: [POST], ports: ["8080"]}}]
```

## Precision

Exact about ports that are declared as TCP. Ports whose protocol is sniffed are left out: what they carry is not known.

## References

Istio, AuthorizationPolicy on TCP: fields of HTTP in a DENY are ignored. Istio, "Authorization for TCP traffic".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import nodes_of, written_rules
from meshproof.compiler.checks.showing import every, listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.predicate import reads_http
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import ServicePort
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules about HTTP that refuse connections."""
    yield from _denies(ctx)
    yield from _allows(ctx)


def _denies(ctx: CheckContext) -> Iterator[Diagnostic]:
    about_http = {written_name(rule.id) for rule in written_rules(ctx) if reads_http(rule.content)}
    seen: set[str] = set()
    for rule in ctx.mesh.rules:
        name = written_name(rule.id)
        is_other_form = rule.layer is Layer.TCP and name in about_http and name not in seen
        if rule.effect is Effect.DENY and rule.is_in_force(ctx.day) and is_other_form:
            ports = dict(_ports(ctx, rule))
            if ports:
                seen.add(name)
                yield _finding(rule, ports)


def _allows(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Allows that are left out on TCP, at ports that no other one opens."""
    opened = {
        name
        for rule in ctx.mesh.rules
        if rule.effect is Effect.ALLOW and rule.is_in_force(ctx.day) and rule.layer is not Layer.HTTP
        for name, _ in _ports(ctx, rule)
    }
    for rule in written_rules(ctx):
        if rule.effect is Effect.ALLOW and rule.layer is Layer.HTTP:
            ports = {name: port for name, port in _ports(ctx, rule) if name not in opened}
            if ports:
                yield _left_out(rule, ports)


def _left_out(rule: AuthzRule, ports: dict[str, ServicePort]) -> Diagnostic:
    names = tuple(ports)
    return CHECK.finding(
        f"{title(rule)} speaks of HTTP, so that nobody may connect to {listed(names)}, which is TCP",
        rule.origin.span,
        "is left out on TCP",
        subject=rule.id,
        labels=tuple(Label(port.origin.span, "is declared as TCP") for port in list(ports.values())[:1]),
        notes=every(names),
        help="add a rule with `ports` and without fields of HTTP, or say in `ports` which HTTP ports are meant",
    )


def _ports(ctx: CheckContext, rule: AuthzRule) -> Iterator[tuple[str, ServicePort]]:
    """The TCP ports at which the rule refuses, by name."""
    meant = {place.node: place.ports for place in rule.destinations}
    for node in nodes_of(ctx, rule):
        for port in node.ports:
            wanted = meant[node.name]
            if port.layer is Layer.TCP and (wanted is None or port.workload in wanted):
                yield f"{node.name}:{port.name}", port


def _finding(rule: AuthzRule, ports: dict[str, ServicePort]) -> Diagnostic:
    names = tuple(ports)
    return CHECK.finding(
        f"{title(rule)} speaks of HTTP, and refuses connections at {listed(names)}, which is TCP",
        rule.origin.span,
        "refuses whole connections there",
        subject=rule.id,
        labels=tuple(Label(port.origin.span, "is declared as TCP") for port in list(ports.values())[:1]),
        notes=every(names),
        help="say in `ports` which HTTP ports are meant",
    )


CHECK = Check("MP328", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
