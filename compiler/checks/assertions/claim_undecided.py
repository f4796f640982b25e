"""A claim that could not be decided

## What it does

Reports claims that were neither proved nor refuted, with the reason: a limit was reached, or the answer depends on
something that is not known here.

## Why it matters

The claim may be false, so it is never counted as proved: if nothing else is wrong, the run ends with 3. Where time ran
out, give it more with `--timeout 60s`, or narrow the claim to a destination or to the operations that matter.

## Example

```mesh
service payment { }
external stripe { hosts "api.stripe.com"  port http 80 }
allow pay: payment -> stripe { POST /charge }
prove "payments are sealed" { every request to stripe is mtls }
```

## Use instead

```mesh
service payment { }
external stripe { hosts "api.stripe.com"  port http 80 }
allow pay: payment -> stripe { POST /charge }
prove "only payment pays" { only payment reaches stripe }
```

## Precision

Exact.

## References

Language reference, "Claims": each claim is proved, answered with a request or chain that replays, or undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import is_for_want_of_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """The claims of which nothing is known. One about an empty set is an error of its own."""
    from meshproof.compiler.verify.verdict import Unknown  # noqa: PLC0415  it loads the solver

    for prove, claim, result in ctx.claims():
        if isinstance(result.verdict, Unknown) and result.empty is None:
            yield CHECK.finding(
                f"`{claim.text}` could not be decided: {result.verdict.reason}",
                claim.origin.span,
                "neither proved nor refuted",
                subject=prove.title,
                help=_help(result.verdict.reason),
            )


def _help(reason: str) -> str:
    if "no file says under which account" in reason:
        return "add the Deployments that make these pods, so that their accounts are known"
    if "no file says at which ports" in reason:
        return "add the Services of these gateways, so that the ports of their pods are known"
    if "no file says whether pods" in reason:
        return "add the Deployments that make these pods, or name both in the claim"
    if is_for_want_of_facts(reason):
        return "look at what it depends on by hand, or claim what can be known here"
    return "give it more time with `--timeout`, or claim what can be known here"


CHECK = Check("MP605", Needs.SMT, Precision.EXACT, find)
