"""Weights that do not sum to 100

## What it does

Adds up the shares of the targets of each branch. One target without a share has all of the traffic; among several, a
target without a share has none. With `weights by` these are the shares that the controller begins with.

## Why it matters

Meshes disagree about shares that do not sum to 100: some refuse the route, some stretch the shares, some lose the rest.
What is meant cannot be told from it.

## Example

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http { otherwise => v1 90%, v2 5% }
```

## Use instead

```mesh
service catalog { port http 80  versions v1, v2 }
route catalog:http { otherwise => v1 95%, v2 5% }
```

## Precision

Exact.

## References

Istio, VirtualService: HTTPRouteDestination.weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import port_name, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.routing import Branch, Route, Target
    from meshproof.dsl.diagnostic import Diagnostic

WHOLE = 100


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    for route in context.mesh.routes:
        for branch in route.branches:
            total = sum(target.weight for target in branch.targets if not target.is_alternative)
            if branch.targets and total != WHOLE:
                yield _finding(context.mesh, route, branch, total)


def _finding(mesh: Mesh, route: Route, branch: Branch, total: int) -> Diagnostic:
    where = title(route, branch)
    first, last = branch.targets[0], branch.targets[-1]
    is_alone = len(branch.targets) == 1
    message = f"the one target of {where} has {total}%" if is_alone else f"the shares of {where} sum to {total}%"
    return CHECK.finding(
        f"{message}, not 100%",
        first.origin.span.to(last.origin.span),
        f"{total}% in all",
        subject=route.id,
        help="leave the share out, or say where the rest goes" if is_alone else _advice(mesh, branch.targets, total),
    )


def _advice(mesh: Mesh, targets: tuple[Target, ...], total: int) -> str:
    """Shares that sum to 100: what is missing goes to the first target, what is too much is taken from it."""
    first, *others = targets
    if not 0 <= first.weight + WHOLE - total <= WHOLE:
        return "make the shares sum to 100"
    shares = (f"{_name(mesh, target)} {target.weight}%" for target in others)
    return f"for example `{_name(mesh, first)} {first.weight + WHOLE - total}%, {', '.join(shares)}`"


def _name(mesh: Mesh, target: Target) -> str:
    return target.version or (target.node if target.port is None else port_name(mesh, target.node, target.port))


CHECK = Check("MP404", Needs.MODEL, Precision.EXACT, _find)
