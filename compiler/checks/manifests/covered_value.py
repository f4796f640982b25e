"""A value in a rule is covered by another one beside it

## What it does

Compares the paths of each rule with each other, and their methods: one that another takes whole is not needed.

## Why it matters

The narrow value reads like a limit, and there is none. Whoever takes it away, or relies on it, is wrong about what the
rule does.

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
    to: [{operation: {methods: [GET], paths: ["/items/*", "/items/today"]}}]
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
    to: [{operation: {methods: [GET], paths: ["/items/*"]}}]
```

## Precision

Misses some: templates are not compared, nor values of other fields. Rules that cover others are found by `shadowed`.

## References

E. Al-Shaer and H. Hamed, "Modeling and management of firewall policies" (redundancy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import written_rules
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.matchers import Exact, Prefix, Suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule, Operation
    from meshproof.compiler.ir.matchers import Matcher
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules with values that add nothing to others."""
    for rule in written_rules(ctx):
        pairs = tuple(_covered(rule))
        if pairs:
            narrow = dict.fromkeys(one for one, _ in pairs)
            wide = dict.fromkeys(other for _, other in pairs)
            yield CHECK.finding(
                f"{listed(tuple(narrow))} in {title(rule)} {'add' if len(narrow) > 1 else 'adds'} nothing to "
                f"{listed(tuple(wide))}",
                rule.operations[0].origin.span,
                "says the same twice",
                subject=rule.id,
                help="delete the narrow value, or the wide one if that is too wide",
            )


def _covered(rule: AuthzRule) -> Iterator[tuple[str, str]]:
    """Paths that another one covers, with that one."""
    for one in rule.operations:
        wider = next((other for other in rule.operations if other is not one and _takes(other, one)), None)
        if wider is not None and wider.path is not None and one.path is not None:
            yield _text(one.path), _text(wider.path)


def _takes(wide: Operation, narrow: Operation) -> bool:
    """Whether the first takes all that the second takes, and more."""
    has_methods = not wide.methods or (bool(narrow.methods) and set(narrow.methods) <= set(wide.methods))
    if wide.path is None or narrow.path is None or wide.path == narrow.path or not has_methods:
        return False
    match wide.path, narrow.path:
        case Prefix(begin), Exact(value) | Prefix(value):
            return value.startswith(begin)
        case Suffix(end), Exact(value) | Suffix(value):
            return value.endswith(end)
        case _:
            return False


def _text(path: Matcher) -> str:
    match path:
        case Prefix(value):
            return f"{value}*"
        case Suffix(value):
            return f"*{value}"
        case Exact(value):
            return value
        case _:
            raise AssertionError(path)


CHECK = Check("MP324", Needs.MODEL, Precision.MISSES_SOME, find, AppliesTo.MANIFESTS)
