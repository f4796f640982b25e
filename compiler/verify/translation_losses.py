"""Which of the requests that a target refuses more are those that its listed losses speak of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.predicate import Always, Predicate
from meshproof.compiler.smt.encode_authz import encode_match
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.verify.semantic_diff_compare import Told
from meshproof.compiler.verify.semantic_diff_values import DiffRegion


@dataclass(frozen=True, slots=True)
class Explained:
    """A region that the target refuses and the policy allows, and the losses that say so."""

    region: DiffRegion
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """Listed losses that refuse more; those of settings are dealt with before (`translation_settings`).

    The subject of each is a rule, a node or a route.
    """

    losses: tuple[Loss, ...]

    def at(self, policy: PortPolicy) -> tuple[Loss, ...]:
        """The losses that bear on a port."""
        subjects = {str(policy.key.node), *(str(rule.id) for rule in policy.rules), *_routes(policy)}
        key = policy.key
        return tuple(loss for loss in self.losses if loss.subject in subjects and loss.is_at(key.node, key.port))

    def regions(self, policy: PortPolicy) -> tuple[Predicate, ...]:
        """What has to be told apart for it to be known of which requests they speak."""
        return tuple(dict.fromkeys(loss.region for loss in self.at(policy)))

    def explained(self, joint: Joint, refused: Formula) -> Formula:
        """Of what the target refuses and the policy allows, that which losses speak of.

        A loss of a node may refuse what it speaks of there. So may one of a deny, of whom the deny is about, and one of
        an ask, of anyone, if who is asked says no. One of an allow may refuse what the allow lets in, but not what
        another allow lets in as well that has no loss for it.
        """
        policy, formulas = joint.old_policy, joint.formulas
        found = self.at(policy)
        if not found:
            return FALSE
        parts = [_spoken_of(_about(found, str(policy.key.node)), joint), self._not_let_in(found, joint)]
        for rule in policy.rules:
            own = _about(found, rule.id)
            if own and rule.effect is not Effect.ALLOW:
                parts.append(formulas.conjunction((_operations(rule, joint), _spoken_of(own, joint))))
        return formulas.conjunction((refused, formulas.disjunction(parts)))

    def rerouted(self, joint: Joint) -> Told:
        """The requests that losses of routes speak of, and those that losses of the node do: they may be refused."""
        found, routes = self.at(joint.old_policy), _routes(joint.old_policy)
        of_routes = (loss for loss in found if loss.is_of_routes and loss.subject in routes)
        of_node = _about(found, str(joint.old_policy.key.node))
        return Told(_spoken_of(of_routes, joint), _spoken_of(of_node, joint))

    def _not_let_in(self, found: tuple[Loss, ...], joint: Joint) -> Formula:
        """What some allow lets in, and none that has no loss for it."""
        formulas = joint.formulas
        lost, kept = [], []
        for rule in joint.old_policy.rules:
            if rule.effect is Effect.ALLOW:
                matched, spoken_of = encode_match(rule, joint.old), _spoken_of(_about(found, rule.id), joint)
                lost.append(formulas.conjunction((matched, spoken_of)))
                kept.append(formulas.conjunction((matched, formulas.negation(spoken_of))))
        return formulas.conjunction((formulas.disjunction(lost), formulas.negation(formulas.disjunction(kept))))


def _about(losses: Iterable[Loss], subject: str) -> tuple[Loss, ...]:
    """Those that refuse something of a rule or node; a route may have the name of either."""
    return tuple(loss for loss in losses if loss.subject == subject and not loss.is_of_routes)


def _spoken_of(losses: Iterable[Loss], joint: Joint) -> Formula:
    """The requests that any of the losses speaks of, whatever its subject is about."""
    formulas = joint.formulas
    parts = []
    for loss in losses:
        is_token = joint.new.is_token_refused if loss.is_of_tokens else TRUE
        is_repeated = TRUE if loss.repeated is None else joint.environment.is_repeated(loss.repeated)
        parts.append(formulas.conjunction((encode_predicate(loss.region, joint.old), is_token, is_repeated)))
    return formulas.disjunction(parts)


def _operations(rule: AuthzRule, joint: Joint) -> Formula:
    """Of whom and where a deny may refuse more; an ask, of anyone who gets no yes."""
    if rule.effect is Effect.DENY:
        return encode_match(replace(rule, when=Always()), joint.old)
    is_no = (
        TRUE if rule.authorizer is None else joint.formulas.literal(joint.environment.answers[rule.authorizer], 0b01)
    )
    return joint.formulas.conjunction((encode_predicate(replace(rule, when=Always()).content, joint.old), is_no))


def _routes(policy: PortPolicy) -> set[str]:
    return {route.id for route in (policy.route, policy.route_tcp) if route is not None}
