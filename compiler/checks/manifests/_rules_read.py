"""Rules of lifted policies, each once, and what they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.unmodelled import stands_for
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, ServiceScope, effective_policy
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.predicate import And, Not, Or, Predicate, Test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Node, Service


def written_rules(ctx: CheckContext) -> Iterator[AuthzRule]:
    """The rules in force in their first form, that on HTTP; what stands for objects that are not modelled is none."""
    seen: set[str] = set()
    for rule in ctx.mesh.rules:
        name = written_name(rule.id)
        if rule.is_in_force(ctx.day) and stands_for(rule) is None and name not in seen:
            seen.add(name)
            yield rule


def nodes_of(ctx: CheckContext, rule: AuthzRule) -> tuple[Node, ...]:
    """The nodes that a rule is for, each once."""
    wanted = {place.node for place in rule.destinations}
    return tuple(node for node in ctx.mesh.nodes if node.name in wanted)


def comparisons_in(predicate: Predicate, *, is_negated: bool = False) -> Iterator[tuple[Test, bool]]:
    """The comparisons in a condition, each with whether it stands below a negation."""
    match predicate:
        case Test():
            yield predicate, is_negated
        case Not(operand):
            yield from comparisons_in(operand, is_negated=not is_negated)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from comparisons_in(operand, is_negated=is_negated)
        case _:
            return


def is_outside(ctx: CheckContext, service: Service) -> bool:
    """Whether nothing of the mesh stands before the workload."""
    port = service.ports[0].workload if service.ports else 0
    found = effective_policy(ctx.mesh.mtls, service.name, service.namespace, port, ctx.day)
    return found is not None and is_by_nature(found, service)


def is_by_nature(statement: MtlsPolicy, node: Node) -> bool:
    """Whether a statement about mTLS is there because the workload has no sidecar, and nobody wrote it."""
    is_own = statement.scope == ServiceScope(node.name) and statement.origin == node.origin
    return not isinstance(node, External) and is_own and statement.mode is MtlsMode.DISABLED
