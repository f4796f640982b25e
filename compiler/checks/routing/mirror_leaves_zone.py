"""A mirror that copies requests out of a zone

## What it does

For every `mirror`, looks at the zones that the requests were meant for: those that hold a destination of the branch. If
one of them does not hold the mirror's destination, copies of what was sent into the zone leave it.

## Why it matters

A mirrored request is complete: path, headers, tokens, body. Whoever gets the copy sees what the zone was drawn around,
card numbers or names of patients, and often runs with less care, because "it is only a mirror".

## Example

```mesh
service payment { port http 80  tags pci }
service shadow { port http 80 }
zone cde = tagged pci
route payment:http { mirror shadow:http 10% }
```

## Use instead

```mesh
service payment { port http 80  tags pci }
service shadow { port http 80  tags pci }
zone cde = tagged pci
route payment:http { mirror shadow:http 10% }
```

## Precision

Exact. A mirror to another version of the same service stays in the zone. `prove … no mirror from D leaves Z` says the
same of one zone, and is proved.

## References

Istio, VirtualService: mirrors. PCI DSS 4.0.1, requirement 1.2.4 (data flows across systems and networks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Zone
    from meshproof.compiler.ir.names import NodeName
    from meshproof.compiler.ir.routing import Mirror, Route
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    for route in context.mesh.routes:
        for mirror, destinations in _mirrors(route).items():
            left = tuple(zone for zone in context.mesh.zones if _is_left(zone, mirror, destinations))
            if left:
                yield _finding(route, mirror, destinations, left)


def _mirrors(route: Route) -> dict[Mirror, tuple[NodeName, ...]]:
    """The mirrors that copy something, and where the requests that they copy go."""
    found: dict[Mirror, dict[NodeName, None]] = {}
    for branch in route.branches:
        mirror = branch.settings.mirror
        if mirror is not None and mirror.percent > 0:
            found.setdefault(mirror, {}).update(dict.fromkeys(target.node for target in branch.targets))
    return {mirror: tuple(destinations) for mirror, destinations in found.items()}


def _is_left(zone: Zone, mirror: Mirror, destinations: tuple[NodeName, ...]) -> bool:
    return mirror.target.node not in zone.destinations and not set(zone.destinations).isdisjoint(destinations)


def _finding(route: Route, mirror: Mirror, destinations: tuple[NodeName, ...], left: tuple[Zone, ...]) -> Diagnostic:
    held = tuple(name for name in destinations if any(name in zone.destinations for zone in left))
    zones = ("zone " if len(left) == 1 else "zones ") + listed([zone.name for zone in left])
    return CHECK.finding(
        f"copies of requests for {listed(held)} leave {zones}",
        mirror.origin.span,
        f"copies go to `{mirror.target.node}`",
        subject=route.id,
        labels=tuple(Label(zone.origin.span, f"does not hold `{mirror.target.node}`") for zone in left),
        help=f"mirror to something inside, or put `{mirror.target.node}` into the zone and guard it like the rest",
    )


CHECK = Check("MP406", Needs.MODEL, Precision.EXACT, _find)
