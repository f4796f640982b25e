"""A claim that nothing could break

## What it does

Reports claims that are proved and say nothing: no request that they speak of is allowed by anyone, or no request,
whatever the rules were, could contradict them. With `--strict` that is an error.

## Why it matters

A line of `prove` is read as a guarantee, and counted as evidence. One that would be proved without any rule guards
nothing: a name was mistyped, a condition can never hold, or the service that it was about has lost its last caller.

## Example

```mesh
service checkout { }
service payment { port http 80 }
prove "only the checkout pays" { only checkout reaches payment }
```

## Use instead

```mesh
service checkout { }
service payment { port http 80 }
allow pay: checkout -> payment { POST /charge }
prove "only the checkout pays" { only checkout reaches payment }
```

## Precision

Exact for claims about single requests. Of claims about paths, mirrors and attempts it misses some.

## References

Beer, Ben-David, Eisner and Rodeh, Efficient detection of vacuity in temporal model checking (2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.ir.assertions import (
    AtMostAttempts,
    CanCall,
    CanReach,
    EveryRequestIs,
    EveryRequestIsMtls,
    EveryRequestSatisfies,
    IsIsolated,
    NoMirrorLeaves,
    NoPath,
    NoRequest,
    OnlyReaches,
    Statement,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """The claims that are vacuous."""
    for prove, claim, result in ctx.claims():
        if result.is_vacuous:
            yield CHECK.finding(
                f"nothing could break `{claim.text}`",
                claim.origin.span,
                "proved, but says nothing",
                subject=prove.title,
                notes=(_reason(claim.statement),),
                help="speak of requests that the rules decide about, or delete the line",
            )


def _reason(statement: Statement) -> str:
    match statement:
        case OnlyReaches():
            return "no request that it speaks of is allowed, or every caller is in the set"
        case EveryRequestIs() | EveryRequestSatisfies():
            return "no request that it speaks of is allowed, or none could be otherwise"
        case EveryRequestIsMtls():
            return "no request that it speaks of passes transport, or none could come without an identity"
        case NoRequest() | CanReach() | CanCall():
            return "there can be no request that it speaks of"
        case NoPath():
            return "every source, or every destination, is among what may not be bypassed"
        case NoMirrorLeaves():
            return "the zone holds everything that is declared"
        case IsIsolated() | AtMostAttempts():
            return "nobody in the set calls anything"
        case _:
            assert_never(statement)


CHECK = Check("MP602", Needs.SMT, Precision.MISSES_SOME, find)
