"""mTLS statements: where one holds, what waivers call it, and rules where nobody has an identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
    effective_policy,
)
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Or,
    Predicate,
    SourceIdentity,
    Test,
    attributes_of,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.resolve.callers import ANY_IDENTITY, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Service, ServicePort
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.mtls import MtlsPolicy


@dataclass(frozen=True, slots=True)
class Place:
    """A declared port of a service, and the statement that gives its mode."""

    service: Service
    port: ServicePort
    statement: MtlsPolicy

    @property
    def name(self) -> str:
        """The port as people write it."""
        return f"{self.service.name}:{self.port.name}"

    def is_meant_by(self, rule: AuthzRule) -> bool:
        """Whether the rule speaks of the port."""
        return any(
            place.node == self.service.name and (place.ports is None or self.port.workload in place.ports)
            for place in rule.destinations
        )


def places(context: CheckContext, mode: MtlsMode) -> Iterator[Place]:
    """Every declared port whose mode is this one on the day, by a statement."""
    mesh = context.mesh
    for service in mesh.services:
        for port in service.ports:
            found = effective_policy(mesh.mtls, service.name, service.namespace, port.workload, context.day)
            if found is not None and found.mode is mode:
                yield Place(service, port, found)


def scope_name(mesh: Mesh, scope: MtlsScope) -> str:
    """What a statement is for, as it and a waiver write it."""
    match scope:
        case MeshScope():
            return "all"
        case NamespaceScope(namespace):
            return f"namespace {namespace}"
        case ServiceScope(service):
            return service
        case PortScope(service, port):
            ports = (one for node in mesh.services if node.name == service for one in node.ports)
            return f"{service}:{next((one.name for one in ports if one.workload == port), port)}"
        case _:
            assert_never(scope)


def needs_identity(rule: AuthzRule) -> bool:
    """Whether the rule matches no request without an identity, by its sources or by its condition."""
    return not takes(rule.sources.matches, None) or isinstance(without_identity(rule.when), Never)


def tells_callers_apart(rule: AuthzRule) -> bool:
    """Whether the rule matches some identities and not others, and does not speak of `plaintext`."""
    sources = rule.sources.matches
    is_reading = SourceIdentity() in attributes_of(rule.when) and not names_plaintext(rule.when)
    return is_reading or not (isinstance(sources, Always) or names_plaintext(sources))


def names_plaintext(predicate: Predicate) -> bool:
    """Whether callers without identity are named: `plaintext` in a set, or in a condition."""
    match predicate:
        case Not(operand):
            return operand == ANY_IDENTITY
        case And(operands) | Or(operands):
            return any(names_plaintext(operand) for operand in operands)
        case _:
            return False


def without_identity(predicate: Predicate) -> Predicate:
    """What is left of a condition where nobody has an identity."""
    match predicate:
        case Test(SourceIdentity()):
            return Never()
        case Not(operand):
            return negation(without_identity(operand))
        case And(operands):
            return conjunction(tuple(without_identity(operand) for operand in operands))
        case Or(operands):
            return disjunction(tuple(without_identity(operand) for operand in operands))
        case _:
            return predicate
