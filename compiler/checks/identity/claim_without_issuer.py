"""A rule reads a token where the destination accepts none

## What it does

Compares the rules that read a token or a claim with the issuers that their destinations accept. A destination that
accepts no issuer looks at no token: to its rules there is none. Where a rule names issuers, one of them must be
accepted. If only some of a rule's destinations look at no token, that is a warning; so it is of manifests, where the
RequestAuthentication may stand in files that were not given.

## Why it matters

`allow … when claim["role"] == "admin"` lets nobody in there, and `deny … when claim["status"] == "suspended"` refuses
nobody: the suspended user's token is not read. A deny `unless has token` refuses everybody.

## Example

```mesh
issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/jwks"  audiences "shop" }
service web { }
service orders { port http 8080 }
allow order: web -> orders:http { when token from idp }
```

## Use instead

```mesh
issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/jwks"  audiences "shop" }
service web { }
service orders { port http 8080  accepts idp }
allow order: web -> orders:http { when token from idp }
```

## Precision

Misses some: of a rule that names several issuers it is enough that one is accepted.

## References

Language reference, "What happens to a request", step 3. RFC 7519. Istio, RequestAuthentication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.checks.unmodelled import objects_not_modelled
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import (
    And,
    Claim,
    Not,
    Or,
    Predicate,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    attributes_of,
)
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import IssuerName
    from meshproof.dsl.diagnostic import Diagnostic

_OF_TOKEN = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)
MOST_NODES = 3
"""Destinations that are pointed at; the others are named or counted."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules about tokens that are never looked at."""
    nodes = {node.name: node for node in ctx.mesh.nodes}
    objects = objects_not_modelled(ctx.mesh).values()
    unknown = {place.node for rule in objects for place in rule.destinations}  # what changes a proxy may read tokens
    for rule in ctx.mesh.rules:
        if not rule.is_in_force(ctx.day) or not any(isinstance(one, _OF_TOKEN) for one in attributes_of(rule.content)):
            continue
        meant = [nodes[name] for name in dict.fromkeys(place.node for place in rule.destinations) if name in nodes]
        named = _named_issuers(ctx.mesh, rule.content)
        blind = [node for node in meant if not _accepted(node) and node.name not in unknown]
        foreign = [node for node in meant if _accepted(node) and named and named.isdisjoint(_accepted(node))]
        if blind:
            yield _at_blind(ctx, rule, blind, named, is_whole=len(blind) == len(meant))
        if foreign:
            yield _at_foreign(ctx, rule, foreign, named, is_whole=len(foreign) == len(meant))


def reads_unseen_token(ctx: CheckContext, rule: AuthzRule) -> bool:
    """Whether the rule reads a token and none of its destinations accepts an issuer."""
    nodes = {node.name: node for node in ctx.mesh.nodes}
    meant = [nodes[place.node] for place in rule.destinations if place.node in nodes]
    is_reading = any(isinstance(one, _OF_TOKEN) for one in attributes_of(rule.content))
    return is_reading and not any(_accepted(node) for node in meant)


def _accepted(node: Node) -> tuple[IssuerName, ...]:
    return () if isinstance(node, External) else node.accepts


def _named_issuers(mesh: Mesh, content: Predicate) -> set[IssuerName]:
    """The issuers that the rule asks for by name; none if it takes a token of any, too."""
    urls = _issuer_urls(content)
    return {issuer.name for issuer in mesh.issuers if issuer.url in urls}


def _issuer_urls(predicate: Predicate) -> set[str]:
    match predicate:
        case Test(TokenIssuer(), Exact(url)):
            return {url}
        case And(operands) | Or(operands):
            return set().union(*map(_issuer_urls, operands))
        case Not(operand):
            return _issuer_urls(operand)
        case _:
            return set()


def _at_blind(
    ctx: CheckContext, rule: AuthzRule, blind: list[Node], named: set[IssuerName], *, is_whole: bool
) -> Diagnostic:
    names = [str(node.name) for node in blind]
    issuer = next(iter(sorted(named)), next((str(one.name) for one in ctx.mesh.issuers), "ISSUER"))
    has_external = any(isinstance(node, External) for node in blind)
    return CHECK.finding(
        f"{title(rule)} reads a token, and {listed(names)} {'accept' if len(names) > 1 else 'accepts'} no issuer",
        Rules(ctx).head(rule),
        "sees no token there",
        subject=rule.id,
        labels=tuple(Label(node.origin.span, "accepts no issuer") for node in blind[:MOST_NODES]),
        help="what is outside of the mesh looks at no token: take the condition out"
        if has_external
        else ctx.worded(
            f"write `accepts {issuer}` in {listed(names)}, or leave it out of the rule",
            f"add a RequestAuthentication for the issuer that selects {listed(names)}: a token is read nowhere else",
        ),
        severity=None if is_whole and not ctx.mesh.is_lifted else Severity.WARNING,
    )


def _at_foreign(
    ctx: CheckContext, rule: AuthzRule, foreign: list[Node], named: set[IssuerName], *, is_whole: bool
) -> Diagnostic:
    names = [str(node.name) for node in foreign]
    asked = listed(sorted(named))
    return CHECK.finding(
        f"{title(rule)} asks for a token from {asked}, which {listed(names)} "
        f"{'do' if len(names) > 1 else 'does'} not accept",
        Rules(ctx).head(rule),
        "such a token is refused there",
        subject=rule.id,
        labels=tuple(
            Label(node.origin.span, f"accepts {listed([str(name) for name in _accepted(node)])}")
            for node in foreign[:MOST_NODES]
        ),
        help=ctx.worded(
            f"write `accepts {min(named)}` in {listed(names)} too, or ask for a token that is accepted",
            f"add a RequestAuthentication for that issuer which selects {listed(names)}",
        ),
        severity=None if is_whole and not ctx.mesh.is_lifted else Severity.WARNING,
    )


CHECK = Check("MP503", Needs.MODEL, Precision.MISSES_SOME, find)
