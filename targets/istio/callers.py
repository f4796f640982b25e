"""Who calls which external, as the sender's proxy can hold it: by the caller's identity alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, Test
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.findings import NotExpressibleError
from meshproof.targets.istio.meets import takes
from meshproof.targets.istio.workloads import is_emitted, spoken_ports


@dataclass(frozen=True, slots=True)
class Call:
    """A declared service that may call an external."""

    caller: NodeName
    external: NodeName


def allowed_calls(context: Context) -> frozenset[Call]:
    """Every declared service and external that it may call; what Istio cannot hold goes into the findings.

    With `via` the gateway judges, and a caller is let as far as the gateway if some allow could be for it.
    """
    found: set[Call] = set()
    for external in context.mesh.externals:
        rules = [rule for rule in context.mesh.rules if any(one.node == external.name for one in rule.destinations)]
        current = [rule for rule in rules if is_emitted(rule, context.day)]
        if external.via is None:
            current = [rule for rule in current if _is_held_by_sender(context, rule, external)]
        for service in context.mesh.services:
            if _may_call(context, service, external, current):
                found.add(Call(service.name, external.name))
    return frozenset(found)


def _is_held_by_sender(context: Context, rule: AuthzRule, external: External) -> bool:
    """MP702 for what a sender's proxy cannot look at: it knows which external is called, and no more."""
    if not rule.operations and rule.when == Always() and rule.effect is not Effect.ASK:
        if rule.is_enforced:
            return True
        message = f"nothing logs calls of `{external.name}` that pass no gateway"
        context.findings.residual(str(rule.id), rule.origin, message)
        return False
    what = "asks about" if rule.effect is Effect.ASK else "looks into"
    context.findings.add(
        "MP702",
        Severity.ERROR,
        f"`{rule.id}` {what} requests to `{external.name}`, which the sender's proxy alone could judge",
        str(rule.id),
        rule.origin,
        f"let a gateway judge them: `external {external.name} {{ … via GATEWAY }}`, with `originate` on an https port",
    )
    return False


def _may_call(context: Context, service: Service, external: External, rules: Iterable[AuthzRule]) -> bool:
    identity = service.identity.uri
    naming = [rule for rule in rules if rule.is_enforced and holds(rule.sources.matches, identity)]
    allowed: set[int] = set()
    for rule in naming:
        if rule.effect is Effect.ALLOW:
            allowed |= set(spoken_ports(rule, external, is_speaking_http=False))
    if external.via is not None:
        return bool(allowed)
    for rule in naming:
        if rule.effect is Effect.DENY:
            allowed -= set(spoken_ports(rule, external, is_speaking_http=False))
    every = {port.workload for port in external.ports}
    if allowed and allowed != every and context.mesh.egress is Egress.CLOSED:
        error = NotExpressibleError(
            Feature.EGRESS_CLOSED,
            f"a Sidecar opens `{external.name}` as a whole, and `{service.name}` may call some of its ports",
            "declare the ports as externals of their own, or allow all of them",
        )
        context.findings.unsupported(str(external.name), external.origin, error)
    return bool(allowed)


def holds(predicate: Predicate, identity: str) -> bool:
    """Whether a predicate that reads identities alone takes this one."""
    match predicate:
        case Always():
            return True
        case Never() | Opaque():
            return False
        case Test(_, matcher):
            return takes((matcher,), identity)
        case Not(operand):
            return not holds(operand, identity)
        case And(operands):
            return all(holds(one, identity) for one in operands)
        case Or(operands):
            return any(holds(one, identity) for one in operands)
        case _:
            assert_never(predicate)
