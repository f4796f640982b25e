"""A route sends what no rule allows

## What it does

Proves of a branch of a route that none of the requests that it takes is allowed where it arrives; and of a mirror that
none of the copies is.

## Why it matters

The route says that something is offered, the rules say that it is not: callers get 403, or a mirror stays empty and
nobody notices. One of the two was changed without the other.

## Example

```mesh
service shop { }
service catalog { port http 80  versions v1, v2 }
allow browse: shop -> catalog:http { GET /products/** }
route catalog:http {
    /orders/** => v2
    otherwise => v1
}
```

## Use instead

```mesh
service shop { }
service catalog { port http 80  versions v1, v2 }
allow browse: shop -> catalog:http {
    GET /products/**
    GET /orders/**
}
route catalog:http {
    /orders/** => v2
    otherwise => v1
}
```

## Precision

Misses some: branches that rewrite the path or edit headers are left out, and of a request that a gateway sends on only
method, path, host, headers and query are followed. A branch that another environment uses is left alone.

## References

Language reference, "mTLS, routes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import title
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed, proof_row
from meshproof.compiler.ir.entities import Gateway
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.routing import Route
    from meshproof.compiler.smt.solver import Undecided
    from meshproof.compiler.verify.analysis import Analysis
    from meshproof.compiler.verify.routing import Refused
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import Span


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    found, unknown = context.analysis().once(_question)
    if context.mesh.is_lifted:
        yield from _together(context, found)
    for route in () if context.mesh.is_lifted else context.mesh.routes:
        refused = tuple(one for one in found if one.route == route.id)
        used = (one for one in refused if not any(_is_used(context, one, other) for other in context.elsewhere()))
        yield from _of_route(context, route, tuple(used))
    if unknown is not None:
        raise unknown


def _together(context: CheckContext, found: tuple[Refused, ...]) -> Iterator[Diagnostic]:
    """The routes of manifests whose every request is refused, as one finding: as a rule one policy closes them all.

    What a proxy does with a Service of which no route speaks is written nowhere, and is no finding.
    """
    branches = {branch.id: branch for route in context.mesh.routes for branch in route.branches}
    nodes = {node.origin.span for node in context.mesh.nodes}
    ports = {port.origin.span for node in context.mesh.nodes for port in node.ports}
    refused = {one.branch for one in found if not one.is_mirror}
    alive = {branch.origin.span for name, branch in branches.items() if name not in refused}
    closed: dict[Span, tuple[str, ...]] = {}
    for one in found:
        span = branches[one.branch].origin.span
        if not one.is_mirror and span not in alive | nodes | ports:
            closed.setdefault(span, one.targets)
    if closed:
        yield _closed(closed)


def _closed(closed: dict[Span, tuple[str, ...]]) -> Diagnostic:
    first, *others = sorted(closed)
    targets = tuple(dict.fromkeys(name for span in sorted(closed) for name in closed[span]))
    routes = "routes send" if others else "a route sends"
    return CHECK.finding(
        f"{routes} requests to {listed(targets)}, where no policy allows any of them",
        first,
        "all that it sends is refused",
        subject=targets[0],
        labels=tuple(Label(span, "and so is this") for span in others[:MOST_NAMES]),
        notes=every(targets),
        help="allow the callers what the routes are for, or delete the routes",
        evidence=(proof_row(f"every request that they take is refused at {listed(targets)}"),),
    )


def _question(analysis: Analysis) -> tuple[tuple[Refused, ...], Undecided | None]:
    """What sends nothing that is allowed, and why something could not be decided, if that is so."""
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.verify.routing import mirrored_not_allowed, routed_not_allowed  # noqa: PLC0415  the same

    found: list[Refused] = []
    unknown: Undecided | None = None
    for search in (routed_not_allowed(analysis), mirrored_not_allowed(analysis)):
        try:
            found.extend(search)
        except Undecided as undecided:
            unknown = undecided
    return tuple(found), unknown


def _is_used(context: CheckContext, refused: Refused, elsewhere: CheckContext) -> bool:
    """Whether the branch sends something, in another environment, that is allowed there."""
    branches = {branch.id: branch.origin for route in context.mesh.routes for branch in route.branches}
    origin = branches[refused.branch]
    there, _ = elsewhere.analysis().once(_question)
    closed = {(one.branch, one.is_mirror) for one in there}
    same = (one.id for route in elsewhere.mesh.routes for one in route.branches if one.origin == origin)
    return any((name, refused.is_mirror) not in closed for name in same)


def _of_route(context: CheckContext, route: Route, refused: tuple[Refused, ...]) -> Iterator[Diagnostic]:
    branches = {one.branch: one for one in refused if not one.is_mirror}
    sending = [branch.id for branch in route.branches if branch.targets]
    if len(sending) > 1 and set(branches) == set(sending):
        targets = tuple(dict.fromkeys(name for one in branches.values() for name in one.targets))
        yield _finding(context, route, f"route `{route.id}`", targets)
    else:
        for branch in route.branches:
            if branch.id in branches:
                yield _finding(context, route, title(route, branch), branches[branch.id].targets)
    for one in refused:
        if one.is_mirror:
            yield _of_mirror(route, one)


def _finding(context: CheckContext, route: Route, what: str, targets: tuple[str, ...]) -> Diagnostic:
    spans = {title(route, branch): branch.origin.span for branch in route.branches}
    sender = f"`{route.node}`" if isinstance(context.mesh.node(route.node), Gateway) else "a caller"
    return CHECK.finding(
        f"{what} sends requests to {listed(targets)}, where no rule allows any of them",
        spans.get(what, route.origin.span),
        "all that it sends is refused",
        subject=route.id,
        help=f"allow {sender} what the route is for, or delete it",
        evidence=(proof_row(f"every request that it takes is refused at {listed(targets)}"),),
    )


def _of_mirror(route: Route, found: Refused) -> Diagnostic:
    branch = next(branch for branch in route.branches if branch.id == found.branch)
    mirror = branch.settings.mirror
    return CHECK.finding(
        f"no rule allows a copy that {title(route, branch)} sends to {listed(found.targets)}",
        branch.origin.span if mirror is None else mirror.origin.span,
        "every copy is refused",
        subject=route.id,
        help="a copy is a request of its own, with the sender's identity: allow it, or delete the mirror",
        evidence=(proof_row(f"every copy is refused at {listed(found.targets)}"),),
    )


CHECK = Check("MP409", Needs.SMT, Precision.MISSES_SOME, _find)
