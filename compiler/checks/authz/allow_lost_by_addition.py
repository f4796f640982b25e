"""An allow that is lost by sending more

## What it does

Looks for a request that an `allow` takes, and that it does not take any more once a header, a query parameter, a token
or an identity is added to it. An allow that says so is left alone: with `not has …`, or by naming `plaintext` (or
`internet`) among its sources.

## Why it matters

Whoever is to be kept out by such a rule leaves the thing out and is let in: `!=` is true of what is absent. So the rule
does not keep out what it seems to keep out, and honest callers that send more are refused.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api {
    GET /**
    when header["x-role"] != "guest"
}
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api {
    GET /**
    when header["x-role"] in ["staff", "admin"]
}
```

## Precision

Exact for headers, query parameters, tokens and identities: both requests are shown. Of manifests it is a warning, since
`notPrincipals` and `notValues` are how they say it.

## References

CWE-636, not failing securely. CWE-183, permissive list of allowed inputs. The language reference, "Conditions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._openness import says_absent, says_without_identity
from meshproof.compiler.checks.authz._questions import hazards
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.predicate import SourceIdentity
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.verify.hazards import Hazard
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Allows that refuse what they take once something is added to it."""
    rules = Rules(ctx)
    for hazard in hazards(ctx).found:
        rule = rules[hazard.rule]
        if hazard.kind != "lost-by-addition" or _is_said(rule, hazard):
            continue
        is_identity = isinstance(hazard.attribute, SourceIdentity)
        what = "an identity" if is_identity else "a token" if hazard.name == "token" else f"`{hazard.name}`"
        yield CHECK.finding(
            f"allow `{rule.id}` takes a request, and not the same one with {what} added",
            rules.head(rule),
            f"takes it without {what}",
            subject=rule.id,
            notes=("the rule takes the first request, and not the second",),
            help=_help(ctx, hazard.name, is_identity=is_identity),
            evidence=(request_row(hazard.without.request), request_row(hazard.having.request)),
            severity=Severity.WARNING if ctx.mesh.is_lifted else None,
        )


def _is_said(rule: AuthzRule, hazard: Hazard) -> bool:
    """Whether the rule says that it is meant like that."""
    if isinstance(hazard.attribute, SourceIdentity):
        return says_without_identity(rule)
    return says_absent(rule.when, hazard.attribute)


def _help(ctx: CheckContext, name: str, *, is_identity: bool) -> str:
    if is_identity:
        return ctx.worded(
            "name who is let in: `authenticated except …`, or `plaintext` for callers that have no identity",
            "say who is let in, with `principals` or `namespaces`: whoever comes without an identity passes every "
            "`notPrincipals` and `notNamespaces`",
        )
    return ctx.worded(
        f"ask for what `{name}` must be instead of what it must not be, or write `not has {name}` as well",
        f"ask for what `{name}` must be, with `values`: a request without it passes every `notValues`",
    )


CHECK = Check("MP315", Needs.SMT, Precision.EXACT, find)
