"""A rule that rests on the host

## What it does

Finds allows that nothing but the host narrows (every identity is among the sources, no operation, no other condition),
and denies that a caller in the mesh gets round by asking for another host. Rules of gateways, and what only gateways
may do, are left alone.

## Why it matters

The host is what the caller wrote into `Host` or `:authority`. Inside the mesh nothing checks it: any caller sends a
request to any destination with any host.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny internal: anyone -> api { when host == "internal.example.com" }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny internal: anyone -> api { * /internal/** }
```

## Precision

A heuristic: the host may be all that tells two tenants of one service apart, and the service itself may check it. The
requests that are shown are decided as it says.

## References

RFC 9110, section 7.2. CWE-290, authentication bypass by spoofing. The language reference, "Conditions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import hosts
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.authz import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that another host changes."""
    rules = Rules(ctx)
    for trust in hosts(ctx).found:
        rule = rules[trust.rule]
        is_allow = rule.effect is Effect.ALLOW
        chosen, other = trust.witness.request.host, trust.other.request.host
        yield CHECK.finding(
            f"allow `{rule.id}` lets in whoever asks for the right host"
            if is_allow
            else f"deny `{rule.id}` is escaped by asking for another host",
            rules.head(rule),
            "rests on the host alone" if is_allow else f"refuses host `{other}` and not `{chosen}`",
            subject=rule.id,
            labels=() if is_allow else tuple(rules.label(name, "allows it then") for name in trust.witness.blamed),
            help="go by the caller, the path or a token: any caller in the mesh chooses the host as it likes",
            evidence=(request_row(trust.witness.request),),
        )


CHECK = Check("MP316", Needs.SMT, Precision.HEURISTIC, find)
