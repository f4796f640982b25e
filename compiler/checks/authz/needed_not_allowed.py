"""A call that a service needs and no rule allows

## What it does

Takes the calls that a service declares (`calls`) and proves of one that no request of the service to that port is
allowed. Of a destination without a port it is enough that some port takes something.

## Why it matters

The service will fail in the mesh, at the first call. Usually a rule was not written yet, or one was narrowed without
looking at who needs it.

## Example

```mesh
service catalog { port http 80 }
service web { calls catalog:http }
```

## Use instead

```mesh
service catalog { port http 80 }
service web { calls catalog:http }
allow browse: web -> catalog:http { GET /** }
```

## Precision

Exact, about whether anything at all is allowed: which of its requests a service needs is not declared. `S can call D`
claims a request.

## References

Language reference, "Names and declarations": `calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import proof_row
from meshproof.compiler.ir.authz import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Need, Service
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.verify.scope import Scope
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Declared calls that are refused."""
    from meshproof.compiler.smt.region import both  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  the same
    from meshproof.compiler.verify.properties import ALLOWED, sent_by  # noqa: PLC0415  the same

    unknown: list[Undecided] = []
    for service in ctx.mesh.services:
        for need in service.calls:
            scopes = _scopes(ctx, need)
            try:
                regions = [both(ALLOWED, sent_by(scope.policy, service.name)) for scope in scopes]
                if all(scope.is_empty(region) for scope, region in zip(scopes, regions, strict=True)):
                    yield _finding(ctx, service, need, scopes)
            except Undecided as undecided:
                unknown.append(undecided)
    if unknown:
        raise unknown[0]


def _scopes(ctx: CheckContext, need: Need) -> tuple[Scope, ...]:
    """The ports that would do."""
    analysis = ctx.analysis()
    keys = (key for key in analysis.scopes() if key.node == need.destination and need.port in {None, key.port})
    return tuple(analysis.scope(key) for key in keys)


def _finding(ctx: CheckContext, service: Service, need: Need, scopes: Sequence[Scope]) -> Diagnostic:
    called = scopes[0].name if need.port is not None and scopes else str(need.destination)
    rules = Rules(ctx)
    overridden = _overridden(service, scopes)
    return CHECK.finding(
        f"`{service.name}` calls `{called}`, and no request of it is allowed there",
        need.origin.span,
        "every such request is refused",
        subject=service.name,
        labels=tuple(rules.label(name, "would allow some, and denies refuse them") for name in overridden),
        help="narrow the denies, or take the call out of `calls`"
        if overridden
        else f"write `allow {service.name} -> {called} {{ … }}`, or take the call out of `calls`",
        evidence=(proof_row(f"every request of `{service.name}` to `{called}` is refused"),),
    )


def _overridden(service: Service, scopes: Sequence[Scope]) -> tuple[RuleId, ...]:
    """The allows that match something of the service, all of which denies refuse."""
    from meshproof.compiler.smt.region import MatchedBy, both  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.verify.properties import sent_by  # noqa: PLC0415  the same

    return tuple(
        dict.fromkeys(
            rule.id
            for scope in scopes
            for rule in scope.rules()
            if rule.effect is Effect.ALLOW
            and not scope.is_empty(both(MatchedBy(rule.id), sent_by(scope.policy, service.name)))
        )
    )


CHECK = Check("MP320", Needs.SMT, Precision.EXACT, find, AppliesTo.LANGUAGE)
