"""Which of the requests that a target refuses more are those that its listed losses speak of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.smt.encode_authz import encode_match
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.formula import FALSE, Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.verify.semantic_diff_values import DiffRegion


@dataclass(frozen=True, slots=True)
class Explained:
    """A region that the target refuses and the policy allows, and the losses that say so."""

    region: DiffRegion
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """Listed losses, all of them stricter. The subject of each is a rule, a node or a route."""

    losses: tuple[Loss, ...]

    def at(self, policy: PortPolicy) -> tuple[Loss, ...]:
        """The losses that bear on a port."""
        subjects = {str(policy.key.node), *(str(rule.id) for rule in policy.rules), *_routes(policy)}
        return tuple(loss for loss in self.losses if loss.subject in subjects)

    def is_about_route(self, policy: PortPolicy) -> bool:
        """Whether a loss is about how requests to the port are sent."""
        return any(loss.subject in _routes(policy) for loss in self.losses)

    def explained(self, joint: Joint, refused: Formula) -> Formula:
        """Of what the target refuses and the policy allows, that which losses speak of.

        A loss of a node may refuse anything there. One of a deny or ask may refuse whatever has its operations, from
        anyone and whatever its conditions are: the target cannot tell. One of an allow may refuse what it allows, but
        not what an allow without loss allows too.
        """
        policy = joint.old_policy
        subjects = {loss.subject for loss in self.at(policy)}
        if not subjects:
            return FALSE
        if str(policy.key.node) in subjects:
            return refused
        formulas = joint.formulas
        lossy = [rule for rule in policy.rules if rule.id in subjects]
        more = formulas.disjunction(_operations(rule, joint) for rule in lossy if rule.effect is not Effect.ALLOW)
        if not any(rule.effect is Effect.ALLOW for rule in lossy):
            return formulas.conjunction((refused, more))
        kept = [rule for rule in policy.rules if rule.effect is Effect.ALLOW and rule not in lossy]
        faithful = formulas.disjunction(encode_match(rule, joint.old) for rule in kept)
        return formulas.conjunction((refused, formulas.disjunction((more, formulas.negation(faithful)))))


def _operations(rule: AuthzRule, joint: Joint) -> Formula:
    """Where the operations of a rule are, whoever calls."""
    return encode_predicate(replace(rule, when=Always()).content, joint.old)


def _routes(policy: PortPolicy) -> set[str]:
    return {route.id for route in (policy.route, policy.route_tcp) if route is not None}
