"""A rule asks for an identity where nobody has one

## What it does

Where mTLS is `disabled`, reports rules that need an identity, which match nothing there, and rules that tell callers
apart by identity, whose exceptions take nobody out. Where it is `permissive`, reports the mTLS statement if every allow
at its ports asks for an identity: then it lets connections in whose every request is refused. Of manifests it does not
report that: `PERMISSIVE` is Istio's default, which nobody decided on.

## Why it matters

With mTLS disabled `deny dev -> ledger` refuses nobody, and `allow anyone except dev -> ledger` lets `dev` in: nobody
proves who he is. A rule that reads like a wall is worse than none. A permissive mode that opens nothing is an exception
in the open, with a reason and a date, that nobody needs.

## Example

```mesh
service dev { }
service ledger { port http 8080 }
allow all-in: anyone -> ledger { because "old clients" }
deny no-dev: dev -> ledger
mtls disabled for ledger {
    because "no sidecar yet"
    until 2027-06-30
}
```

## Use instead

```mesh
service dev { }
service shop { }
service ledger { port http 8080 }
allow read: shop -> ledger
deny no-dev: dev -> ledger
mtls strict for ledger
```

## Precision

Misses some: a condition is read as it is written, so that one which can hold with and without identity is left alone.
Under `permissive` a rule for an identity is no finding of its own: it refuses callers without one, as it should.

## References

Istio, PeerAuthentication: mutual TLS modes; AuthorizationPolicy: `principals` needs mutual TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.mtls._modes import (
    Place,
    needs_identity,
    places,
    scope_name,
    tells_callers_apart,
)
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Exemption, Service
    from meshproof.compiler.ir.names import NodeName
    from meshproof.dsl.diagnostic import Diagnostic

MOST_RULES = 3
"""Rules that are pointed at; the others are as good."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules where mTLS is disabled, and statements that are permissive for nobody."""
    rules = tuple(rule for rule in ctx.mesh.rules if rule.is_in_force(ctx.day))
    disabled = tuple(places(ctx, MtlsMode.DISABLED))
    for rule in rules:
        here = tuple(place for place in disabled if place.is_meant_by(rule))
        if here and needs_identity(rule):
            yield _without_match(ctx, rule, here, rules)
        elif here and tells_callers_apart(rule):
            yield _without_distinction(ctx, rule, here)
    permissive: dict[MtlsPolicy, list[Place]] = {}
    for place in () if ctx.mesh.is_lifted else places(ctx, MtlsMode.PERMISSIVE):
        permissive.setdefault(place.statement, []).append(place)
    for statement, ports in permissive.items():
        allows = tuple(
            rule for rule in rules if rule.effect is Effect.ALLOW and any(place.is_meant_by(rule) for place in ports)
        )
        is_open = any(_is_open(ctx, place.service) for place in ports)
        if allows and not is_open and all(needs_identity(rule) for rule in allows):
            yield _for_nobody(ctx, statement, ports, allows)


def _without_match(ctx: CheckContext, rule: AuthzRule, here: Sequence[Place], rules: Sequence[AuthzRule]) -> Diagnostic:
    is_allow = rule.effect is Effect.ALLOW
    is_whole = {(place.service.name, place.port.workload) for place in here} >= set(_ports(ctx, rule))
    is_harmless = not is_whole if is_allow else not any(_lets_in(ctx, rules, place) for place in here)
    names = listed([place.name for place in here])
    wider = (
        ctx.worded("name `plaintext` and say why", "leave `from` out")
        if is_allow
        else ctx.worded("write it for `anyone`", "leave `from` out")
    )
    return CHECK.finding(
        f"{title(rule)} asks for an identity, and at {names} nobody has one",
        Rules(ctx).head(rule),
        "lets nobody in there" if is_allow else "refuses nothing there",
        subject=rule.id,
        labels=_labels(here),
        help=f"{wider}, or enable mTLS at {names}",
        severity=Severity.WARNING if is_harmless else None,
    )


def _ports(ctx: CheckContext, rule: AuthzRule) -> Iterator[tuple[NodeName, int]]:
    """The ports that the rule is for, declared ones where it is for all."""
    ports = {node.name: tuple(port.workload for port in node.ports) for node in ctx.mesh.nodes}
    for place in rule.destinations:
        meant = ports.get(place.node, ()) if place.ports is None else place.ports
        yield from ((place.node, port) for port in meant)


def _lets_in(ctx: CheckContext, rules: Sequence[AuthzRule], place: Place) -> bool:
    """Whether anything may be allowed at a port where nobody has an identity."""
    return _is_open(ctx, place.service) or any(
        rule.effect is Effect.ALLOW and place.is_meant_by(rule) and not needs_identity(rule) for rule in rules
    )


def _without_distinction(ctx: CheckContext, rule: AuthzRule, here: Sequence[Place]) -> Diagnostic:
    names = listed([place.name for place in here])
    return CHECK.finding(
        f"{title(rule)} tells callers apart, and at {names} nobody has an identity",
        Rules(ctx).head(rule),
        "takes everyone there, whoever is named",
        subject=rule.id,
        labels=_labels(here),
        help=ctx.worded(f"name `plaintext` and say why, or enable mTLS at {names}", f"enable mTLS at {names}"),
    )


def _for_nobody(
    ctx: CheckContext, statement: MtlsPolicy, ports: Sequence[Place], allows: Sequence[AuthzRule]
) -> Diagnostic:
    rules = Rules(ctx)
    return CHECK.finding(
        f"mTLS is permissive at {listed([place.name for place in ports])}, where every allow asks for an identity",
        statement.origin.span,
        "lets in connections whose every request is refused",
        subject=scope_name(ctx.mesh, statement.scope),
        labels=tuple(rules.label(rule.id, "asks for an identity") for rule in allows[:MOST_RULES]),
        help=ctx.worded(
            "write `mtls strict`, or allow `plaintext` what it still needs and say why",
            "set `mode: STRICT`: nobody comes in without an identity anyway",
        ),
        severity=Severity.WARNING,
    )


def _labels(here: Sequence[Place]) -> tuple[Label, ...]:
    statements = dict.fromkeys(place.statement for place in here)
    return tuple(Label(statement.origin.span, "mTLS is disabled here") for statement in statements)


def _is_open(ctx: CheckContext, service: Service) -> bool:
    """Whether something is let in that no rule allows."""
    of_namespace = (one.observe for one in ctx.mesh.namespaces if one.name == service.namespace)
    return bool(service.default_allow) or any(_is_in_force(ctx, one) for one in (service.observe, *of_namespace))


def _is_in_force(ctx: CheckContext, exemption: Exemption | None) -> bool:
    return exemption is not None and (exemption.until is None or ctx.day <= exemption.until)


CHECK = Check("MP502", Needs.MODEL, Precision.MISSES_SOME, find)
