"""A rule that lets in more than it has to

## What it does

Works out in which dimensions an `allow` takes everything, however it is written, and reports:

- an allow for every caller, with an identity or without, or for every identity there is;
- an allow for every method on every path of an HTTP port (for information);
- a condition that keeps nothing out: whatever the value that it reads, the rule takes the same requests.

## Why it matters

The world of callers is open: every workload that anybody starts in the cluster gets an identity, and without strict
mTLS nobody needs one. An allow for all of them is one that nobody has to break. A condition that keeps nothing out is
worse, because it reads as if it did.

## Example

```mesh
service api { port http 8080 }
allow status: anyone -> api { because "everybody asks" }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow status: web -> api { GET /status }
```

## Precision

Exact: a dimension is free if no change of its value leads out of what the rule matches. Rules for gateways alone are
left out, because who comes from outside has no identity. If the rule asks for a token or an address, it is for
information. Of manifests it reports neither that nor rules for all methods and paths: most policies name callers alone.

## References

NIST SP 800-207, tenets 2 and 3 (access is granted per request, with least privilege). NIST SP 800-53 Rev. 5, AC-6.
Istio, security best practices: avoid empty and wildcard rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import breadths
from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed, proof_row
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.predicate import ClientIp, Header, JoinedHeader, RemoteIp, SourceIp, attributes_of
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.verify.breadth import Breadth
    from meshproof.dsl.diagnostic import Diagnostic, Evidence


_ADDRESSES = (SourceIp, ClientIp, RemoteIp)


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Allows that take every caller or every operation, and conditions that keep nothing out."""
    rules = Rules(ctx)
    gateways = {node.name for node in ctx.mesh.gateways}
    for breadth in breadths(ctx).found:
        rule = rules[breadth.rule]
        if rule.effect is Effect.ALLOW and any(place.node not in gateways for place in rule.destinations):
            yield from _taken(ctx, rules, rule, breadth)
            yield from _conditions(ctx, rules, rule, breadth)


def _taken(ctx: CheckContext, rules: Rules, rule: AuthzRule, breadth: Breadth) -> Iterator[Diagnostic]:
    """What the rule takes all of: callers, operations, or both."""
    callers = _callers(breadth)
    is_bounded = _is_bounded(rule, breadth)
    has_every_operation = {"method", "path"} <= set(breadth.free)
    if ctx.is_app_mesh and callers == "anyone":
        return  # at the listener that takes them it is told that nobody is asked who they are
    if ctx.mesh.is_lifted and (is_bounded or not callers):
        return  # most policies say callers alone, or tokens alone: that they do is no news to who wrote them
    if callers:
        operations = ", with every method on every path" if has_every_operation else ""
        yield CHECK.finding(
            f"{title(rule)} lets in {callers}{operations}",
            rules.sources(rule),
            "with an identity or without" if callers == "anyone" else "of every namespace and every trusted domain",
            subject=rule.id,
            help=ctx.worded(
                f"name the callers that need it{', and what they need' if operations else ''}",
                f"say in `from` which `principals` need it{', and in `to` what they need' if operations else ''}",
                "list who needs it in `subjectAlternativeNames` of the listener",
            ),
            notes=_notes(rule),
            evidence=_proof(breadth, callers),
            severity=Severity.INFO if is_bounded else Severity.WARNING,
        )
    elif has_every_operation:
        yield CHECK.finding(
            f"{title(rule)} takes every method on every path",
            rules.head(rule),
            "whatever is asked for",
            subject=rule.id,
            help="name what is needed: `{ GET /items/** }` or `{ call package.Service/Method }`",
            evidence=_proof(breadth, callers),
            severity=Severity.INFO,
        )


def _callers(breadth: Breadth) -> str:
    if not breadth.has_every_identity:
        return ""
    return "anyone" if "source" in breadth.free else "every identity"


def _notes(rule: AuthzRule) -> tuple[str, ...]:
    """What the rule asks for that keeps nobody out who wants in."""
    names = sorted({one.name for one in attributes_of(rule.when) if isinstance(one, Header | JoinedHeader)})
    return (f"any caller can send the header {listed(names)}",) if names else ()


def _is_bounded(rule: AuthzRule, breadth: Breadth) -> bool:
    """Whether something narrows the callers that they cannot choose: a token or an address."""
    addresses = (attribute_name(one) for one in attributes_of(rule.content) if isinstance(one, _ADDRESSES))
    return breadth.needs_token or any(name not in breadth.free for name in addresses)


def _conditions(ctx: CheckContext, rules: Rules, rule: AuthzRule, breadth: Breadth) -> Iterator[Diagnostic]:
    """Attributes that the rule's conditions read, and that make no difference to it; callers are left to `_taken`."""
    read = set(map(attribute_name, attributes_of(rule.when)))
    said = {"source", "method", "path"} if ctx.mesh.is_lifted else {"source"}  # `methods: ["*"]` says that any is meant
    for name in sorted(read.intersection(breadth.free) - said):
        yield CHECK.finding(
            f"the condition on `{name}` in rule `{rule.id}` keeps nothing out",
            rules.head(rule),
            f"takes every `{name}`, and none",
            subject=rule.id,
            help="leave it out, or write what it is meant to ask for",
            evidence=(proof_row(f"it takes the same requests with any {name}"),),
        )


def _proof(breadth: Breadth, callers: str) -> tuple[Evidence, ...]:
    names = [name for name in ("source", "method", "path") if name in breadth.free]
    if callers and "source" not in names:
        return (proof_row("there is no identity of which it takes nothing"),)
    return (proof_row(f"it takes the same requests with any {' and any '.join(names)}"),)


CHECK = Check("MP305", Needs.SMT, Precision.EXACT, find)
