"""A prefix of a path ends in the middle of a segment

## What it does

Looks for prefixes such as `/public*` in what rules allow: they take `/publicity` as well as `/public/x`. Prefixes that
end in `/` or another mark are left alone, and so are those of rules that refuse.

## Why it matters

Who wrote `/admin-tools*` thought of what is there today. The next endpoint whose name begins in the same way is allowed
on the day that somebody adds it, without a change of any policy.

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
    to: [{operation: {methods: [GET], paths: ["/public*"]}}]
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
    to: [{operation: {methods: [GET], paths: ["/public", "/public/*"]}}]
```

## Precision

Heuristic: the longer names may be meant.

## References

Istio, AuthorizationPolicy, `paths`: exact, prefix, suffix and presence match. CWE-183.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import comparisons_in, written_rules
from meshproof.compiler.checks.showing import every, listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.matchers import Prefix
from meshproof.compiler.ir.predicate import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import Span


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that allow more than the segment that they name."""
    for rule in written_rules(ctx):
        if rule.effect is Effect.ALLOW:
            cut = tuple(dict.fromkeys(_prefixes(rule)))
            if cut:
                yield _finding(rule, cut)


def _prefixes(rule: AuthzRule) -> Iterator[str]:
    for test, is_negated in comparisons_in(rule.content):
        match test.matcher:
            case Prefix(value) if isinstance(test.attribute, Path) and not is_negated and value[-1:].isalnum():
                yield value
            case _:
                pass


def _finding(rule: AuthzRule, cut: tuple[str, ...]) -> Diagnostic:
    written = [f"{value}*" for value in cut]
    first = cut[0]
    return CHECK.finding(
        f"{listed(written)} in {title(rule)} {'end' if len(cut) > 1 else 'ends'} in the middle of a segment: "
        f"`{first}X` is allowed too",
        _place(rule, cut),
        "takes what begins so",
        subject=rule.id,
        notes=every(written),
        help=f'write `paths: ["{first}", "{first}/*"]`',
    )


def _place(rule: AuthzRule, cut: tuple[str, ...]) -> Span:
    """The entry of `to`, where the path is a plain one."""
    paths = {one.path: one.origin.span for one in rule.operations}
    return next(
        (span for path, span in paths.items() if isinstance(path, Prefix) and path.value in cut), rule.origin.span
    )


CHECK = Check("MP323", Needs.MODEL, Precision.HEURISTIC, find, AppliesTo.MANIFESTS)
