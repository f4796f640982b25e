"""A rule of which something is not known

## What it does

Reports the rules of which one of the questions behind the checks MP301 to MP316 could not be answered: the solver came
to its limit of time, a pattern is too large to be divided exactly, or the answer hangs on something in a foreign file
that is not modelled: then it says once what that is, and where.

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
from meshproof.compiler.checks.showing import is_for_want_of_facts, listed
from meshproof.compiler.checks.unmodelled import is_elsewhere, objects_not_modelled, stands_for
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.unmodelled_advice import advice_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.names import Origin, RuleId
    from meshproof.dsl.diagnostic import Diagnostic


_BY_HAND = "look at it by hand: proofs and findings about these workloads hold only if it changes nothing"


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that could not be decided, each with the reasons, and objects that are not modelled."""
    rules = Rules(ctx)
    reasons: dict[RuleId, dict[str, None]] = {}
    for one in undecided(ctx):
        reasons.setdefault(one.rule, {})[one.reason] = None
    objects = {field: rule for field, rule in objects_not_modelled(ctx.mesh).items() if rule.id in reasons}
    hanging: dict[Origin, dict[str, None]] = {rule.origin: {} for rule in objects.values()}
    for name, said in reasons.items():
        blamed = {rule.origin for field, rule in objects.items() if any(f"`{field}`" in reason for reason in said)}
        if not blamed:
            yield _of_rule(rules, name, tuple(said))
        elif stands_for(rules[name]) is None:
            for origin in blamed:
                hanging[origin][written_name(name)] = None
    told = {rule.origin: rule for rule in objects.values() if not is_elsewhere(ctx.mesh, rule)}
    for rule in told.values():
        yield _of_object(rule, tuple(hanging[rule.origin]))


def _of_rule(rules: Rules, name: RuleId, reasons: tuple[str, ...]) -> Diagnostic:
    is_lack = any(map(is_for_want_of_facts, reasons))
    return CHECK.finding(
        f"not everything about {title(rules[name])} could be decided",
        rules.head(rules[name]),
        "not known",
        subject=name,
        notes=reasons,
        help="look at what hangs on it by hand"
        if is_lack
        else "give it more time with `--timeout`, or write its patterns more simply",
    )


def _of_object(rule: AuthzRule, hanging: tuple[str, ...]) -> Diagnostic:
    """Something that is not modelled stands in a lifted mesh for two rules that may hold or not."""
    opaque = stands_for(rule)
    assert opaque is not None
    what = opaque.field.removesuffix(f" ({rule.effect})")
    places = listed(tuple(dict.fromkeys(str(place.node) for place in rule.destinations)))
    return CHECK.finding(
        f"what comes of `{what}` is not known, and so nothing is certain at {places}",
        rule.origin.span,
        "may refuse requests, or let them in",
        subject=str(rule.id),
        notes=(f"that leaves open what {listed(hanging)} {'do' if len(hanging) > 1 else 'does'}",) if hanging else (),
        help=advice_for(what) or _BY_HAND,
    )


CHECK = Check("MP318", Needs.SMT, Precision.EXACT, find)
