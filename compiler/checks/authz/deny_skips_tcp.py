"""A deny that does not cover TCP ports

## What it does

Lists the ports in the destinations of a `deny` that it cannot speak of: it has operations or reads something that only
HTTP has, and the port carries TCP.

## Why it matters

A deny over a set reads as if it held for the whole set. On a TCP port there are no methods and no paths, so it matches
nothing there: what allows open on such a port stays open.

## Example

```mesh
service web { }
service api { port http 8080  port admin tcp 9000 }
allow read: web -> api:http { GET /** }
allow console: web -> api:admin
deny no-admin: anyone -> api { * /admin/** }
```

## Use instead

```mesh
service web { }
service api { port http 8080  port admin tcp 9000 }
allow read: web -> api:http { GET /** }
allow console: web -> api:admin
deny no-admin: anyone -> api:http { * /admin/** }
```

## Precision

Exact. It is for information, and looks at denies in force only.

## References

The language reference, "Rules". Istio, AuthorizationPolicy: HTTP fields on TCP ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.authz import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Denies in force that skip ports of their set."""
    rules = Rules(ctx)
    names = {(node.name, port.workload): f"{node.name}:{port.name}" for node in ctx.mesh.nodes for port in node.ports}
    for rule in ctx.mesh.rules:
        if rule.effect is not Effect.DENY or not rule.skipped or not rule.is_in_force(ctx.day):
            continue
        ports = [names.get((place.node, port), place.node) for place in rule.skipped for port in place.ports or ()]
        yield CHECK.finding(
            f"deny `{rule.id}` does not cover {listed(ports)}",
            rules.head(rule),
            "speaks of HTTP, and these ports carry TCP",
            subject=rule.id,
            help="write a rule of its own for them, without operations, or name the HTTP ports that are meant",
        )


CHECK = Check("MP317", Needs.MODEL, Precision.EXACT, find)
