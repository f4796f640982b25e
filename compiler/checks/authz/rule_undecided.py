"""A rule of which something is not known

## What it does

Reports the rules of which one of the questions behind the checks MP301 to MP316 could not be answered: the solver came
to its limit of time, a pattern is too large to be divided exactly, or the answer hangs on something in a foreign file
that is not modelled.

## Why it matters

What is not known is not fine. A rule that could not be looked at is no rule without findings, so the run does not pass
(exit code 3).

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api {
    GET /**
    when header["x-a"] matches re"(a|b|c|d)*a(a|b|c|d){14}"
}
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api {
    GET /**
    when header["x-a"] matches re"[abcd]+"
}
```

## Precision

Exact.

## References

The language reference, "Claims": proved, refuted or undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import undecided
from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import RuleId
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that could not be decided, each with the reasons."""
    rules = Rules(ctx)
    reasons: dict[RuleId, dict[str, None]] = {}
    for one in undecided(ctx):
        reasons.setdefault(one.rule, {})[one.reason] = None
    for name, said in reasons.items():
        yield CHECK.finding(
            f"not everything about {title(rules[name])} could be decided",
            rules.head(rules[name]),
            "not known",
            subject=name,
            notes=tuple(said),
            help="give it more time with `--timeout`, or write its patterns more simply",
        )


CHECK = Check("MP318", Needs.SMT, Precision.EXACT, find)
