"""A rule takes a host without a port alone

## What it does

Looks for rules that compare the host as it is sent (`hosts`, `notHosts`) with a whole name and do not say what holds if
a port stands behind it: they take `shop.example.com` and not `shop.example.com:8080`.

## Why it matters

Routes leave the port out, rules do not. A DENY for a host at a gateway is escaped by adding the port, and the request
goes to the same place. An ALLOW refuses clients that send it, which many do on any other port than 80 and 443.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules:
  - to: [{operation: {hosts: ["admin.example.com"]}}]
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules:
  - to: [{operation: {hosts: ["admin.example.com", "admin.example.com:*"]}}]
```

## Precision

Exact about what is compared. What a rule at a sidecar is worth, whose callers choose the host, is said by `host-alone`.

## References

ISTIO-SECURITY-2021-008. Istio, security best practices, "Host header matching".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import comparisons_in, nodes_of, written_rules
from meshproof.compiler.checks.showing import every, listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.predicate import RawAuthority
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules at gateways with hosts that a port behind them changes."""
    for rule in written_rules(ctx):
        hosts = _hosts(rule)
        if hosts and any(isinstance(node, Gateway) for node in nodes_of(ctx, rule)):
            yield _finding(rule, hosts)


def _hosts(rule: AuthzRule) -> tuple[str, ...]:
    """The hosts that are compared whole, without one that goes on with a colon."""
    matchers = [test.matcher for test, _ in comparisons_in(rule.content) if isinstance(test.attribute, RawAuthority)]
    begun = [matcher.value for matcher in matchers if isinstance(matcher, Prefix)]
    names = (matcher.value for matcher in matchers if isinstance(matcher, Exact) and ":" not in matcher.value)
    return tuple(dict.fromkeys(name for name in names if not any(f"{name}:".startswith(one) for one in begun)))


def _finding(rule: AuthzRule, hosts: tuple[str, ...]) -> Diagnostic:
    is_allow = rule.effect is Effect.ALLOW
    return CHECK.finding(
        f"{title(rule)} takes {listed(hosts)} only where no port stands behind it",
        rule.origin.span,
        f"refuses `{hosts[0]}:8080`" if is_allow else f"is escaped with `{hosts[0]}:8080`",
        subject=rule.id,
        notes=every(hosts),
        help=f'write `"{hosts[0]}", "{hosts[0]}:*"`',
        severity=Severity.INFO if is_allow else None,
    )


CHECK = Check("MP327", Needs.MODEL, Precision.EXACT, find, AppliesTo.MANIFESTS)
