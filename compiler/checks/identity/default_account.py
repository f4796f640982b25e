"""A source has the account `default`

## What it does

Looks for rules that name an identity of the account `default`, by a service that has it or as an identity. Rules for a
whole namespace, or for every identity, are left alone: they do not rest on the account.

## Why it matters

Kubernetes runs a pod under `default` unless it says otherwise. A rule for that account is a rule for every workload of
the namespace that nobody gave an account, the ones of tomorrow too.

## Example

```mesh
service web { account default }
service orders { port http 8080 }
allow order: web -> orders
```

## Use instead

```mesh
service web { account web }
service orders { port http 8080 }
allow order: web -> orders
```

## Precision

Exact.

## References

Kubernetes, "Configure Service Accounts for Pods". NSA and CISA, Kubernetes Hardening Guide, "Service accounts".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.identity._names import named_identities, owners
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.dsl.diagnostic import Diagnostic

_DEFAULT = re.compile(r"spiffe://[^/]+/ns/(?P<namespace>[^/]+)/sa/default")
MOST_RULES = 3
"""Rules that are pointed at; the others are counted."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Identities of the account `default` that rules name, each once."""
    rules: dict[str, list[AuthzRule]] = {}
    for rule in sorted(ctx.mesh.rules, key=lambda rule: rule.origin.span):
        if rule.is_in_force(ctx.day) and not _is_of_senders(ctx, rule):
            for uri in sorted(named_identities(rule.sources.matches) | named_identities(rule.when)):
                rules.setdefault(uri, []).append(rule)
    declared = owners(ctx.mesh)
    for uri, naming in sorted(rules.items()):
        found = _DEFAULT.fullmatch(uri)
        if found is not None:
            nodes = declared.get(uri, ())
            yield _of_nodes(ctx, nodes, naming) if nodes else _of_rule(ctx, found["namespace"], naming)


def _is_of_senders(ctx: CheckContext, rule: AuthzRule) -> bool:
    """Whether it says what proxies let out: in lifted meshes nobody wrote such a rule, nor the accounts in it."""
    externals = {external.name for external in ctx.mesh.externals}
    return ctx.mesh.is_lifted and all(place.node in externals for place in rule.destinations)


def _of_nodes(ctx: CheckContext, nodes: tuple[Service | Gateway, ...], naming: list[AuthzRule]) -> Diagnostic:
    first, *others = nodes
    verb = "has" if not others else "have"
    rules = Rules(ctx)
    more = len(naming) - MOST_RULES
    return CHECK.finding(
        f"{listed([str(node.name) for node in nodes])} {verb} the account `default` of namespace `{first.namespace}`, "
        "which every workload without an account shares",
        first.origin.span,
        "the account is `default`",
        subject=first.name,
        labels=(
            *(Label(node.origin.span, "and here") for node in others[:MOST_NAMES]),
            *(rules.label(rule.id, "is for whoever has it") for rule in naming[:MOST_RULES]),
        ),
        notes=(
            *every([str(node.name) for node in nodes]),
            *((f"{more} more rules name it",) if more > 0 else ()),
        ),
        help=ctx.worded(
            f"give it an account of its own, `account {first.name}`",
            "set `serviceAccountName` in each pod template to an account of its own, and name those in the rules",
        ),
    )


def _of_rule(ctx: CheckContext, namespace: str, naming: list[AuthzRule]) -> Diagnostic:
    first, *others = naming
    rules = Rules(ctx)
    return CHECK.finding(
        f"rule `{first.id}` names the account `default` of namespace `{namespace}`, which every workload without an "
        "account shares",
        rules.head(first),
        "names it",
        subject=first.id,
        labels=tuple(rules.label(rule.id, "names it too") for rule in others[:MOST_RULES]),
        help=ctx.worded(
            f"give the caller an account of its own; if all of the namespace is meant, write `namespace {namespace}`",
            "set `serviceAccountName` in the caller's pod template and name that account; if all of the namespace is "
            f'meant, write `namespaces: ["{namespace}"]`',
        ),
    )


CHECK = Check("MP504", Needs.MODEL, Precision.EXACT, find)
