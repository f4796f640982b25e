"""A call that is allowed and not declared

## What it does

For a service that declares the calls that it makes (`calls`), lists the ports that it is allowed to call beyond them,
with the rules that allow it. A service that declares none is left alone.

## Why it matters

Least privilege is the difference between what may happen and what has to. Once a service says what it calls, everything
else that it may call is there for whoever takes it over.

## Example

```mesh
service catalog { port http 80 }
service payment { port http 80 }
service web { calls catalog:http }
allow browse: web -> { catalog, payment } { GET /** }
```

## Use instead

```mesh
service catalog { port http 80 }
service payment { port http 80 }
service web { calls catalog:http }
allow browse: web -> catalog { GET /** }
```

## Precision

Exact, over the declared ports. Where mTLS is disabled nobody can be told apart, and such ports are left out.

## References

NIST SP 800-53, AC-6: least privilege. Language reference, "Names and declarations": `calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import listed, request_row
from meshproof.compiler.ir.mtls import MtlsMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Service
    from meshproof.compiler.verify.scope import Scope
    from meshproof.compiler.verify.witness import Witness
    from meshproof.dsl.diagnostic import Diagnostic

MOST_RULES = 3
"""Rules that are pointed at."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """What services may call beyond what they declare."""
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  it loads the solver

    declaring = tuple(service for service in ctx.mesh.services if service.calls)
    if not declaring:
        return
    analysis = ctx.analysis()
    found: dict[str, dict[str, Witness]] = {service.name: {} for service in declaring}
    unknown: list[Undecided] = []
    for key in analysis.scopes():
        scope = analysis.scope(key)
        if scope.policy.mode is MtlsMode.DISABLED:
            continue
        try:
            for service, witness in _beyond(declaring, scope):
                found[service.name][scope.name] = witness
        except Undecided as undecided:
            unknown.append(undecided)
    for service in declaring:
        if found[service.name]:
            yield _finding(ctx, service, found[service.name])
    if unknown:
        raise unknown[0]


def _beyond(declaring: tuple[Service, ...], scope: Scope) -> Iterator[tuple[Service, Witness]]:
    """The services that may call a port that they do not declare to call, each with a request."""
    from meshproof.compiler.smt.region import both  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  the same
    from meshproof.compiler.verify.properties import ALLOWED, sent_by  # noqa: PLC0415  the same
    from meshproof.compiler.verify.verdict import Example, Unknown  # noqa: PLC0415  the same

    reaching = scope.callers_in(ALLOWED)
    callers = scope.callers(ALLOWED)
    for service in declaring:
        is_needed = any(
            one.destination == scope.key.node and one.port in {None, scope.key.port} for one in service.calls
        )
        if not is_needed and callers.of_nodes((service.name,)) & reaching:
            answer = scope.is_satisfiable(both(ALLOWED, sent_by(scope.policy, service.name)))
            if isinstance(answer, Example):
                yield service, answer.witness
            elif isinstance(answer, Unknown):
                raise Undecided(answer.reason)


def _finding(ctx: CheckContext, service: Service, found: dict[str, Witness]) -> Diagnostic:
    rules = Rules(ctx)
    blamed = dict.fromkeys(name for witness in found.values() for name in witness.blamed)
    first = next(iter(found.values()))
    names = listed(tuple(found))
    return CHECK.finding(
        f"`{service.name}` may call {names} and does not declare it",
        service.origin.span,
        f"declares {listed([_declared(ctx, service, index) for index in range(len(service.calls))])}",
        subject=service.name,
        labels=tuple(rules.label(name, "allows it") for name in list(blamed)[:MOST_RULES]),
        help=f"add {names} to `calls`, or take `{service.name}` out of the rule",
        evidence=(request_row(first.request),),
    )


def _declared(ctx: CheckContext, service: Service, index: int) -> str:
    need = service.calls[index]
    node = ctx.mesh.node(need.destination)
    ports = () if node is None else (port.name for port in node.ports if port.workload == need.port)
    return ":".join((str(need.destination), *ports))


CHECK = Check("MP321", Needs.SMT, Precision.EXACT, find, AppliesTo.LANGUAGE)
