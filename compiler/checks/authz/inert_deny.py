"""A deny that refuses nothing

## What it does

Proves that nothing which a `deny` (or an `ask`) matches would be allowed without it: no allow reaches there, or other
denies refuse the same. Those are shown then.

## Why it matters

What no rule allows is refused anyway. So the deny protects nothing today; it may be a leftover, or aim at the wrong
service, path or caller. If it is meant for what somebody may allow later, `tags guardrail` says so.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
deny no-admin: web -> api { * /admin/** }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
deny no-admin: web -> api { * /items/admin/** }
```

## Precision

Exact, over every request that can be made. A deny with `tags guardrail` is reported for information. A deny that
another environment needs is left alone, and so is a DENY of manifests for `notPrincipals: ["*"]` and nothing else:
that is how one says that nobody may come without an identity, whatever else is allowed.

## References

Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls (2004): irrelevance. PCI DSS 4.0.1,
requirement 1.2.7 (rules are reviewed, and relevant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import cover_labels, notes, proof, redundant
from meshproof.compiler.checks.authz._rules import GUARDRAIL, Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.predicate import Always, Not, SourceIdentity, Test
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic

_WITHOUT_IDENTITY = Not(Test(SourceIdentity(), Present()))


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Denies and asks without which nothing more would be allowed."""
    rules = Rules(ctx)
    for rule, found in redundant(ctx, "inert", "covered"):
        if ctx.mesh.is_lifted and _is_against_plaintext(rule):
            continue
        is_guardrail = GUARDRAIL in rule.tags
        verb = "asks about" if rule.effect is Effect.ASK else "refuses"
        if found.cover:
            message = f"{title(rule)} {verb} nothing that {listed(found.cover)} would let through"
            sentence = f"of what is allowed, every request that `{rule.id}` matches is matched by {listed(found.cover)}"
        else:
            message = f"{title(rule)} {verb} nothing that would be allowed without it"
            sentence = f"no allow matches a request that `{rule.id}` matches"
        yield CHECK.finding(
            message,
            rules.head(rule),
            "a guardrail that nothing touches" if is_guardrail else "changes nothing",
            subject=rule.id,
            labels=cover_labels(rules, found),
            notes=notes(rules, rule, found),
            help=_help(ctx, is_guardrail=is_guardrail),
            evidence=(proof(found, sentence),),
            severity=Severity.INFO if is_guardrail else None,
        )


def _is_against_plaintext(rule: AuthzRule) -> bool:
    """Whether the rule refuses whoever has no identity, and says no more."""
    is_all = isinstance(rule.when, Always) and not rule.operations
    return rule.effect is Effect.DENY and is_all and rule.sources.matches == _WITHOUT_IDENTITY


def _help(ctx: CheckContext, *, is_guardrail: bool) -> str:
    if is_guardrail:
        return "nothing is to be done: it stands for what may be allowed later"
    return ctx.worded(
        "delete it, aim it at what is allowed, or write `tags guardrail` if it is for what may be allowed later",
        "delete it, aim it at what is allowed, or keep it for what somebody may allow later",
    )


CHECK = Check("MP307", Needs.SMT, Precision.EXACT, find)
