"""Authorization rules as the language writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.express.conditions import Conditions, operation
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.reasons import reasons
from meshproof.compiler.express.sets import source_expression
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, External, Layer, Node
from meshproof.compiler.ir.predicate import Always, conjunction, disjunction, reads_http
from meshproof.dsl.ast import rules as ast
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.values import Name, Number

if TYPE_CHECKING:
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.mesh import Mesh

_EFFECTS = {Effect.ALLOW: ast.Effect.ALLOW, Effect.DENY: ast.Effect.DENY, Effect.ASK: ast.Effect.ASK}


class Rules:
    """Writes the rules of a mesh."""

    def __init__(self, mesh: Mesh, names: Names, wording: Wording) -> None:
        self._mesh = mesh
        self._names = names
        self._wording = wording
        self._nodes: dict[str, Node] = {node.name: node for node in mesh.nodes}
        self._conditions = Conditions(names)

    def rule(self, rule: AuthzRule) -> ast.Rule | None:
        """The rule; None if it is about no declared port. Raises InexpressibleError."""
        destinations = self._destinations(rule)
        if destinations is None:
            return None
        written = tuple(operation(one) for one in rule.operations)
        operations = tuple(one for one in written if one is not None)
        when = rule.when
        if len(operations) < len(written):
            operations = ()
            when = conjunction((disjunction(tuple(one.condition for one in rule.operations)), rule.when))
        if rule.authorizer is not None and rule.authorizer not in self._names.authorizers:
            raise InexpressibleError(f"it asks `{rule.authorizer}`, which nothing declares")
        sources = source_expression(rule.sources, self._names, self._mesh.trust_domain)
        return ast.Rule(
            effect=_EFFECTS[rule.effect],
            name=Name(self._names.rules[rule.id]),
            sources=sources,
            destinations=destinations,
            operations=operations,
            when=() if isinstance(when, Always) else self._conditions.expressions(when),
            reasons=reasons(rule.origin, self._wording, has_end=not rule.is_enforced),
            via=None if rule.authorizer is None else Name(self._names.authorizers[rule.authorizer]),
            audit=None if rule.is_enforced else Flag(),
        )

    def open_by_default(self, node: Node) -> ast.Rule | None:
        """What lets everyone in where no rule decides: Istio's default, said out loud."""
        if isinstance(node, External) or not node.default_allow:
            return None
        ports = tuple(port.workload for port in node.ports if port.layer in node.default_allow)
        if not ports:
            return None
        name = self._names.nodes[node.name]
        return ast.Rule(
            effect=ast.Effect.ALLOW,
            name=Name(f"open-{name}"),
            sources=sets.Anyone(),
            destinations=self._ports(node, ports),
            reasons=reasons(node.origin, self._wording, has_end=False),
        )

    def _destinations(self, rule: AuthzRule) -> sets.SetExpression | None:
        found = [one for one in (self._destination(rule, place) for place in rule.destinations) if one is not None]
        if not found:
            return None
        return found[0] if len(found) == 1 else sets.Braces(tuple(found))

    def _destination(self, rule: AuthzRule, place: Destination) -> sets.SetTerm | None:
        """The declared ports of the node that the rule speaks of."""
        node = self._nodes[place.node]
        speaks_http = bool(rule.operations) or reads_http(rule.when)
        ports = tuple(
            port.workload
            for port in node.ports
            if (place.ports is None or port.workload in place.ports)
            and port.layer in ({Layer.HTTP} if speaks_http else {rule.layer or port.layer})
        )
        return self._ports(node, ports) if ports else None

    def _ports(self, node: Node, ports: tuple[int, ...]) -> sets.SetTerm:
        name = sets.Named(Name(self._names.nodes[node.name]))
        if set(ports) == {port.workload for port in node.ports}:
            return name
        terms = tuple(sets.AtPort(name, Number(port)) for port in ports)
        return terms[0] if len(terms) == 1 else sets.Braces(terms)
