"""Authorization rules as the language writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.conditions import Conditions, operation
from meshproof.compiler.express.destinations import Destinations
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.reasons import reasons
from meshproof.compiler.express.sets import Domains, source_expression, takes_plaintext
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.predicate import Always, Never, Predicate, conjunction, disjunction, reads_http
from meshproof.dsl.ast import rules as ast
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.operations import HttpOperation, Operation, PathPattern
from meshproof.dsl.ast.reasons import NO_REASONS
from meshproof.dsl.ast.values import Name

if TYPE_CHECKING:
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.mesh import Mesh

_EFFECTS = {Effect.ALLOW: ast.Effect.ALLOW, Effect.DENY: ast.Effect.DENY, Effect.ASK: ast.Effect.DENY}


class Rules:
    """Writes the rules of a mesh."""

    def __init__(
        self, mesh: Mesh, names: Names, wording: Wording, conditions: Conditions, destinations: Destinations
    ) -> None:
        self._names = names
        self._wording = wording
        self._domains = Domains.of(mesh)
        self._conditions = conditions
        self._destinations = destinations

    def rule(self, rule: AuthzRule) -> ast.Rule | None:
        """The rule; None if it is about no declared port, or matches nothing. Raises InexpressibleError."""
        speaks_http = bool(rule.operations) or reads_http(rule.when)
        if speaks_http and rule.layer is Layer.TCP:
            return None
        layer = Layer.HTTP if speaks_http else rule.layer
        destinations = self._destinations.expression(rule.destinations, layer)
        if destinations is None:
            self._destinations.check(rule.destinations)
            return None
        is_for_nobody = isinstance(rule.sources.matches, Never) and not rule.sources.has_internet
        if isinstance(rule.when, Never) or is_for_nobody:
            return None
        operations, when = _operations(rule)
        if rule.authorizer is not None and rule.authorizer not in self._names.authorizers:
            raise InexpressibleError(f"it asks `{rule.authorizer}`, which is not taken")
        # Nobody says yes where nobody, or several at once, would be asked: then it refuses whatever it matches.
        is_asking = rule.effect is Effect.ASK and rule.authorizer is not None
        return ast.Rule(
            effect=ast.Effect.ASK if is_asking else _EFFECTS[rule.effect],
            name=Name(self._names.rules[rule.id]),
            sources=source_expression(rule.sources, self._names, self._domains),
            destinations=destinations,
            operations=operations,
            when=() if isinstance(when, Always) else self._conditions.expressions(when),
            reasons=reasons(rule.origin, self._wording, has_end=not rule.is_enforced, given=rule)
            if _wants_reason(rule)
            else NO_REASONS,
            via=None if rule.authorizer is None else Name(self._names.authorizers[rule.authorizer]),
            audit=None if rule.is_enforced else Flag(),
        )


def _operations(rule: AuthzRule) -> tuple[tuple[Operation, ...], Predicate]:
    """The operations, and the condition. What is no pattern of whole segments is a condition on the path."""
    written = tuple(operation(one) for one in rule.operations)
    operations = tuple(one for one in written if one is not None)
    if len(operations) == len(written):
        return tuple(dict.fromkeys(operations)), rule.when
    methods = {one.methods for one in rule.operations}
    if len(methods) > 1:
        return (), conjunction((disjunction(tuple(one.condition for one in rule.operations)), rule.when))
    paths = disjunction(tuple(replace(one, methods=()).condition for one in rule.operations))
    whole = HttpOperation(methods.pop(), PathPattern((), has_rest=True))
    return (whole,) if whole.methods else (), conjunction((paths, rule.when))


def _wants_reason(rule: AuthzRule) -> bool:
    """Whether there is a reason, or the language wants one: of what is logged, or takes callers without identity."""
    if rule.because is not None or rule.until is not None:
        return True
    return not rule.is_enforced or (rule.effect is Effect.ALLOW and takes_plaintext(rule.sources.matches))
