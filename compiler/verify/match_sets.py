"""What single rules match at one port, and how such sets lie to each other: the solver asked as seldom as can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import compress

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.encode_authz import encode_admitted, encode_open
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula, Point
from meshproof.compiler.smt.region import Everything
from meshproof.compiler.verify.scope import Scope


class MatchSets:
    """The match sets of the rules at one port, within all well-formed requests or (`is_admitted`) those that pass
    transport.

    Every point that the solver finds is kept: one that is in a set and not in another spares the question whether the
    one is part of the other. Methods raise Undecided.
    """  # noqa: D205

    def __init__(self, scope: Scope, *, is_admitted: bool) -> None:
        self.scope = scope
        self._encoding: Encoding = scope.encoding(Everything())
        self.rules = {rule.id: rule for rule in scope.rules()}
        self._within = encode_admitted(self._encoding.environment) if is_admitted else TRUE
        self._matches: dict[RuleId, Formula] = {}
        self._points: dict[RuleId, list[Point]] = {}
        self._empty: dict[RuleId, bool] = {}
        self._callers: dict[RuleId, int] | None = None
        self._meeting: dict[RuleId, tuple[AuthzRule, ...]] = {}

    def meeting(self, rule: RuleId) -> tuple[AuthzRule, ...]:
        """The other rules that may match something that this one does, in name order; the rest plainly do not."""
        found = self._meeting.get(rule)
        if found is None:
            found = self._meeting[rule] = tuple(self._met(rule))
        return found

    def _met(self, rule: RuleId) -> Iterable[AuthzRule]:
        if self._callers is None:
            of, is_gateway = self._encoding.callers.of_sources, self.scope.policy.is_gateway
            self._callers = {one.id: of(one.sources, is_gateway=is_gateway) for one in self.rules.values()}
        own = self._callers.get(rule, 0)
        others = [name for name, callers in self._callers.items() if callers & own and name != rule]
        is_met = self._encoding.environment.formulas.plainly_meeting(self.match(rule), map(self.match, others))
        return (self.rules[name] for name in compress(others, is_met))

    def has_own(self, rule: AuthzRule) -> bool:
        """Whether leaving out the rule would change what is allowed (the removal lemma), authorizers saying yes and no.

        Of an allow that is something that no other allow and no deny matches, of a deny or ask something that would be
        allowed and that no other one refuses.
        """
        formulas = self._encoding.environment.formulas
        covers: list[Formula] = []
        allows: list[Formula] = []
        for other in self.meeting(rule.id):
            if other.effect is Effect.ALLOW:
                allows.append(self.match(other.id))
            if is_like(other, rule) or (other.effect is Effect.DENY and rule.effect is not Effect.DENY):
                covers.append(self.match(other.id))
        if rule.effect is Effect.ALLOW and not self._encoding.environment.opaques:
            for point in self._points.get(rule.id, ()):
                if not any(formulas.holds(cover, point) for cover in covers):
                    return True
        parts = [formulas.negation(cover) for cover in covers]
        if rule.effect is not Effect.ALLOW:
            parts.append(formulas.disjunction((*allows, encode_open(self._encoding.environment))))
        return self._find(rule.id, parts) is not None

    def match(self, rule: RuleId) -> Formula:
        """What the rule matches, FALSE for a rule that does not speak of the port."""
        known = self._matches.get(rule)
        if known is None:
            found = self._encoding.matches.get(rule, FALSE)
            known = self._encoding.environment.formulas.conjunction((found, self._within))
            self._matches[rule] = known
        return known

    def is_empty(self, rule: RuleId) -> bool:
        """Whether the rule matches nothing."""
        if rule in self._points:
            return False
        if rule not in self._empty:
            self._empty[rule] = self._find(rule, ()) is None
        return self._empty[rule]

    def is_part(self, rule: RuleId, others: Iterable[RuleId], unless: Formula = FALSE) -> bool:
        """Whether all that the rule matches is matched by one of the others, or outside of interest by `unless`."""
        covers = [*map(self.match, others), unless]
        formulas = self._encoding.environment.formulas
        for point in self._points.get(rule, ()):
            if not any(formulas.holds(cover, point) for cover in covers):
                return False
        return self._find(rule, [formulas.negation(cover) for cover in covers]) is None

    def may_be_part(self, rule: RuleId, other: RuleId) -> bool:
        """False if a request that is known already tells that the one is no part of the other."""
        formulas = self._encoding.environment.formulas
        found = self.match(other)
        return found != FALSE and all(formulas.holds(found, point) for point in self._points.get(rule, ()))

    def meets(self, rule: RuleId, region: Formula) -> bool:
        """Whether the rule matches something of a region."""
        formulas = self._encoding.environment.formulas
        if any(formulas.holds(region, point) for point in self._points.get(rule, ())):
            return True
        return self._find(rule, (region,)) is not None

    def cover(self, rule: RuleId, others: Sequence[RuleId], unless: Formula = FALSE) -> tuple[RuleId, ...] | None:
        """A smallest-by-inclusion set of the others that together match all that the rule matches; None if none does.

        Of those that come later in `others` as few as can be are in it.
        """
        if not self.is_part(rule, others, unless):
            return None
        formulas = self._encoding.environment.formulas
        negated = {formulas.negation(self.match(other)): other for other in others}
        fixed = (self.match(rule), formulas.negation(unless))
        core = self._encoding.core((*fixed, *negated))
        kept = [other for other in others if core is None or formulas.negation(self.match(other)) in core]
        for other in reversed(tuple(kept)):
            rest = [one for one in kept if one != other]
            if self.is_part(rule, rest, unless):
                kept = rest
        return tuple(kept)

    def allowed(self) -> Formula:
        """What some allow matches, or a default opens."""
        environment = self._encoding.environment
        allows = (self.match(name) for name, rule in self.rules.items() if rule.effect is Effect.ALLOW)
        return environment.formulas.disjunction((*allows, encode_open(environment)))

    def any_of(self, rules: Collection[RuleId]) -> Formula:
        """What one of the rules matches."""
        return self._encoding.environment.formulas.disjunction(map(self.match, rules))

    def outside(self, region: Formula) -> Formula:
        """What is not in the region."""
        return self._encoding.environment.formulas.negation(region)

    def common(self, *regions: Formula) -> Formula:
        """What is in all regions."""
        return self._encoding.environment.formulas.conjunction(regions)

    def of_effect(self, *effects: Effect) -> tuple[AuthzRule, ...]:
        """The rules at the port with one of the effects, in name order."""
        return tuple(rule for rule in self.rules.values() if rule.effect in effects)

    def _find(self, rule: RuleId, parts: Iterable[Formula]) -> Point | None:
        point = self._encoding.find((self.match(rule), *parts))
        if point is not None:
            self._points.setdefault(rule, []).append(point)
        return point


def is_like(one: AuthzRule, other: AuthzRule) -> bool:
    """Whether two rules do the same to what they match."""
    return one.effect is other.effect and one.authorizer == other.authorizer
