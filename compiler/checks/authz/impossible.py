"""A rule that no request can match

## What it does

Proves that the sources, operations and conditions of a rule exclude each other at every port that it is for: it matches
nothing, whatever the other rules say. It shows parts of the rule that cannot hold together.

## Why it matters

An allow that matches nothing locks out whoever it was written for. A deny that matches nothing is worse: it reads like
a wall, and there is none.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny no-admin: web -> api {
    * /admin/**
    when path startswith "/internal/"
}
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny no-admin: web -> api {
    * /admin/**
    * /internal/**
}
```

## Precision

Exact, over every request that can be made: paths in normal form, hosts without case, tokens of the issuers that the
destination accepts. A rule that another environment needs is left alone. Rules that match something which transport
refuses are MP319.

## References

Batfish: independently unmatchable lines. Cedar: impossible policies. CWE-570, expression is always false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import parts_that_exclude_each_other
from meshproof.compiler.checks.authz._redundancy import redundant
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.identity._names import named_identities
from meshproof.compiler.checks.identity.claim_without_issuer import reads_unseen_token
from meshproof.compiler.checks.showing import proof_row
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that match nothing."""
    rules = Rules(ctx)
    for rule, _ in redundant(ctx, "impossible"):
        if ctx.mesh.is_lifted and reads_unseen_token(ctx, rule):
            continue  # MP503 says so, and what to do
        domains = _unknown_domains(ctx, rule)
        parts = parts_that_exclude_each_other(ctx, rule)
        yield CHECK.finding(
            f"no request can match rule `{rule.id}`",
            rules.head(rule),
            "matches nothing",
            subject=rule.id,
            notes=(_reason(parts),) if parts else (),
            help=_help(ctx, domains),
            evidence=(proof_row("no request to any of its ports has what the rule asks for"),),
            severity=Severity.WARNING if domains else None,
        )


def _unknown_domains(ctx: CheckContext, rule: AuthzRule) -> tuple[str, ...]:
    """The trust domains of a lifted rule's callers, if the mesh knows none of them: the files may not say all."""
    mesh = ctx.mesh
    named = {uri.removeprefix("spiffe://").partition("/")[0] for uri in named_identities(rule.sources.matches)}
    is_foreign = mesh.is_lifted and named.isdisjoint((mesh.trust_domain, *mesh.aliases, *mesh.trusts))
    return tuple(sorted(named)) if is_foreign else ()


def _help(ctx: CheckContext, domains: tuple[str, ...]) -> str:
    if domains:
        return (
            f"the mesh is taken to be `{ctx.mesh.trust_domain}`: if it has another trust domain, add the ConfigMap "
            f"`istio` or `--option istio.trust-domain={domains[0]}`; else change the principals"
        )
    return ctx.worded(
        "change what contradicts itself: one operation is enough, but every `when` and `unless` must agree",
        "change what contradicts itself, or delete the rule: one entry of `from` and one of `to` is enough, "
        "but all fields of an entry and every entry of `when` must agree",
    )


def _reason(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return f"{parts[0]} can never hold here"
    return f"{', '.join(parts[:-1])} and {parts[-1]} never hold together"


CHECK = Check("MP302", Needs.SMT, Precision.EXACT, find)
