"""A deny that is escaped by leaving something out

## What it does

Looks for a header, query parameter, token or identity with which a `deny` refuses a request, and without which the same
request is allowed.

## Why it matters

The caller decides what it sends. A deny that waits for something to be there catches only those who bring it along.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny guests: web -> api { when header["x-role"] == "guest" }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny guests: web -> api { unless header["x-role"] == "staff" }
```

## Precision

Exact for headers, query parameters, tokens and identities: both requests are shown.

## References

CWE-636, not failing securely. The language reference, "Conditions": `unless` fails closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import hazards
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import request_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Denies that let through what they refuse once something is taken out of it."""
    rules = Rules(ctx)
    for hazard in hazards(ctx).found:
        if hazard.kind != "escaped-by-omission":
            continue
        what = "an identity" if hazard.name == "source" else "a token" if hazard.name == "token" else f"`{hazard.name}`"
        yield CHECK.finding(
            f"leaving out {what} escapes deny `{hazard.rule}`",
            rules.head(rules[hazard.rule]),
            "does not match without it",
            subject=hazard.rule,
            labels=tuple(rules.label(name, "allows it then") for name in hazard.without.blamed),
            notes=("the first request is allowed, the second is refused",),
            help=ctx.worded(
                f"say who is let through instead, with `unless`: a request without {what} is refused then",
                f"say who is let through instead, with a `not…` field or `notValues`: a request without {what} is "
                "refused then",
            ),
            evidence=(request_row(hazard.without.request), request_row(hazard.having.request)),
        )


CHECK = Check("MP314", Needs.SMT, Precision.EXACT, find)
