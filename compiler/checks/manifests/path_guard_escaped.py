"""Another spelling of a path steps round a rule that refuses it

## What it does

Takes each path that a DENY names, or that an ALLOW leaves out with `notPaths`, finds a request with it that the rule
refuses, and tries other spellings of it: a slash behind it or doubled in it, capital letters, `;x`, an encoded slash.
Those that are allowed are shown.

## Why it matters

Istio compares paths as they are, after the normalization that is configured. Many servers do not: to them `/admin/`,
`//admin` or `/Admin` is `/admin`. A rule that says what is refused has to know every spelling; one that says what is
allowed does not.

## Example

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
  - to: [{operation: {paths: ["/admin"]}}]
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
  - to: [{operation: {paths: ["/orders", "/orders/*"]}}]
```

## Precision

Heuristic: each request is decided by the interpreter, but whether the server behind takes the spellings for one path is
not known. It tries one caller and one method for each path, so it misses some.

## References

CVE-2021-31920, CVE-2021-29492, CVE-2021-39156. Istio, security best practices, "Path normalization": use ALLOW with
paths, or DENY with `notPaths`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import comparisons_in, nodes_of, written_rules
from meshproof.compiler.checks.showing import listed, request_row
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import External, Layer
from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.predicate import Method, Path
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.decision import Decision
    from meshproof.compiler.ir.entities import Gateway, Node, Service
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that a spelling escapes, each with the spellings."""
    for rule in written_rules(ctx):
        escapes: dict[str, Request] = {}
        for path in dict.fromkeys(_refused_paths(rule)):
            request = next(_refused_requests(ctx, rule, path), None)
            if request is not None:
                found = {one: replace(request, path=one) for one in _spellings(path)}
                escapes |= {one: other for one, other in found.items() if _is_allowed(ctx, other)}
        if escapes:
            yield _finding(rule, escapes)


def _refused_paths(rule: AuthzRule) -> Iterator[str]:
    """Paths that the rule keeps out: those of a DENY, and those that an ALLOW leaves out."""
    for test, is_negated in comparisons_in(rule.content):
        if isinstance(test.attribute, Path) and is_negated is (rule.effect is Effect.ALLOW):
            match test.matcher:
                case Exact(value) | Prefix(value) if value.startswith("/") and value != "/":
                    yield value
                case _:
                    pass


def _refused_requests(ctx: CheckContext, rule: AuthzRule, path: str) -> Iterator[Request]:
    """Requests with the path that are refused: by the rule itself, or because it is the one that would allow them."""
    meant = {place.node: place.ports for place in rule.destinations}
    for node in nodes_of(ctx, rule):
        declared = tuple(port.workload for port in node.ports if port.layer is not Layer.TCP)
        ports = meant[node.name] or declared
        if not ports or isinstance(node, External):
            continue
        request = Request(
            source=Peer(_caller(ctx, rule, node)),
            destination=node.name,
            port=ports[0],
            protocol=RequestProtocol.HTTP,
            method=_method(rule),
            host=str(node.name).rpartition("/")[2],
            path=path,
        )
        decision = _decision(ctx, request)
        if decision is not None and not decision.is_allowed and _is_by(rule, decision):
            yield request


def _is_by(rule: AuthzRule, decision: Decision) -> bool:
    names = {written_name(one) for one in decision.determined_by}
    return rule.effect is Effect.ALLOW or written_name(rule.id) in names


def _method(rule: AuthzRule) -> str:
    """A method that the rule is about."""
    for test, _ in comparisons_in(rule.content):
        match test.attribute, test.matcher:
            case Method(), Exact(value):
                return value
            case _:
                pass
    return "GET"


def _caller(ctx: CheckContext, rule: AuthzRule, callee: Node) -> str | None:
    """A caller that the rule is about, if the files have one."""
    nodes: tuple[Service | Gateway, ...] = (*ctx.mesh.services, *ctx.mesh.gateways)
    named = (node for node in nodes if node.name in rule.sources.members and node is not callee)
    return next((node.identity.uri for node in named), None)


def _spellings(path: str) -> tuple[str, ...]:
    whole = path.rstrip("/")
    last = whole.rpartition("/")[2]
    first = whole.removesuffix(last)
    return tuple(dict.fromkeys((f"{whole}/", f"/{whole}", f"{first}{last.capitalize()}", f"{whole};x", f"{whole}%2f")))


def _is_allowed(ctx: CheckContext, request: Request) -> bool:
    decision = _decision(ctx, request)
    return decision is not None and decision.is_allowed


def _decision(ctx: CheckContext, request: Request) -> Decision | None:
    try:
        return decide(ctx.mesh, request, ctx.day)
    except (MalformedRequest, MissingAnswer, NotModelled):
        return None


def _finding(rule: AuthzRule, escapes: dict[str, Request]) -> Diagnostic:
    return CHECK.finding(
        f"{title(rule)} keeps a path out, and not {listed(tuple(escapes))}",
        rule.origin.span,
        "compares the path as it is",
        subject=rule.id,
        help="say in an ALLOW policy which paths are let in, or in the DENY, with `notPaths`, which are not refused",
        evidence=(request_row(next(iter(escapes.values()))),),
    )


CHECK = Check("MP326", Needs.MODEL, Precision.HEURISTIC, find, AppliesTo.MANIFESTS)
