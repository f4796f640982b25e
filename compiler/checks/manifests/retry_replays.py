"""A route repeats requests that may change something

## What it does

Looks for routes that retry on errors of the destination (`5xx`, `gateway-error`, `reset`, a status) and take requests
of any method, or of one that is not safe to repeat.

## Why it matters

An error may come after the work was done: a payment that is answered with 504 was perhaps made. The retry makes it
again.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: payments, namespace: shop}
spec: {selector: {app: payments}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payments, namespace: shop}
spec:
  hosts: [payments]
  http:
  - route: [{destination: {host: payments}}]
    retries: {attempts: 3, retryOn: "5xx"}
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: payments, namespace: shop}
spec: {selector: {app: payments}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payments, namespace: shop}
spec:
  hosts: [payments]
  http:
  - match: [{method: {exact: GET}}]
    route: [{destination: {host: payments}}]
    retries: {attempts: 3, retryOn: "5xx"}
  - route: [{destination: {host: payments}}]
    retries: {attempts: 3, retryOn: "connect-failure,refused-stream"}
```

## Precision

Heuristic: the service may take the same request twice without harm. Conditions under which no request was sent
(`connect-failure`, `refused-stream`) are left alone, and so is Istio's default.

## References

RFC 9110, section 9.2.2 (idempotent methods). Istio, VirtualService, HTTPRetry. Envoy, `x-envoy-retry-on`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import every, listed
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import And, Method, Or, Predicate, Test
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import Origin
    from meshproof.compiler.ir.routing import Branch, Retry
    from meshproof.dsl.diagnostic import Diagnostic

_AFTER_THE_WORK = frozenset(("5xx", "gateway-error", "reset", "retriable-4xx"))
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
"""Methods that mean the same if they are sent twice (RFC 9110)."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Retries that may do something twice: those of a file with the same conditions once."""
    found: dict[Origin, tuple[Retry, str]] = {}
    for route in ctx.mesh.routes:
        for branch in route.branches:
            retry = branch.settings.retry
            if retry is not None and retry.attempts and _conditions(retry) and not _is_safe(branch):
                found.setdefault(retry.origin, (retry, next((str(one.node) for one in branch.targets), route.node)))
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Retry, str]]] = {}
    for origin, (retry, node) in sorted(found.items(), key=lambda one: one[0].span):
        groups.setdefault((origin.span.file, _conditions(retry)), []).append((retry, node))
    for (_, conditions), retries in groups.items():
        yield _finding(conditions, retries)


def _finding(conditions: tuple[str, ...], retries: list[tuple[Retry, str]]) -> Diagnostic:
    nodes = tuple(dict.fromkeys(node for _, node in retries))
    return CHECK.finding(
        f"requests to {listed(nodes)} are sent again on {listed(conditions)}, whatever they do",
        retries[0][0].origin.span,
        "repeats a POST as well",
        subject=nodes[0],
        labels=tuple(Label(retry.origin.span, "so does this") for retry, _ in retries[1:]),
        notes=every(nodes),
        help="retry on `connect-failure,refused-stream`, or give what changes something a route of its own",
    )


def _conditions(retry: Retry) -> tuple[str, ...]:
    """The conditions that hold after the destination has seen the request."""
    words = (word.strip() for text in retry.conditions for word in text.split(","))
    return tuple(word for word in words if word in _AFTER_THE_WORK or word.isdigit())


def _is_safe(branch: Branch) -> bool:
    methods = frozenset(branch.methods) or _methods(branch.condition)
    return bool(methods) and methods <= _SAFE


def _methods(condition: Predicate) -> frozenset[str]:
    """The methods that a condition asks for; none if it may hold of any."""
    match condition:
        case Test(Method(), Exact(value)):
            return frozenset((value,))
        case And(operands):
            return next((found for found in map(_methods, operands) if found), frozenset())
        case Or(operands):
            each = [_methods(operand) for operand in operands]
            return frozenset().union(*each) if all(each) else frozenset()
        case _:
            return frozenset()


CHECK = Check("MP410", Needs.MODEL, Precision.HEURISTIC, find, AppliesTo.MANIFESTS)
