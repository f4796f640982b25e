"""A branch of a route that takes no request

## What it does

Proves that no request comes to a branch: the branches before it take every request that agrees with it, or nothing
agrees with it at all. It also reports a whole route that no port is left for, because each has a route of its own.

## Why it matters

The first branch that takes a request decides. A branch behind a broader one is never used: a canary gets no traffic, a
fix to the branch changes nothing, and whoever reads the route believes something that does not happen.

## Example

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http {
    /products/** => v1
    /products/new/** => v2
    otherwise => v1
}
```

## Use instead

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http {
    /products/new/** => v2
    /products/** => v1
    otherwise => v1
}
```

## Precision

Exact. The branches that are shown are enough to take everything, and none of them can be left out. A branch that
another environment uses is left alone.

## References

Al-Shaer and Hamed, Firewall policy advisor (2003): shadowing under first match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import title
from meshproof.compiler.checks.showing import proof_row
from meshproof.compiler.ir.entities import Layer
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import Origin
    from meshproof.compiler.ir.routing import Branch, Route
    from meshproof.compiler.verify.analysis import Analysis
    from meshproof.compiler.verify.routing import UnreachableBranch
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    routes = {route.id: route for route in context.mesh.routes}
    others = context.elsewhere()
    for route in context.mesh.routes:
        replacing = _replacing(context.mesh, route)
        if replacing and not any(_is_used(route, other) for other in others):
            yield _of_route(route, replacing)
    told: set[Origin] = set()
    for found in _unreachable(context):
        branch = _branches(context)[found.branch]
        if context.mesh.is_lifted:
            if branch.origin not in told and not _is_reached(branch, context):
                told.add(branch.origin)
                yield _of_lifted(routes[found.route], found)
        elif not any(_is_reached(branch, other) for other in others):
            yield _of_branch(routes[found.route], found.branch, found.cover)


def _is_used(route: Route, elsewhere: CheckContext) -> bool:
    """Whether a port is left for the route in another environment."""
    same = (one for one in elsewhere.mesh.routes if one.origin == route.origin)
    return any(not _replacing(elsewhere.mesh, one) for one in same)


def _is_reached(branch: Branch, elsewhere: CheckContext) -> bool:
    """Whether something comes to the branch in another environment."""
    dead = {found.branch for found in _unreachable(elsewhere)}
    return any(one.origin == branch.origin and name not in dead for name, one in _branches(elsewhere).items())


def _branches(context: CheckContext) -> dict[str, Branch]:
    """The branches of routes that some port is left for, by name."""
    left = (route for route in context.mesh.routes if not _replacing(context.mesh, route))
    return {branch.id: branch for route in left for branch in route.branches}


def _unreachable(context: CheckContext) -> tuple[UnreachableBranch, ...]:
    branches = _branches(context)
    return tuple(found for found in context.analysis().once(_question) if found.branch in branches)


def _question(analysis: Analysis) -> tuple[UnreachableBranch, ...]:
    from meshproof.compiler.verify.routing import unreachable_branches  # noqa: PLC0415  it loads the solver

    return tuple(unreachable_branches(analysis))


def _replacing(mesh: Mesh, route: Route) -> tuple[Route, ...]:
    """The routes that are for a port each, if they leave none to this one."""
    node = mesh.node(route.node)
    if route.port is not None or node is None:
        return ()
    ports = {port.workload for port in node.ports if port.layer is not Layer.TCP}
    others = tuple(one for one in mesh.routes if one.node == route.node and one.port in ports)
    return others if {one.port for one in others} == ports else ()


def _of_route(route: Route, others: tuple[Route, ...]) -> Diagnostic:
    return CHECK.finding(
        f"no request comes to route `{route.id}`: each port has a route of its own",
        route.origin.span,
        "never used",
        subject=route.id,
        labels=tuple(Label(one.origin.span, "holds for its port") for one in others),
        help="delete it, or one of the others",
    )


def _of_branch(route: Route, branch_id: str, cover: tuple[str, ...]) -> Diagnostic:
    branches: dict[str, Branch] = {branch.id: branch for branch in route.branches}
    branch = branches[branch_id]
    where = title(route, branch)
    if not cover:
        return CHECK.finding(
            f"no request agrees with {where}",
            branch.origin.span,
            "its conditions cannot hold together",
            subject=route.id,
            help="change its conditions, or delete it",
            evidence=(proof_row("no request agrees with it, whatever its path, method, headers or identity"),),
        )
    text = "takes every request that this one would take" if len(cover) == 1 else "takes a part of its requests"
    return CHECK.finding(
        f"no request comes to {where}: the branches before it take them all",
        branch.origin.span,
        "never used",
        subject=route.id,
        labels=tuple(Label(branches[name].origin.span, text) for name in cover),
        help="delete it" if branch.is_otherwise else "put it before the broader branches, or delete it",
        evidence=(proof_row("every request that agrees with it is taken by a branch before it"),),
    )


def _of_lifted(route: Route, found: UnreachableBranch) -> Diagnostic:
    """A route of a VirtualService: another object with the same host may be what hides it."""
    branches: dict[str, Branch] = {branch.id: branch for branch in route.branches}
    branch = branches[found.branch]
    cover = [branches[name] for name in found.cover]
    files = {one.origin.span.file for one in cover}
    is_foreign = bool(cover) and branch.origin.span.file not in files
    what = "a route of another object takes them" if is_foreign else "the routes before it take them"
    return CHECK.finding(
        f"no request to `{route.node}` comes to this route: {what if cover else 'its conditions exclude each other'}",
        branch.origin.span,
        "never used",
        subject=route.id,
        labels=tuple(Label(one.origin.span, "takes what this one would take") for one in cover),
        help="delete it, or put it before the others in `http`; where several objects route one host, make them one",
        severity=Severity.WARNING if is_foreign else None,
    )


CHECK = Check("MP401", Needs.SMT, Precision.EXACT, _find)
