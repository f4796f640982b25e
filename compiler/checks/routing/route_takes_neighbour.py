"""The prefix of a route takes a path that something else is about

## What it does

Looks for branches of VirtualServices with a prefix that does not end in `/`, and for paths that begin so, go on in the
middle of a segment, and stand in a policy at the destination or in another branch. Reported is such a path that the
branch does take.

## Why it matters

Prefixes of a VirtualService are compared letter by letter: `/api` takes `/apiadmin`. Whoever publishes `/api` publishes
that as well, and what was written for it elsewhere shows that it is there. Nobody sees it by looking at either of them.

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
  - to: [{operation: {paths: ["/api/*", "/apiadmin/*"]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders]
  http:
  - match: [{uri: {prefix: /api}}]
    route: [{destination: {host: orders}}]
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
  - to: [{operation: {paths: ["/api/*", "/apiadmin/*"]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders]
  http:
  - match: [{uri: {prefix: /api/}}, {uri: {exact: /api}}]
    route: [{destination: {host: orders}}]
```

## Precision

Heuristic: that both paths were meant to be taken cannot be known. Prefixes beside which nothing else is written are
left alone, however wide they are. Those of HTTPRoutes end at segments.

## References

Istio, VirtualService: `StringMatch.prefix`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.predicate import And, Not, Or, Path, Predicate, Test
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import NodeName, Origin
    from meshproof.compiler.ir.routing import Branch, Route
    from meshproof.compiler.verify.analysis import Analysis
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import Span

    _Written = tuple[str, Origin]
    """A path, and where it stands."""


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    by_node = _paths_by_node(context)
    seen: set[tuple[Span, str]] = set()
    for route in context.mesh.routes:
        for branch in route.branches:
            for prefix in _open_prefixes(branch.condition):
                for path, origin in _neighbours(by_node, route, branch, prefix):
                    known = (branch.origin.span, prefix)
                    if known not in seen and _is_taken(context.analysis(), route, branch, path):
                        seen.add(known)
                        yield _finding(branch, prefix, path, origin)


def _paths_by_node(context: CheckContext) -> dict[NodeName, list[_Written]]:
    """The paths that rules in force compare, by where they do."""
    found: dict[NodeName, list[_Written]] = {}
    for rule in context.mesh.rules:
        paths = [(path, rule.origin) for path in _paths_in(rule.content)] if rule.is_in_force(context.day) else []
        for node in {place.node for place in rule.destinations} if paths else ():
            found.setdefault(node, []).extend(paths)
    return found


def _open_prefixes(condition: Predicate) -> Iterator[str]:
    """The prefixes of paths that end in the middle of a segment, where the condition asks for one."""
    match condition:
        case Test(Path(), Prefix(value)) if len(value) > 1 and not value.endswith("/"):
            yield value
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _open_prefixes(operand)
        case _:
            return


def _neighbours(
    by_node: dict[NodeName, list[_Written]], route: Route, branch: Branch, prefix: str
) -> Iterator[_Written]:
    """Paths that begin like the prefix and go on without a `/`."""
    written = [one for node in sorted({target.node for target in branch.targets}) for one in by_node.get(node, ())]
    others = (one for one in route.branches if one is not branch and not one.is_implied)
    written += [(path, one.origin) for one in others for path in _paths_in(one.condition)]
    for path, origin in written:
        if path.startswith(prefix) and path[len(prefix) :][:1] not in {"", "/"}:
            yield path, origin


def _paths_in(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case Test(Path(), Exact(value) | Prefix(value)):
            yield value
        case Not(operand):
            yield from _paths_in(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _paths_in(operand)
        case _:
            return


def _is_taken(analysis: Analysis, route: Route, branch: Branch, path: str) -> bool:
    """Whether the branch takes a request for the path. Raises Undecided."""
    from meshproof.compiler.smt.region import Satisfying, Taken, both  # noqa: PLC0415  with what solves
    from meshproof.compiler.verify.routing import scopes_of_route  # noqa: PLC0415  it loads the solver

    region = both(Taken(branch.id), Satisfying(Test(Path(), Exact(path))))
    return any(not scope.is_empty(region) for scope in scopes_of_route(analysis, route))


def _finding(branch: Branch, prefix: str, path: str, origin: Origin) -> Diagnostic:
    return CHECK.finding(
        f"the prefix `{prefix}` of a route takes `{path}` too",
        branch.origin.span,
        "ends in the middle of a segment",
        subject=branch.id.partition("@")[0],
        labels=(Label(origin.span, "is about that path"),),
        help=f"write `prefix: {prefix}/`, and `exact: {prefix}` beside it",
    )


CHECK = Check("MP412", Needs.SMT, Precision.HEURISTIC, _find, AppliesTo.MANIFESTS)
