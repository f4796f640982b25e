"""Rules that rest on the host, which any caller inside the mesh writes as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Host, attributes_of
from meshproof.compiler.smt.concretize import request_at
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import FALSE, Formula, Point
from meshproof.compiler.smt.minimize import best_point
from meshproof.compiler.smt.region import Allowed, Everything, MatchedBy, Outside, Region, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.smt.variation import Variation
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.breadth import Breadth, rule_breadths
from meshproof.compiler.verify.per_rule import PerRule, per_rule
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.witness import Hop, HopKind, Witness, replayed


@dataclass(frozen=True, slots=True)
class HostTrust:
    """A rule, and a request that gets through by its host: with `other` in its place the rule decides otherwise."""

    rule: RuleId
    witness: Witness
    other: Witness


def host_trusts(analysis: Analysis) -> PerRule[HostTrust]:
    """The rules in force that rest on the host, each at the first of its ports that shows it.

    An allow does if nothing else narrows it: no operation, no other condition, and every identity is among its sources.
    A deny does if a caller in the mesh gets round it with another host. What only gateways are let do is not in it.
    """
    breadths = {one.rule: one for one in analysis.once(rule_breadths).found}
    return per_rule(analysis, lambda rule: _trusts(analysis, rule, breadths.get(rule.id)))


def _trusts(analysis: Analysis, rule: AuthzRule, breadth: Breadth | None) -> Iterator[HostTrust]:
    reads = attributes_of(rule.content)
    if Host() not in reads or rule.effect is Effect.ASK:
        return
    if rule.effect is Effect.ALLOW and not (reads == {Host()} and breadth is not None and breadth.has_every_identity):
        return
    for key in analysis.scopes_of(rule.id):
        scope = analysis.scope(key)
        found = None if scope.policy.is_gateway else _at(analysis, scope, rule)
        if found is not None:
            yield found
            return


def _at(analysis: Analysis, scope: Scope, rule: AuthzRule) -> HostTrust | None:
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    match = encoding.matches.get(rule.id, FALSE)
    variation = encoding.variation(Host())
    if variation is None or environment.formulas.variables_of((match,)).isdisjoint(variation.names):
        return None
    formula = _formula(encoding, match, variation, is_allow=rule.effect is Effect.ALLOW)
    point = encoding.find((formula,))
    if point is None:
        return None
    point = best_point(environment, encoding.solver, formula, point)
    inside, outside = MatchedBy(rule.id), Outside(MatchedBy(rule.id))
    regions = (inside, outside) if rule.effect is Effect.ALLOW else (both(Allowed(), outside), inside)
    through = _replayed(analysis, scope, point, point, regions[0])
    other = _replayed(analysis, scope, point, variation.other_point(point), regions[1])
    return HostTrust(rule.id, through, other)


def _formula(encoding: Encoding, match: Formula, variation: Variation, *, is_allow: bool) -> Formula:
    """Where a caller in the mesh gets through with this host, and the rule matches otherwise with another."""
    environment, formulas = encoding.environment, encoding.environment.formulas
    changed = variation.other(environment, match)
    gets_through = (match, formulas.negation(changed)) if is_allow else (formulas.negation(match), changed)
    insiders = sum(1 << value for value in range(len(environment.local)) if _insider(encoding, value) is not None)
    is_inside = formulas.literal(environment.caller, insiders)
    allowed = encoding.formula(Allowed())
    return formulas.conjunction((*gets_through, allowed, is_inside, *variation.axioms))


def _insider(encoding: Encoding, value: int) -> int | None:
    """A class of callers at a port that is no gateway."""
    callers = encoding.callers
    classes = encoding.environment.local[value] & ~callers.gateways
    return (classes & -classes).bit_length() - 1 if classes else None


def _replayed(analysis: Analysis, scope: Scope, chosen: Point, point: Point, region: Region) -> Witness:
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    caller = _insider(encoding, chosen[environment.caller])
    title = "" if caller is None else environment.callers.classes[caller].title
    hop = Hop(HopKind.CALL, title, str(scope.key.node), request_at(environment, point, caller), is_minimal=False)
    found = replayed(analysis.mesh, analysis.day, hop, region)
    if found is None:
        raise Undecided("the example that was found depends on what is not modelled")
    return found
