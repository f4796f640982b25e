"""Who calls which external, as the sender's proxy can hold it: by the caller's identity alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, Test
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.meets import takes
from meshproof.targets.istio.workloads import is_emitted, spoken_ports


@dataclass(frozen=True, slots=True)
class Call:
    """A declared service may call an external, through the last day on which all of that holds (None: for good)."""

    caller: NodeName
    external: NodeName
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """Every call to an external that the policy allows a declared service."""

    every: tuple[Call, ...] = ()

    def by(self, caller: NodeName) -> tuple[Call, ...]:
        """The calls of a service."""
        return tuple(one for one in self.every if one.caller == caller)

    def to(self, external: NodeName) -> tuple[Call, ...]:
        """The calls of an external."""
        return tuple(one for one in self.every if one.external == external)


def allowed_calls(context: Context) -> Calls:
    """Every declared service and external that it may call; what Istio cannot hold goes into the findings.

    With `via` the gateway judges, and a caller is let as far as the gateway if some allow could be for it.
    """
    found: list[Call] = []
    for external in context.mesh.externals:
        rules = [rule for rule in context.mesh.rules if any(one.node == external.name for one in rule.destinations)]
        current = [rule for rule in rules if is_emitted(rule, context.day)]
        if external.via is None:
            current = [rule for rule in current if _is_held_by_sender(context, rule, external)]
        for service in context.mesh.services:
            if ports := _allowed_ports(service, external, current):
                _tell_parts(context, service, external, ports)
                found.append(Call(service.name, external.name, _end(ports, external)))
    return Calls(tuple(found))


def _is_held_by_sender(context: Context, rule: AuthzRule, external: External) -> bool:
    """MP702 for what a sender's proxy cannot look at: it knows which external is called, and no more."""
    if not rule.operations and rule.when == Always() and rule.effect is not Effect.ASK:
        if rule.is_enforced:
            _tell_open(context, rule, external)
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


def _tell_open(context: Context, rule: AuthzRule, external: External) -> None:
    """MP701 for a deny that would have to close what open egress opens: nothing at a sender's proxy refuses."""
    if rule.effect is not Effect.DENY or context.mesh.egress is Egress.CLOSED:
        return
    callers = [one.name for one in context.mesh.services if holds(rule.sources.matches, one.identity.uri)]
    if callers and spoken_ports(rule, external, is_speaking_http=False):
        error = NotExpressibleError(
            Feature.EGRESS_CLOSED,
            f"with open egress `{callers[0]}` calls `{external.name}` whatever its proxy knows of it",
            f"say `egress closed`, or let a gateway judge: `external {external.name} {{ … via GATEWAY }}`",
        )
        context.findings.unsupported(str(rule.id), rule.origin, error)


Ends = dict[int, date | None]
"""The ports of an external that are open, each with the last day (None: for good)."""


def _allowed_ports(service: Service, external: External, rules: Iterable[AuthzRule]) -> Ends:
    """What the service may call by the rules; denies count only where the sender is the one who judges."""
    identity = service.identity.uri
    naming = [rule for rule in rules if rule.is_enforced and holds(rule.sources.matches, identity)]
    found: Ends = {}
    for rule in naming:
        if rule.effect is Effect.ALLOW:
            for port in spoken_ports(rule, external, is_speaking_http=False):
                found[port] = later(found[port], rule.until) if port in found else rule.until
    if external.via is None:
        for rule in naming:
            if rule.effect is Effect.DENY:
                for port in spoken_ports(rule, external, is_speaking_http=False):
                    found.pop(port, None)
    return found


def later(one: date | None, other: date | None) -> date | None:
    """The later of two last days; None is for good."""
    return None if one is None or other is None else max(one, other)


def _end(ports: Ends, external: External) -> date | None:
    """Without a gateway every port must stay open, with one any: it is the gateway that closes the others."""
    ends = tuple(ports.values())
    if external.via is not None and None in ends:
        return None
    days = [end for end in ends if end is not None]
    return (max if external.via is not None else min)(days, default=None)


def _tell_parts(context: Context, service: Service, external: External, ports: Ends) -> None:
    """MP701 where the service may call some ports of an external that a Sidecar opens as a whole."""
    every = {port.workload for port in external.ports}
    if external.via is None and set(ports) != every and context.mesh.egress is Egress.CLOSED:
        error = NotExpressibleError(
            Feature.EGRESS_CLOSED,
            f"a Sidecar opens `{external.name}` as a whole, and `{service.name}` may call some of its ports",
            "allow all of its ports, or let a gateway judge, with `via`",
        )
        context.findings.unsupported(str(external.name), external.origin, error)


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
