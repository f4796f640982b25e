"""Rules as they read once it is clear whose identity is seen where they decide.

At a port of a gateway where no client shows a certificate everybody is a caller without identity. What is outside of
the mesh is judged by the sender's proxy, to which nobody is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.sets import takes_plaintext
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.mtls import MtlsMode, PortScope
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import SourceSet
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName

_IDENTIFIED = Test(SourceIdentity(), Present())


def as_seen(mesh: Mesh) -> Mesh:
    """The mesh whose rules say no more of callers than is seen of them."""
    nameless = _Nameless(mesh)
    outside = frozenset(external.name for external in mesh.externals)

    def seen(rule: AuthzRule) -> AuthzRule:
        if rule.destinations and all(place.node in outside for place in rule.destinations):
            return replace(rule, sources=_of_known(rule.sources))
        return _of_nobody(rule) if nameless.decides(rule) else rule

    return replace(mesh, rules=tuple(map(seen, mesh.rules)))


def seen_alike(files: Mesh, policy: Mesh, names: Mapping[NodeName, NodeName]) -> Mesh:
    """The policy with its gateways seeing of callers what those of the files see.

    Where clients show no certificate, a gateway of the language sees no identity either once it is compiled: it asks
    for certificates of a `client-ca` alone (ADR 0271). `names` leads from nodes of the files to those of the policy.
    """
    nameless = {gateway.name for gateway in policy.gateways if gateway.client_ca is None}
    more = tuple(
        replace(statement, scope=PortScope(names[statement.scope.service], statement.scope.port))
        for statement in files.mtls
        if statement.mode is MtlsMode.DISABLED
        and isinstance(statement.scope, PortScope)
        and names.get(statement.scope.service) in nameless
    )
    return replace(policy, mtls=(*policy.mtls, *more))


class _Nameless:
    """The ports of gateways at which nobody has an identity."""

    def __init__(self, mesh: Mesh) -> None:
        gateways = {gateway.name: gateway for gateway in mesh.gateways}
        self._ports = {
            (statement.scope.service, statement.scope.port)
            for statement in mesh.mtls
            if statement.mode is MtlsMode.DISABLED
            and isinstance(statement.scope, PortScope)
            and statement.scope.service in gateways
        }
        self._declared = {name: tuple(port.workload for port in one.ports) for name, one in gateways.items()}

    def decides(self, rule: AuthzRule) -> bool:
        """Whether the rule is about such ports alone."""
        places = [
            (place.node, port)
            for place in rule.destinations
            for port in (self._declared.get(place.node, (0,)) if place.ports is None else place.ports)
        ]
        return bool(places) and all(place in self._ports for place in places)


def _of_nobody(rule: AuthzRule) -> AuthzRule:
    """The rule as it reads for callers without identity, since there are no others: for whoever comes, or for none.

    One that looks at nobody is left as it is.
    """
    matches = _settled(rule.sources.matches, lambda _: Never())
    when = _settled(rule.when, lambda _: Never())
    if matches != rule.sources.matches:
        takes_all = rule.sources.has_internet or isinstance(matches, Always)
        return replace(rule, sources=replace(rule.sources, matches=Never(), has_internet=takes_all), when=when)
    return replace(rule, when=when)


def _of_known(sources: SourceSet) -> SourceSet:
    """The senders of a set: each proxy knows its own workload, so there are none without identity (ADR 0051).

    What files say of such is left out where the set hangs on what is not modelled: what is known of it need not.
    """
    if not _is_opaque(sources.matches):
        return sources
    matches = _of_identified(sources.matches)
    if takes_plaintext(matches):
        matches = conjunction((_IDENTIFIED, matches))
    return replace(sources, matches=matches, has_internet=False)


def _of_identified(predicate: Predicate) -> Predicate:
    """What is left of a condition for callers with an identity."""
    match predicate:
        case Not(operand) if operand == _IDENTIFIED:
            return Never()
        case And(operands):
            return conjunction(tuple(map(_of_identified, operands)))
        case Or(operands):
            return disjunction(tuple(map(_of_identified, operands)))
        case _:
            return predicate


def _settled(predicate: Predicate, of_caller: Callable[[Test], Predicate]) -> Predicate:
    """The condition with its tests of the caller replaced."""
    match predicate:
        case Test(SourceIdentity()):
            return of_caller(predicate)
        case Not(operand):
            return negation(_settled(operand, of_caller))
        case And(operands):
            return conjunction(tuple(_settled(one, of_caller) for one in operands))
        case Or(operands):
            return disjunction(tuple(_settled(one, of_caller) for one in operands))
        case _:
            return predicate


def _is_opaque(predicate: Predicate) -> bool:
    match predicate:
        case Opaque():
            return True
        case Not(operand):
            return _is_opaque(operand)
        case And(operands) | Or(operands):
            return any(map(_is_opaque, operands))
        case _:
            return False
