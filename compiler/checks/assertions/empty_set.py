"""A claim about an empty set

## What it does

Reports claims whose callers, destinations or zone have no member in the environment.

## Why it matters

Every claim about nothing is true. It goes on being proved while the services that it was written for are renamed, lose
their tag, or are declared in another environment alone.

## Example

```mesh
service payment { port http 80  tags pci }
service report { port http 80  tags audit }
prove "audit stays out" { no request from tagged pci and tagged audit to payment }
```

## Use instead

```mesh
service payment { port http 80  tags pci }
service report { port http 80  tags audit }
prove "audit stays out" { no request from tagged audit to payment }
```

## Precision

Exact.

## References

Language reference, "Claims": a claim over an empty set is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic

_WHAT = {
    "sources": "no caller is in the set that it is about",
    "destinations": "nothing with a port is in the set that it is about",
    "bypassing": "nobody is in the set after `bypassing`",
    "zone": "nothing is in the zone",
}


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """The claims that speak of nothing."""
    for prove, claim, result in ctx.claims():
        if result.empty is not None:
            yield CHECK.finding(
                f"`{claim.text}` is about an empty set",
                claim.origin.span,
                _WHAT[result.empty],
                subject=prove.title,
                help="name something that is declared; what is declared in one environment alone is claimed there, "
                "`env prod`",
            )


CHECK = Check("MP603", Needs.SMT, Precision.EXACT, find)
