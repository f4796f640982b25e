"""Rules that a caller gets round by leaving something out, or falls out of by bringing something more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Attribute, Header, Query, SourceIdentity, TokenIssuer
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.smt.concretize import caller_at, request_at
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import FALSE, Formula
from meshproof.compiler.smt.minimize import best_point
from meshproof.compiler.smt.region import Allowed, Everything, MatchedBy, Outside, Region, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.smt.variation import Variation, attributes_in_play
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.per_rule import PerRule, per_rule
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.witness import Hop, HopKind, Witness, replayed


class HazardKind(StrEnum):
    """What goes wrong."""

    LOST_BY_ADDITION = "lost-by-addition"
    """An allow takes a request, but not the same with something more."""
    ESCAPED_BY_OMISSION = "escaped-by-omission"
    """A deny refuses a request, but not the same with something less, which is allowed."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A rule and the attribute, as the language writes it, that changes whether the rule matches.

    `without` is the request that lacks it, `having` the same one with it.
    """

    kind: HazardKind
    rule: RuleId
    attribute: Attribute
    name: str
    without: Witness
    having: Witness


def rule_hazards(analysis: Analysis) -> PerRule[Hazard]:
    """The hazards of every rule in force."""
    return per_rule(analysis, lambda rule: hazards(analysis, rule))


def hazards(analysis: Analysis, rule: AuthzRule) -> Iterator[Hazard]:
    """The hazards of an allow or deny in force, one for each attribute, at the first of its ports that shows it.

    Headers, query parameters, tokens and identities can be added and left out. Raises Undecided after what was found if
    there may be more.
    """
    if rule.effect is Effect.ASK:
        return
    seen: set[Attribute] = set()
    undecided: Undecided | None = None
    for key in analysis.scopes_of(rule.id):
        try:
            for found in _at(analysis, analysis.scope(key), rule, seen):
                seen.add(found.attribute)
                yield found
        except Undecided as reason:
            undecided = reason
    if undecided is not None:
        raise undecided


def _at(analysis: Analysis, scope: Scope, rule: AuthzRule, seen: Collection[Attribute]) -> Iterator[Hazard]:
    """The hazards at one port in attributes that are not among the `seen`."""
    for attribute in dict.fromkeys(attributes_in_play(scope.encoding(Everything()).environment)):
        if attribute not in seen and isinstance(attribute, Header | Query | SourceIdentity | TokenIssuer):
            found = _hazard(analysis, scope, rule, attribute)
            if found is not None:
                yield found


def _hazard(analysis: Analysis, scope: Scope, rule: AuthzRule, attribute: Attribute) -> Hazard | None:
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    variation = encoding.variation(attribute)
    match = encoding.matches.get(rule.id, FALSE)
    if variation is None or environment.formulas.variables_of((match,)).isdisjoint(variation.names):
        return None
    formula = (_lost if rule.effect is Effect.ALLOW else _escaped)(encoding, match, variation)
    return _shown(analysis, scope, (variation, attribute), rule, formula)


def _lost(encoding: Encoding, match: Formula, variation: Variation) -> Formula:
    environment, formulas = encoding.environment, encoding.environment.formulas
    lost = formulas.negation(variation.other(environment, match))
    return formulas.conjunction((match, lost, variation.added, *variation.axioms))


def _escaped(encoding: Encoding, match: Formula, variation: Variation) -> Formula:
    environment, formulas = encoding.environment, encoding.environment.formulas
    caught = variation.other(environment, match)
    escape = (formulas.negation(match), encoding.formula(Allowed()))
    return formulas.conjunction((caught, *escape, variation.added, *variation.axioms))


def _shown(
    analysis: Analysis, scope: Scope, changed: tuple[Variation, Attribute], rule: AuthzRule, formula: Formula
) -> Hazard | None:
    """The hazard with both requests, replayed."""
    variation, attribute = changed
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    point = encoding.find((formula,))
    if point is None:
        return None
    point = best_point(environment, encoding.solver, formula, point)
    is_allow = rule.effect is Effect.ALLOW
    first: Region = MatchedBy(rule.id) if is_allow else both(Allowed(), Outside(MatchedBy(rule.id)))
    second: Region = Outside(MatchedBy(rule.id)) if is_allow else MatchedBy(rule.id)
    pair = []
    for region, one in ((first, point), (second, variation.other_point(point))):
        title = environment.callers.classes[caller_at(environment, one)].title
        hop = Hop(HopKind.CALL, title, str(scope.key.node), request_at(environment, one), is_minimal=False)
        pair.append(replayed(analysis.mesh, analysis.day, hop, region))
    without, having = pair
    if without is None or having is None:
        raise Undecided("the example that was found depends on what is not modelled")
    kind = HazardKind.LOST_BY_ADDITION if is_allow else HazardKind.ESCAPED_BY_OMISSION
    return Hazard(kind, rule.id, attribute, attribute_name(attribute), without, having)
