"""A rule for requests that transport refuses

## What it does

Proves that a rule matches requests, but none that passes transport: every one of them is turned away by the mTLS mode
of its destination before rules are asked.

## Why it matters

A rule for `plaintext` at a destination that is `strict` reads like an open door and is none; whoever relies on it finds
out in production. If somebody makes the destination permissive, for another caller, the door is open.

## Example

```mesh
service legacy { port http 8080 }
allow old: plaintext -> legacy {
    GET /status
    because "the old monitoring has no certificate"
}
```

## Use instead

```mesh
service legacy { port http 8080 }
allow old: plaintext -> legacy {
    GET /status
    because "the old monitoring has no certificate"
}
mtls permissive for legacy {
    because "the old monitoring has no certificate"
    until 2027-06-30
}
```

## Precision

Exact, as of the day: it holds for the mTLS modes in force. A rule that another environment needs is left alone, and a
deny with `tags guardrail` is reported for information. Rules that ask for an identity where mTLS is `disabled` are
MP502.

## References

Istio, PeerAuthentication: mutual TLS modes. Al-Shaer and Hamed (2004): irrelevance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import redundant
from meshproof.compiler.checks.authz._rules import GUARDRAIL, Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.mtls._modes import needs_identity, places
from meshproof.compiler.checks.showing import proof_row
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that match nothing which passes transport, but those that ask for an identity where nobody has one."""
    rules = Rules(ctx)
    disabled = tuple(places(ctx, MtlsMode.DISABLED))
    for rule, _ in redundant(ctx, "irrelevant"):
        if needs_identity(rule) and any(place.is_meant_by(rule) for place in disabled):
            continue
        is_guardrail = GUARDRAIL in rule.tags
        yield CHECK.finding(
            f"transport refuses every request that {title(rule)} matches",
            rules.head(rule),
            "a guardrail that nothing touches" if is_guardrail else "never comes to decide",
            subject=rule.id,
            help="nothing is to be done: it stands for what transport may let through later"
            if is_guardrail
            else "let such callers through with `mtls permissive for …`, give them an identity, or delete the rule",
            evidence=(proof_row(f"no request to any of its ports that `{rule.id}` matches passes transport"),),
            severity=Severity.INFO if is_guardrail else None,
        )


CHECK = Check("MP319", Needs.SMT, Precision.EXACT, find)
