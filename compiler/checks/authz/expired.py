"""A rule or exception that is past its day

## What it does

Compares every `until` (of rules, mTLS statements, `observe` and `assume`) with the day that the policy is judged as of.
`until` is through that day, in UTC.

## Why it matters

After its day an allow, an `audit`, a `permissive`, a `disabled`, an `observe` and an `assume` are out of force: what
they let through is refused now, and whoever still needs it does not know why. A deny or ask stays in force, because a
wall must not fall by the calendar. Either way somebody has to decide.

## Example

```mesh
service ci { }
service api { port http 8080 }
allow load-test: ci -> api { GET /items/**  because "load test" until 2026-06-30 }
```

## Use instead

```mesh
service ci { }
service api { port http 8080 }
allow load-test: ci -> api { GET /items/**  because "load test" until 2027-06-30 }
```

## Precision

Exact, as of the day (`--at`, or today). Waivers are MP311.

## References

NIST SP 800-53 Rev. 5, AC-2(2) (what is temporary ends). PCI DSS 4.0.1, requirement 1.2.7 (rules are reviewed, and
relevant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._exceptions import exceptions
from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Whatever ended before the day."""
    for one in exceptions(ctx):
        if one.until is None or one.until >= ctx.day:
            continue
        state = "it stays in force until somebody decides" if one.is_kept else "it is out of force"
        yield CHECK.finding(
            f"{one.title} ended on {one.until}",
            one.span,
            state,
            subject=one.subject,
            help="delete it, or give it a new day if it is still needed",
        )


CHECK = Check("MP309", Needs.MODEL, Precision.EXACT, find)
