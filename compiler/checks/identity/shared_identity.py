"""A rule that names a service decides about another one that shares its identity

## What it does

Finds declared services and gateways that have one identity (the same namespace and account), where the sources of a
rule name some of them and not the others.

## Why it matters

Rules speak of identities. A rule for `web` lets in `batch` too if both run under one account, and `all except batch`
leaves out `web` as well. Who reads the rule does not see it.

## Example

```mesh
service web { account shop }
service batch { account shop }
service orders { port http 8080 }
allow order: web -> orders
```

## Use instead

```mesh
service web { }
service batch { }
service orders { port http 8080 }
allow order: web -> orders
```

## Precision

Misses some: an identity in a condition (`source in web`) is not looked at.

## References

Language reference, "Names and declarations". SPIFFE, "SPIFFE ID": a workload identity. Claims that name one of them are
refuted by the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.identity._names import owners
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.checks.unmodelled import stands_for
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.resolve.callers import takes
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.compiler.ir.names import RuleId
    from meshproof.dsl.diagnostic import Diagnostic

MOST_RULES = 3
"""Rules that are pointed at; the others are counted."""
_DOES = {Effect.ALLOW: "lets in", Effect.DENY: "refuses", Effect.ASK: "asks about"}


@dataclass(slots=True)
class _Group:
    """The nodes that have one identity, and what rules say of some of them and thereby of others."""

    nodes: tuple[Service | Gateway, ...]
    meant: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    texts: dict[RuleId, str] = field(default_factory=dict)
    """By rule."""

    def add(self, rule: AuthzRule) -> None:
        """Note what the rule does to those of the group that it does not name as it treats them."""
        is_taken = takes(rule.sources.matches, self.nodes[0].identity.uri)
        named = [str(node.name) for node in self.nodes if node.name in rule.sources.members]
        others = [str(node.name) for node in self.nodes if node.name not in rule.sources.members]
        surprised = others if is_taken else named
        if not surprised:
            return
        meant = named if is_taken else others
        self.meant.update(dict.fromkeys(meant))
        self.others.update(dict.fromkeys(surprised))
        does = _DOES[rule.effect]
        self.texts[rule.id] = f"{does} {listed(surprised)} too" if is_taken else f"leaves out {listed(surprised)} too"


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Shared identities of which rules name a part, each once."""
    for uri, nodes in sorted(owners(ctx.mesh).items()):
        if len(nodes) > 1:
            group = _Group(nodes)
            for rule in sorted(ctx.mesh.rules, key=lambda rule: rule.origin.span):
                if rule.is_in_force(ctx.day) and stands_for(rule) is None:
                    group.add(rule)
            if group.texts:
                yield _finding(ctx, uri, group)


def _finding(ctx: CheckContext, uri: str, group: _Group) -> Diagnostic:
    rules = Rules(ctx)
    first = next(node for node in group.nodes if node.name in group.others)
    texts = list(group.texts.items())
    more = len(texts) - MOST_RULES
    return CHECK.finding(
        f"{listed([str(node.name) for node in group.nodes])} share the identity `{uri}`, and rules that name one of "
        "them mean all",
        first.origin.span,
        "has this identity",
        subject=first.name,
        labels=(
            *(Label(node.origin.span, "has it too") for node in group.nodes if node is not first),
            *(rules.label(name, text) for name, text in texts[:MOST_RULES]),
        ),
        notes=(f"so do {more} more rules",) if more > 0 else (),
        help=ctx.worded(
            f"give each an account of its own, such as `account {first.name}`, or name them together in the rules",
            "set `serviceAccountName` in each pod template to an account of its own",
        ),
    )


CHECK = Check("MP505", Needs.MODEL, Precision.MISSES_SOME, find)
