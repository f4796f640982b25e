"""An allow that a deny takes everything from

## What it does

Proves that every request that an `allow` matches is refused by a `deny`, or by several together. It shows the fewest
denies that do so.

## Why it matters

A deny wins over every allow, wherever it stands. So the allow is dead: whoever needs it is locked out, and whoever
reads it believes in a permission that does not exist. When somebody narrows the deny later, for a reason of their own,
the permission comes to life unseen.

## Example

```mesh
service dev { }
service ledger { port http 8080 }
deny no-dev: dev -> all
allow reports: dev -> ledger { GET /reports/** }
```

## Use instead

```mesh
service dev { }
service ledger { port http 8080 }
deny no-dev: dev -> all {
    unless method == "GET" and path in /reports/**
    tags guardrail
}
allow reports: dev -> ledger { GET /reports/** }
```

## Precision

Exact, over every request that can be made. A rule that is overridden only of what passes transport (without an
identity, nothing does under strict mTLS) is a warning. A rule that another environment needs is left alone.

## References

Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls (2004): shadowing by a rule of the other
effect. Cedar Analysis: permit overridden by forbid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import cover_labels, notes, proof, redundant
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Allows that denies take everything from."""
    rules = Rules(ctx)
    for rule, found in redundant(ctx, "overridden"):
        denies = listed(found.cover)
        yield CHECK.finding(
            f"rule `{rule.id}` can never decide a request",
            rules.head(rule),
            "every request that it matches is refused",
            subject=rule.id,
            labels=cover_labels(rules, found),
            notes=notes(rules, rule, found),
            help=ctx.worded(
                f"delete it, or take its requests out of {denies} with `unless` or `except`",
                f"delete it, or take its requests out of {denies} with `notPaths`, `notPrincipals` and the like",
            ),
            evidence=(proof(found, f"every request that `{rule.id}` matches is matched by {denies}"),),
            severity=None if found.is_stable else Severity.WARNING,
        )


CHECK = Check("MP301", Needs.SMT, Precision.EXACT, find)
