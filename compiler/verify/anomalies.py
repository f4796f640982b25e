"""Rules that do nothing, or nothing of their own (anomalies R1 to R9), over all ports that a rule speaks of.

The kinds exclude each other: of each rule the first that applies is reported, as in Al-Shaer and Hamed (Firewall policy
advisor, 2003), Batfish and Cedar. A rule is taken over every well-formed request; what holds of the requests alone that
pass transport today is marked as not stable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.formula import FALSE
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis, ScopeKey
from meshproof.compiler.verify.match_sets import MatchSets, is_like
from meshproof.compiler.verify.per_rule import PerRule, per_rule


class AnomalyKind(StrEnum):
    """What is wrong with a rule, by the names of the field."""

    IMPOSSIBLE = "impossible"
    """R1: it matches no request."""
    IRRELEVANT = "irrelevant"
    """R2: it matches requests, but none that passes transport."""
    DUPLICATE = "duplicate"
    """R3: another rule of its effect matches the same."""
    OVERRIDDEN = "overridden"
    """R4: an allow; denies match all that it matches."""
    SHADOWED = "shadowed"
    """R5: another rule of its effect matches all that it matches, and more."""
    JOINTLY_SHADOWED = "jointly-shadowed"
    """R6: others of its effect together match all that it matches."""
    MIXED_COVER = "mixed-cover"
    """R7: an allow; other allows and denies together match all that it matches."""
    INERT = "inert"
    """R8: a deny or ask; nothing that it matches would be allowed without it."""
    COVERED = "covered"
    """R9: a deny or ask; others refuse all that it matches and that would be allowed."""


@dataclass(frozen=True, slots=True)
class RuleAnomaly:
    """One rule and why it changes nothing.

    `cover` are the rules that make it so, fewest by inclusion; `contrary` is a rule of another effect that overlaps
    with it, if there is one. A finding that is not `is_stable` holds for today's transport alone.
    """

    kind: AnomalyKind
    rule: RuleId
    cover: tuple[RuleId, ...] = ()
    contrary: RuleId | None = None
    is_stable: bool = True


def rule_anomalies(analysis: Analysis) -> PerRule[RuleAnomaly]:
    """The anomaly of each rule in force that has one, in name order."""
    stable, relative = _Cascade(analysis, is_admitted=False), _Cascade(analysis, is_admitted=True)

    def question(rule: AuthzRule) -> Iterator[RuleAnomaly]:
        if relative.is_needed(rule):
            return
        found = stable.without_effect(rule) or relative.without_effect(rule) or stable.of(rule) or relative.of(rule)
        if found is not None:
            yield found

    return per_rule(analysis, question)


class _Cascade:
    """The cascade over one set of requests."""

    def __init__(self, analysis: Analysis, *, is_admitted: bool) -> None:
        self._analysis = analysis
        self._is_admitted = is_admitted
        self._sets: dict[ScopeKey, MatchSets] = {}
        self._at: dict[RuleId, list[MatchSets]] = {}

    def is_needed(self, rule: AuthzRule) -> bool:
        """Whether some port shows that the rule does something of its own: then it has no anomaly of any kind."""
        for sets in self._ports(rule.id):
            try:
                if sets.has_own(rule):
                    return True
            except Undecided:
                continue
        return False

    def without_effect(self, rule: AuthzRule) -> RuleAnomaly | None:
        """R1 and R2. Where mTLS is disabled it is that which keeps callers with an identity away, not the rule."""
        ports = self._ports(rule.id)
        if not all(sets.is_empty(rule.id) for sets in ports):
            return None
        is_today = self._is_admitted or any(sets.scope.policy.mode is MtlsMode.DISABLED for sets in ports)
        return RuleAnomaly(
            AnomalyKind.IRRELEVANT if is_today else AnomalyKind.IMPOSSIBLE, rule.id, is_stable=not is_today
        )

    def of(self, rule: AuthzRule) -> RuleAnomaly | None:
        """The first of R3 to R9 that applies to the rule."""
        live = [sets for sets in self._ports(rule.id) if not sets.is_empty(rule.id)]
        twin = self._twin(rule, live)
        if twin is not None:
            return self._anomaly(AnomalyKind.DUPLICATE, rule, (twin,), live)
        match rule.effect:
            case Effect.ALLOW:
                return self._of_allow(rule, live)
            case Effect.DENY | Effect.ASK:
                return self._of_refusal(rule, live)

    def _of_allow(self, rule: AuthzRule, live: Sequence[MatchSets]) -> RuleAnomaly | None:
        denies = _names(live, rule, Effect.DENY)
        cover = _cover(rule, live, denies)
        if cover is not None:
            return self._anomaly(AnomalyKind.OVERRIDDEN, rule, cover, live)
        found = self._shadowed(rule, live)
        if found is not None:
            return found
        cover = _cover(rule, live, (*self._others(rule, live), *denies))
        return None if cover is None else self._anomaly(AnomalyKind.MIXED_COVER, rule, cover, live)

    def _of_refusal(self, rule: AuthzRule, live: Sequence[MatchSets]) -> RuleAnomaly | None:
        found = self._shadowed(rule, live)
        if found is not None:
            return found
        if not any(sets.meets(rule.id, sets.allowed()) for sets in live):
            return self._anomaly(AnomalyKind.INERT, rule, (), ())
        refusing = (*self._others(rule, live), *(_names(live, rule, Effect.DENY) if rule.effect is Effect.ASK else ()))
        cover = _cover(rule, live, refusing, is_allowed_alone=True)
        return None if cover is None else self._anomaly(AnomalyKind.COVERED, rule, cover, live)

    def _shadowed(self, rule: AuthzRule, live: Sequence[MatchSets]) -> RuleAnomaly | None:
        others = self._others(rule, live)
        for other in others:
            if all(sets.may_be_part(rule.id, other) for sets in live) and all(
                sets.is_part(rule.id, (other,)) for sets in live
            ):
                return self._anomaly(AnomalyKind.SHADOWED, rule, (other,), live)
        cover = _cover(rule, live, others)
        return None if cover is None else self._anomaly(AnomalyKind.JOINTLY_SHADOWED, rule, cover, live)

    def _twin(self, rule: AuthzRule, live: Sequence[MatchSets]) -> RuleId | None:
        """The first rule written before this one that matches the same."""
        wider = (other for other in self._wider(rule, live) if _is_before(other, rule))
        return next((other.id for other in wider if self._is_same(rule, other)), None)

    def _others(self, rule: AuthzRule, live: Sequence[MatchSets]) -> tuple[RuleId, ...]:
        """The rules of the same effect that may cover this one: not those that are reported as its copies."""
        copies = {
            other.id for other in self._wider(rule, live) if not _is_before(other, rule) and self._is_same(rule, other)
        }
        return tuple(other.id for other in _peers(rule, live) if other.id not in copies)

    def _wider(self, rule: AuthzRule, live: Sequence[MatchSets]) -> list[AuthzRule]:
        """The rules of the same effect that match all that this one is known to match."""
        return [other for other in _peers(rule, live) if all(sets.may_be_part(rule.id, other.id) for sets in live)]

    def _is_same(self, rule: AuthzRule, other: AuthzRule) -> bool:
        ports = dict.fromkeys((*self._ports(rule.id), *self._ports(other.id)))
        return all(sets.is_part(rule.id, (other.id,)) and sets.is_part(other.id, (rule.id,)) for sets in ports)

    def _ports(self, rule: RuleId) -> list[MatchSets]:
        found = self._at.get(rule)
        if found is None:
            found = self._at[rule] = [self._sets_at(key) for key in self._analysis.scopes_of(rule)]
        return found

    def _sets_at(self, key: ScopeKey) -> MatchSets:
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = MatchSets(self._analysis.scope(key), is_admitted=self._is_admitted)
        return found

    def _anomaly(
        self, kind: AnomalyKind, rule: AuthzRule, cover: tuple[RuleId, ...], live: Sequence[MatchSets]
    ) -> RuleAnomaly:
        shown = [self._analysis.rules[name].effect for name in cover]
        contrary = None
        if all(effect is rule.effect for effect in shown):
            contrary = _contrary(rule, live)
        return RuleAnomaly(kind, rule.id, cover, contrary, is_stable=not self._is_admitted)


def _cover(
    rule: AuthzRule, live: Sequence[MatchSets], others: Sequence[RuleId], *, is_allowed_alone: bool = False
) -> tuple[RuleId, ...] | None:
    """Rules that match all that the rule matches, at each port; with `is_allowed_alone` of what allows match.

    Rules that are needed at one port are taken first at the next.
    """
    chosen: dict[RuleId, None] = {}
    for sets in live:
        unless = sets.outside(sets.allowed()) if is_allowed_alone else FALSE
        order = (*chosen, *(other for other in others if other not in chosen))
        cover = sets.cover(rule.id, order, unless)
        if cover is None:
            return None
        chosen.update(dict.fromkeys(cover))
    return _fewest(rule, live, tuple(chosen), is_allowed_alone=is_allowed_alone)


def _fewest(
    rule: AuthzRule, live: Sequence[MatchSets], cover: tuple[RuleId, ...], *, is_allowed_alone: bool
) -> tuple[RuleId, ...]:
    """The cover without what one port took and another makes needless."""
    if len(live) == 1:
        return cover
    for other in reversed(cover):
        rest = tuple(one for one in cover if one != other)
        if all(
            sets.is_part(rule.id, rest, sets.outside(sets.allowed()) if is_allowed_alone else FALSE) for sets in live
        ):
            cover = rest
    return cover


def _contrary(rule: AuthzRule, live: Sequence[MatchSets]) -> RuleId | None:
    """A rule of another effect that matches something that the rule matches."""
    for sets in live:
        others = [other.id for other in sets.meeting(rule.id) if other.effect is not rule.effect]
        if sets.meets(rule.id, sets.any_of(others)):
            return next((other for other in others if sets.meets(rule.id, sets.match(other))), None)
    return None


def _peers(rule: AuthzRule, live: Sequence[MatchSets]) -> list[AuthzRule]:
    """The other rules that do the same to what this one may match too, in the order written."""
    found = {other.id: other for sets in live for other in sets.meeting(rule.id) if is_like(other, rule)}
    return sorted(found.values(), key=_written)


def _names(live: Sequence[MatchSets], rule: AuthzRule, effect: Effect) -> tuple[RuleId, ...]:
    """The other rules of an effect that may match something that this one does, in the order written."""
    found = {other.id: other for sets in live for other in sets.meeting(rule.id) if other.effect is effect}
    return tuple(other.id for other in sorted(found.values(), key=_written))


def _written(rule: AuthzRule) -> tuple[str, int, str]:
    return rule.origin.span.file, rule.origin.span.start, rule.id


def _is_before(one: AuthzRule, other: AuthzRule) -> bool:
    return _written(one) < _written(other)
