"""A request that no branch of a route takes

## What it does

Looks for a request to the destination of a route that none of its branches takes: such a request is answered with 404
by the sender's proxy, and a connection is closed. If rules allow such a request, that one is shown. If they refuse all
of them anyway, the finding is for information. At a gateway or external only its own hosts count.

## Why it matters

A route with conditions and no `otherwise` drops what nobody thought of: the call without the header, the new method,
the path with a last slash. It is allowed, it works in a test, and it fails in the mesh.

## Example

```mesh
service shop { }
service catalog { port http 80  versions v1, v2 }
allow browse: shop -> catalog:http { GET /** }
route catalog:http { when header["x-canary"] == "true" => v2 }
```

## Use instead

```mesh
service shop { }
service catalog { port http 80  versions v1, v2 }
allow browse: shop -> catalog:http { GET /** }
route catalog:http {
    when header["x-canary"] == "true" => v2
    otherwise => v1
}
```

## Precision

Exact, over the requests that can be made to the declared ports of the destination.

## References

Language reference, "What happens to a request" and "mTLS, routes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import port_name
from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.checks.unmodelled import place_of
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.request import RequestProtocol
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.routing import Route
    from meshproof.compiler.verify.routing import Unrouted
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  it loads the solver

    try:
        yield from _missed(context)
    except Undecided as undecided:
        # Which sender a route is for may not be told by its identity. MP713 says so, where it is written.
        if not context.mesh.is_lifted or place_of(context.mesh, undecided.reason) is None:
            raise


def _missed(context: CheckContext) -> Iterator[Diagnostic]:
    from meshproof.compiler.verify.routing import allowed_not_routed, unrouted  # noqa: PLC0415  it loads the solver

    routes = {route.id: route for route in context.mesh.routes}
    analysis = context.analysis()
    allowed = {found.route: found for found in allowed_not_routed(analysis, is_addressed=True)}
    for found in unrouted(analysis, is_addressed=True):
        route = routes[found.route]
        if context.mesh.is_lifted and isinstance(context.mesh.node(route.node), Gateway):
            continue  # to answer 404 to what nobody routes is what a gateway is for
        if found.route in allowed:
            yield _of_allowed(context, route, allowed[found.route])
        else:
            yield CHECK.finding(
                f"some requests are taken by no branch of route `{route.id}`, and rules refuse them all",
                route.origin.span,
                "does not take every request",
                subject=route.id,
                help=_help(context, route),
                evidence=(request_row(found.witness.request),),
                severity=Severity.INFO,
            )


def _of_allowed(context: CheckContext, route: Route, found: Unrouted) -> Diagnostic:
    request = found.witness.request
    is_tcp = request.protocol is RequestProtocol.TCP
    what, then = ("connection", "is closed") if is_tcp else ("request", "gets 404")
    rules = Rules(context)
    return CHECK.finding(
        f"an allowed {what} is taken by no branch of route `{route.id}` and {then}",
        route.origin.span,
        f"does not take every {what}",
        subject=route.id,
        labels=tuple(rules.label(name, "allows it") for name in found.witness.blamed),
        help=_help(context, route),
        evidence=(request_row(request),),
    )


def _help(context: CheckContext, route: Route) -> str:
    """A version that gets nothing yet is offered before one that does."""
    mesh = context.mesh
    targets = [target for branch in route.branches for target in branch.targets]
    node = mesh.node(route.node)
    versions = node.versions if isinstance(node, Service) else ()
    named = {target.version for target in targets}
    names = [version for version in versions if version not in named]
    names += [one.version or (one.node if one.port is None else port_name(mesh, one.node, one.port)) for one in targets]
    return context.worded(
        f"end the route with `otherwise => {names[0] if names else '…'}`, or add a branch that takes it",
        "end `http` of the VirtualService with a route without `match`, or add a match that takes it",
    )


CHECK = Check("MP402", Needs.SMT, Precision.EXACT, _find)
