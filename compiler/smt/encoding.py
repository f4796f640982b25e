"""The formula of everything that can come to one port, and answers about sets of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Attribute, Predicate, SourceIdentity
from meshproof.compiler.smt.atoms import matchers_by_attribute, opaques_of
from meshproof.compiler.smt.callers import Callers
from meshproof.compiler.smt.encode_authz import encode_admitted, encode_allowed, encode_match
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.encode_routing import encode_conditions, encode_taken
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula, Point
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.reading import merged
from meshproof.compiler.smt.region import (
    Admitted,
    Allowed,
    Answered,
    Both,
    ComingFrom,
    Conditional,
    Either,
    Everything,
    Identified,
    MatchedBy,
    Nothing,
    Outside,
    Region,
    Satisfying,
    SentBy,
    Taken,
    predicates_of,
    sets_of,
)
from meshproof.compiler.smt.solver import Limits, Solver
from meshproof.compiler.smt.variables import environment_reading
from meshproof.compiler.smt.variation import Variation, variation_of
from meshproof.compiler.smt.worlds import find_in_all_worlds


class Encoding:
    """One port policy as formulas over one symbolic request.

    `regions` are those that will be asked about: others can be asked if they read nothing new. Raises Undecided where
    an exact encoding goes beyond limits.
    """

    def __init__(self, policy: PortPolicy, callers: Callers, regions: Iterable[Region], limits: Limits) -> None:
        regions = tuple(regions)
        self.policy = policy
        self.callers = callers
        others = (*_route_conditions(policy), *(p for region in regions for p in predicates_of(region)))
        readings = tuple(policy.reading(rule) for rule in policy.rules)
        read = merged((*(reading.matchers for reading in readings), matchers_by_attribute(others)))
        opaques = dict.fromkeys(opaque for reading in readings for opaque in reading.opaques)
        opaques.update(dict.fromkeys(opaques_of(others)))
        sets = [callers.of_sources(rule.sources, is_gateway=policy.is_gateway) for rule in policy.rules]
        sets.extend(mask for region in regions for mask in self._sets(region))
        self.environment: Environment = environment_reading(policy, callers, read, opaques, dict.fromkeys(sets))
        self._known = read
        self._opaques = frozenset(opaques)
        self._rules = {rule.id: rule for rule in policy.rules}
        self.matches: Mapping[RuleId, Formula] = _Matches(self._rules, self.environment)
        self._conditions = encode_conditions(self.environment)
        self._taken = encode_taken(self.environment, self._conditions)
        self._encoded: dict[Region, Formula] = {}
        self._variations: dict[Attribute, Variation | None] = {}
        self._limits = limits
        self._solver: Solver | None = None

    @property
    def solver(self) -> Solver:
        """The solver, made at the first question that needs one."""
        if self._solver is None:
            self._solver = Solver(self.environment.formulas, self.environment.axioms, self._limits)
        return self._solver

    def variation(self, attribute: Attribute) -> Variation | None:
        """The variation in one attribute, the same one for all questions; None if nothing tells its values apart."""
        if attribute not in self._variations:
            self._variations[attribute] = variation_of(self.environment, attribute)
        return self._variations[attribute]

    def rule(self, name: RuleId) -> AuthzRule:
        """A rule in force here."""
        return self._rules[name]

    def knows(self, region: Region) -> bool:
        """Whether the region reads only what this encoding tells apart."""
        predicates = predicates_of(region)
        for attribute, matchers in matchers_by_attribute(predicates).items():
            if attribute != SourceIdentity() and not set(matchers) <= set(self._known.get(attribute, ())):
                return False
        if not self._opaques.issuperset(opaques_of(predicates)):
            return False
        try:
            for mask in self._sets(region):
                self.environment.is_caller(mask)
            for predicate in predicates:
                for matcher in matchers_by_attribute((predicate,)).get(SourceIdentity(), ()):
                    self.environment.is_caller(self.callers.mask(matcher))
        except KeyError:
            return False
        return True

    def formula(self, region: Region) -> Formula:
        """The region as a formula; KeyError for one that it does not know."""
        found = self._encoded.get(region)
        if found is None:
            found = self._encoded[region] = self._encode(region)
        return found

    def _encode(self, region: Region) -> Formula:  # noqa: C901, PLR0911, PLR0912  one case a kind of region
        environment, formulas = self.environment, self.environment.formulas
        match region:
            case Everything():
                return TRUE
            case Nothing():
                return FALSE
            case Admitted():
                return encode_admitted(environment)
            case Allowed(without):
                return encode_allowed(environment, self.matches, without)
            case MatchedBy(rule):
                return self.matches[rule]
            case Satisfying(predicate):
                return encode_predicate(predicate, environment)
            case ComingFrom() | SentBy():
                return environment.is_caller(self._sets(region)[0])
            case Identified():
                return formulas.negation(environment.is_caller(self.callers.anonymous))
            case Answered(authorizer):
                variable = environment.answers.get(authorizer)
                return TRUE if variable is None else formulas.literal(variable, 0b10)
            case Taken(branch):
                return self._taken.get(branch, FALSE)
            case Conditional(branch):
                return self._conditions.get(branch, FALSE)
            case Both(parts):
                return formulas.conjunction(map(self.formula, parts))
            case Either(parts):
                return formulas.disjunction(map(self.formula, parts))
            case Outside(part):
                return formulas.negation(self.formula(part))
            case _:
                assert_never(region)

    def _sets(self, region: Region) -> list[int]:
        masks: list[int] = []
        for one in sets_of(region):
            if isinstance(one, SentBy):
                masks.append(self.callers.of_nodes(one.nodes))
            else:
                masks.append(self.callers.of_sources(one.sources, is_gateway=self.policy.is_gateway))
        return masks

    def find(self, parts: Sequence[Formula]) -> Point | None:
        """A point in all parts, whatever is not modelled may be; None if there is none however it is.

        Raises Undecided if that hangs on what is not modelled, or at a limit.
        """
        if not self.environment.opaques:
            return self.solver.find(parts)
        formula = self.environment.formulas.conjunction(parts)
        return None if formula == FALSE else find_in_all_worlds(self.environment, self.solver, formula)

    def core(self, parts: Sequence[Formula]) -> tuple[Formula, ...] | None:
        """Parts that together have no point whatever is not modelled may be; None if there is a point."""
        return self.solver.core(parts)


class _Matches(Mapping[RuleId, Formula]):
    """Where each rule matches, made when it is first asked for: most questions are about few of the rules."""

    def __init__(self, rules: Mapping[RuleId, AuthzRule], environment: Environment) -> None:
        self._rules = rules
        self._environment = environment
        self._known: dict[RuleId, Formula] = {}

    def __getitem__(self, name: RuleId) -> Formula:
        found = self._known.get(name)
        if found is None:
            rule = self._rules[name]
            try:
                found = self._known[name] = encode_match(rule, self._environment)
            except KeyError as error:  # else `get` would take it for a rule that is not in force here
                raise AssertionError(f"the port was encoded without what `{name}` reads") from error
        return found

    def __iter__(self) -> Iterator[RuleId]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def _route_conditions(policy: PortPolicy) -> Iterable[Predicate]:
    for route in (policy.route, policy.route_tcp):
        for branch in route.branches if route is not None else ():
            yield branch.condition
