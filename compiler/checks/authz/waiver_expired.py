"""A waiver that is past its day

## What it does

Compares the `until` of every waiver with the day that the policy is judged as of. `until` is through that day, in UTC.

## Why it matters

A waiver is a promise to mend something by a day. From then on it counts no longer, and what it accepted is reported
again; this finding says that there was a promise.

## Example

```mesh
service web { }
service api { port http 8080 }
allow calls: web -> api { because "to be narrowed" }
waive MP305 on calls because "see SHOP-17" owner "team-shop" until 2026-06-30
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow calls: web -> api { because "to be narrowed" }
waive MP305 on calls because "see SHOP-17" owner "team-shop" until 2027-06-30
```

## Precision

Exact, as of the day (`--at`, or today).

## References

PCI DSS 4.0.1, appendix B (compensating controls are reviewed every year).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._exceptions import waivers
from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Waivers that ended before the day."""
    for one in waivers(ctx):
        if one.until is not None and one.until < ctx.day:
            yield CHECK.finding(
                f"{one.title} ended on {one.until}",
                one.span,
                "accepts nothing any more",
                subject=one.subject,
                help="mend what it accepted and delete it, or ask its owner for a new day",
            )


CHECK = Check("MP311", Needs.MODEL, Precision.EXACT, find)
