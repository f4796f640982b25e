"""How broad a rule is: the dimensions in which it takes every value, however it is written."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Attribute, Method, Path, SourceIdentity, attributes_of
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, Formula, Point
from meshproof.compiler.smt.region import Everything, MatchedBy
from meshproof.compiler.smt.variation import Variation, attributes_in_play
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.per_rule import PerRule, per_rule
from meshproof.compiler.verify.scope import Scope

_TRIALS = 16
_ALWAYS: tuple[Attribute, ...] = (SourceIdentity(), Method(), Path())


@dataclass(frozen=True, slots=True)
class Breadth:
    """The attributes of which a rule takes every value at all of its ports, as the language names them.

    `source`, `method` and `path` are among them also where nothing tells their values apart; other attributes only if
    some condition at one of the ports reads them. On a port that carries no HTTP there is no method or path to be free.
    `has_every_identity`: at all of its ports every identity has a request that the rule matches; where nobody has an
    identity it goes by the sources, and no condition may read them. `needs_token`: it matches none without a valid
    token.
    """

    rule: RuleId
    free: tuple[str, ...]
    has_every_identity: bool = False
    needs_token: bool = False


def rule_breadths(analysis: Analysis) -> PerRule[Breadth]:
    """The free dimensions of every allow in force that matches something."""
    return per_rule(analysis, lambda rule: (breadth_of(analysis, rule.id),) if rule.effect is Effect.ALLOW else ())


def breadth_of(analysis: Analysis, rule: RuleId) -> Breadth:
    """The free dimensions of a rule in force that matches something. Raises Undecided."""
    at_ports = [(scope, _free_at(scope, rule)) for scope in map(analysis.scope, analysis.scopes_of(rule))]
    free = [one for _, one in at_ports if one]
    scopes = [scope for scope, one in at_ports if one]
    names = dict.fromkeys(name for one in free for name in one)
    return Breadth(
        rule,
        free=tuple(name for name in names if all(one.get(name, True) for one in free)),
        has_every_identity=bool(scopes) and all(_has_every_identity(scope, analysis.rules[rule]) for scope in scopes),
        needs_token=bool(scopes) and all(_needs_token(scope, rule) for scope in scopes),
    )


def _has_every_identity(scope: Scope, rule: AuthzRule) -> bool:
    """Whether each class of identities has a request that the rule matches, at a port where it matches some."""
    region = MatchedBy(rule.id)
    callers = scope.callers(region)
    named = callers.of_sources(rule.sources, is_gateway=scope.policy.is_gateway)
    identities = callers.every & ~callers.anonymous
    if identities & ~named:
        return False
    return SourceIdentity() not in attributes_of(rule.content) or not identities & ~scope.callers_in(region)


def _needs_token(scope: Scope, rule: RuleId) -> bool:
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    if environment.issuer is None:
        return False
    has_none = environment.formulas.literal(environment.issuer, 0b1)
    return encoding.find((encoding.matches.get(rule, FALSE), has_none)) is None


def _free_at(scope: Scope, rule: RuleId) -> dict[str, bool]:
    """For each dimension in play at a port whether the rule is free in it; nothing if it matches nothing there."""
    encoding = scope.encoding(Everything())
    environment = encoding.environment
    point = encoding.find((encoding.matches.get(rule, FALSE),))
    if point is None:
        return {}
    has_http = environment.is_http != FALSE
    attributes = dict.fromkeys((*_ALWAYS[: 3 if has_http else 1], *attributes_in_play(environment)))
    found: dict[str, bool] = {}
    for attribute in attributes:
        name = attribute_name(attribute)
        found[name] = found.get(name, True) and _is_free(encoding, rule, attribute, point)
    return found


def _is_free(encoding: Encoding, rule: RuleId, attribute: Attribute, point: Point) -> bool:
    """Whether no change of the attribute alone leads out of what the rule matches, which `point` is one of."""
    environment, formulas = encoding.environment, encoding.environment.formulas
    match = encoding.matches[rule]
    variation = encoding.variation(attribute)
    if variation is None or formulas.variables_of((match,)).isdisjoint(variation.names):
        return True
    if not environment.opaques and _leads_out(environment, match, variation, point):
        return False
    escaped = formulas.negation(variation.other(environment, match))
    return encoding.find((match, escaped, *variation.axioms)) is None


def _leads_out(environment: Environment, match: Formula, variation: Variation, point: Point) -> bool:
    """Whether one of the first values that the attribute may have makes the point one that the rule does not match.

    It nearly always does if any can, and no solver is asked.
    """
    formulas = environment.formulas
    for variable in variation.names:
        for value in range(min(formulas.sizes[variable], _TRIALS)):
            trial = (*point[:variable], value, *point[variable + 1 :])
            is_request = all(formulas.holds(axiom, trial) for axiom in environment.axioms)
            if is_request and not formulas.holds(match, trial):
                return True
    return False
