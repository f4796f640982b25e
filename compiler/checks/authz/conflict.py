"""Allows that a deny cuts into

## What it does

Finds the allows that have requests in common with a `deny`, one finding for each deny, with a request that both match
and with how the two lie to each other:

- exception: the deny lies within the allow and takes a part out of it;
- correlation: they overlap, and each matches what the other does not;
- override: the deny takes all of the allow (MP301 reports the allow, too).

## Why it matters

The deny wins, always. That is mostly what was meant, so this is for information: it shows where a deny bites, and which
permission is smaller than it reads. Before somebody changes the deny, this is the list of who will notice.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny no-admin: web -> api { * /admin/** }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
```

## Precision

Exact, over every request that can be made. A deny with `tags guardrail` is left alone: it says that it is meant.

## References

Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls (2004): exception, generalization,
correlation. Order plays no part here: a deny wins wherever it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import example_of, overlaps
from meshproof.compiler.checks.authz._rules import GUARDRAIL, Rules
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import listed, request_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.verify.conflicts import Conflict
    from meshproof.dsl.diagnostic import Diagnostic


_MOST_LABELS = 3
_KINDS = {
    "exception": "exception: the deny takes a part out of this",
    "correlation": "correlation: each of the two matches what the other does not",
    "override": "override: the deny takes all of this",
}


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """The denies that meet an allow."""
    rules = Rules(ctx)
    by_deny: dict[RuleId, list[Conflict]] = {}
    for conflict in overlaps(ctx).found:
        by_deny.setdefault(conflict.deny, []).append(conflict)
    for deny, conflicts in by_deny.items():
        if GUARDRAIL in rules[deny].tags:
            continue
        allows = [conflict.allow for conflict in conflicts]
        request = example_of(ctx, conflicts[0])
        yield CHECK.finding(
            f"deny `{deny}` refuses requests that {listed(allows)} would allow",
            rules.head(rules[deny]),
            "wins wherever the two meet",
            subject=deny,
            labels=tuple(rules.label(one.allow, _KINDS[one.kind]) for one in conflicts[:_MOST_LABELS]),
            help="say that it is meant with `tags guardrail`, or narrow the deny with `except` or `unless`",
            evidence=() if request is None else (request_row(request),),
        )


CHECK = Check("MP308", Needs.SMT, Precision.EXACT, find, AppliesTo.LANGUAGE)
