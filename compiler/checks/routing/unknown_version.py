"""A version that the destination does not have

## What it does

Compares the versions that a route names, in branches and mirrors, with the `versions` of the service.

## Why it matters

A mesh has no endpoints for a version that does not exist: the share that goes there fails with 503, and only that
share, so that it shows as a few errors and not as a mistake in the route.

## Example

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http { otherwise => v1 90%, v3 10% }
```

## Use instead

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http { otherwise => v1 90%, v2 10% }
```

## Precision

Exact.

## References

Istio, DestinationRule: subsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.entities import Service
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.routing import Route, Target
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    services = {node.name: node for node in context.mesh.services}
    for route in context.mesh.routes:
        for target in dict.fromkeys(_targets(route)):
            service = services.get(target.node)
            known = () if service is None else service.versions
            if target.version is not None and target.version not in known:
                yield _finding(route, target, service, known)


def _targets(route: Route) -> Iterator[Target]:
    for branch in route.branches:
        yield from branch.targets
        if branch.settings.mirror is not None:
            yield branch.settings.mirror.target


def _finding(route: Route, target: Target, service: Service | None, known: tuple[str, ...]) -> Diagnostic:
    similar = closest(target.version or "", known)
    if similar is not None:
        advice = f"did you mean `{similar}`?"
    elif service is None:
        advice = f"only services have versions: write `{target.node}`"
    else:
        advice = f"add it to the service, `versions {', '.join((*known, target.version or ''))}`, or name another"
    declared = () if service is None else (Label(service.origin.span, _text(known)),)
    return CHECK.finding(
        f"`{target.node}` has no version `{target.version}`",
        target.origin.span,
        "no such version",
        subject=route.id,
        labels=declared,
        help=advice,
    )


def _text(known: tuple[str, ...]) -> str:
    if not known:
        return "declares no versions"
    return f"has the version{'s' if len(known) > 1 else ''} {listed(known)}"


CHECK = Check("MP403", Needs.MODEL, Precision.EXACT, _find)
