"""A rule that several others make needless

## What it does

Proves that other rules together match all that a rule matches, though no single one does. The fewest that are enough
are shown. Of an allow, denies may take a part and other allows the rest: then it can go as well.

## Why it matters

Nobody sees it by reading: each of the others leaves something over. The rule looks needed, is carried along, and comes
to life when one of the others is narrowed.

## Example

```mesh
service web { }
service api { port http 8080 }
allow items: web -> api { GET|PUT /items/** }
allow reads: web -> api { GET /** }
allow puts: web -> api { PUT /** }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow items: web -> api { GET|PUT /items/** }
```

## Precision

Exact, over every request that can be made; none of the rules that are shown can be left out. If one of them ends before
the rule does (`until`), the finding is for information. A rule that another environment needs is left alone.

## References

Batfish: lines that several others block. Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls
(2004), knows pairs only; Hu, Ahn and Kulkarni, Detecting and resolving firewall policy anomalies (2012), sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import cover_labels, first_end, notes, proof, redundant
from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that match nothing which others, taken together, do not match."""
    rules = Rules(ctx)
    for rule, found in redundant(ctx, "jointly-shadowed", "mixed-cover"):
        is_for_now = first_end(rules, rule, found) is not None
        yield CHECK.finding(
            f"{title(rule)} adds nothing to {listed(found.cover)}",
            rules.head(rule),
            "matches nothing of its own",
            subject=rule.id,
            labels=cover_labels(rules, found),
            notes=notes(rules, rule, found),
            help=None if is_for_now else f"delete it, or narrow one of {listed(found.cover)}",
            evidence=(proof(found, f"each request of `{rule.id}` is matched by one of {listed(found.cover)}"),),
            severity=Severity.INFO if is_for_now else None,
        )


CHECK = Check("MP306", Needs.SMT, Precision.EXACT, find)
