"""A rule that says the same as another one

## What it does

Proves that two rules of one effect match exactly the same requests, however differently they are written. The one that
is written later is reported.

## Why it matters

Whoever takes a permission back, or narrows a deny, changes one of the two, sees the review pass, and has changed
nothing: the other one still holds.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET|HEAD /items/** }
allow look: { web } -> api { * /items/**  when method in ["GET", "HEAD"] }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET|HEAD /items/** }
```

## Precision

Exact, over every request that can be made. Two rules that differ only in what transport refuses are reported with a
note. A rule that another environment needs is left alone.

## References

Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls (2004): redundancy. PCI DSS 4.0.1,
requirement 1.2.7 (rules are reviewed, and relevant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import first_end, notes, proof, redundant
from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that match what an earlier one of their effect matches."""
    rules = Rules(ctx)
    for rule, found in redundant(ctx, "duplicate"):
        (twin,) = found.cover
        is_outliving = first_end(rules, rule, found) is not None
        yield CHECK.finding(
            f"{title(rule)} matches exactly what `{twin}` matches",
            rules.head(rule),
            "says the same again",
            subject=rule.id,
            labels=(rules.label(twin, "says it first"),),
            notes=notes(rules, rule, found),
            help=f"delete `{twin}`, which ends first" if is_outliving else "delete one of the two",
            evidence=(proof(found, f"`{rule.id}` and `{twin}` match the same requests, all of them"),),
        )


CHECK = Check("MP303", Needs.SMT, Precision.EXACT, find)
