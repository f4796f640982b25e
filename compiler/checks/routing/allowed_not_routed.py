"""Something is allowed that no gateway sends

## What it does

Reports a gateway that lets requests in and has no route for them, and an allow that is for gateways alone and for
destinations to which none of them sends anything, in branches and mirrors.

## Why it matters

A gateway makes no calls but those of its routes. A permission that it cannot use is either a route that was forgotten,
so that callers get 404, or what is left of one that was deleted, and waits for whoever adds a route next.

## Example

```mesh
gateway edge { namespace ingress  hosts "shop.example.com"  port http 80 -> 8080 }
service web { port http 80 -> 8080 }
service admin { port http 80 -> 8080 }
allow public: internet -> edge
allow visit: edge -> web:http { GET /** }
allow console: edge -> admin:http { GET /** }
route edge { /** => web:http }
```

## Use instead

```mesh
gateway edge { namespace ingress  hosts "shop.example.com"  port http 80 -> 8080 }
service web { port http 80 -> 8080 }
allow public: internet -> edge
allow visit: edge -> web:http { GET /** }
route edge { /** => web:http }
```

## Precision

Misses some: a rule of which a gateway uses one destination or operation is not looked at further, nor is one that is
used in another environment. Requests to a route that none of its branches takes are MP402.

## References

Language reference, "mTLS, routes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import port_name
from meshproof.compiler.checks.showing import listed, request_row
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import External, Gateway, Layer
from meshproof.compiler.resolve.callers import either, exactly
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.routing import Target
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    if context.mesh.is_lifted:
        return  # routes and Services of gateways stand in other files more often than not
    for rule in context.mesh.rules:
        gateways = _unused_by(context, rule)
        if gateways and not any(_is_used_in(other, rule) for other in context.elsewhere()):
            yield _of_rule(context, gateways, rule)
    yield from _closed_gateways(context)


def _unused_by(context: CheckContext, rule: AuthzRule) -> tuple[Gateway, ...]:
    """The gateways that the rule is for, if they have routes and none of these sends anything that it allows."""
    mesh = context.mesh
    if rule.effect is not Effect.ALLOW or not rule.is_in_force(context.day) or not _is_inside(mesh, rule):
        return ()
    gateways = _gateways_of(mesh, rule)
    names = {gateway.name for gateway in gateways}
    has_route = any(route.node in names for route in mesh.routes)
    return gateways if has_route and not _is_used(mesh, gateways, rule) else ()


def _is_used_in(elsewhere: CheckContext, rule: AuthzRule) -> bool:
    """Whether a gateway uses the rule in another environment."""
    same = (one for one in elsewhere.mesh.rules if one.origin == rule.origin)
    return any(not _unused_by(elsewhere, one) for one in same)


def _gateways_of(mesh: Mesh, rule: AuthzRule) -> tuple[Gateway, ...]:
    """The gateways that the rule is for, if it is for nobody else."""
    found = tuple(gateway for gateway in mesh.gateways if gateway.name in rule.sources.members)
    if rule.sources.has_internet or len(found) != len(rule.sources.members) or rule.sources.shared:
        return ()
    identities = sorted({gateway.identity.uri for gateway in found})
    return found if rule.sources.matches == either(tuple(exactly(uri) for uri in identities)) else ()


def _is_inside(mesh: Mesh, rule: AuthzRule) -> bool:
    """Whether the rule is for what is in the mesh: to an external a gateway passes things on without a route."""
    nodes = [mesh.node(place.node) for place in rule.destinations]
    return bool(nodes) and not any(isinstance(node, External) for node in nodes)


def _is_used(mesh: Mesh, gateways: tuple[Gateway, ...], rule: AuthzRule) -> bool:
    ends = tuple(_ends(mesh, gateways))
    return any(
        target.node == place.node and (place.ports is None or target.port is None or target.port in place.ports)
        for place in rule.destinations
        for target in ends
    )


def _ends(mesh: Mesh, gateways: tuple[Gateway, ...]) -> Iterator[Target]:
    names = {gateway.name for gateway in gateways}
    for route in mesh.routes:
        if route.node in names:
            for branch in route.branches:
                yield from branch.targets
                if branch.settings.mirror is not None:
                    yield branch.settings.mirror.target


def _of_rule(context: CheckContext, gateways: tuple[Gateway, ...], rule: AuthzRule) -> Diagnostic:
    mesh = context.mesh
    names = {gateway.name for gateway in gateways}
    ports = {port_name(mesh, place.node, port) for place in rule.destinations for port in place.ports or ()}
    ends = sorted(ports | {place.node for place in rule.destinations if place.ports is None})
    return CHECK.finding(
        f"rule `{rule.id}` allows what no route of {listed(sorted(names))} sends",
        Rules(context).head(rule),
        "never used",
        subject=rule.id,
        labels=tuple(
            Label(route.origin.span, f"sends nothing to {listed(ends)}") for route in mesh.routes if route.node in names
        ),
        help=f"add a branch `=> {ends[0]}` to the route, or delete the rule",
    )


def _closed_gateways(context: CheckContext) -> Iterator[Diagnostic]:
    """Gateways that let something in at a port for which there is no route."""
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.verify import Example, Unknown  # noqa: PLC0415  the same
    from meshproof.compiler.verify.properties import ALLOWED  # noqa: PLC0415  the same

    analysis = context.analysis()
    leaving = {external.via for external in context.mesh.externals}
    unknown: list[Unknown] = []
    for key in analysis.scopes():
        scope = analysis.scope(key)
        policy = scope.policy
        route = policy.route_tcp if policy.layer is Layer.TCP else policy.route
        if isinstance(policy.node, Gateway) and route is None and key.node not in leaving:
            answer = scope.is_satisfiable(ALLOWED)
            if isinstance(answer, Example):
                rules = Rules(context)
                yield CHECK.finding(
                    f"gateway `{key.node}` lets requests in at `{scope.name}` and sends them nowhere",
                    policy.node.origin.span,
                    "has no route for the port",
                    subject=key.node,
                    labels=tuple(rules.label(name, "allows it") for name in answer.witness.blamed),
                    help=f"write `route {key.node} {{ /** => SERVICE:PORT }}`, or delete the rule",
                    evidence=(request_row(answer.witness.request),),
                )
            elif isinstance(answer, Unknown):
                unknown.append(answer)
    if unknown:
        raise Undecided(unknown[0].reason)


CHECK = Check("MP408", Needs.SMT, Precision.MISSES_SOME, _find)
