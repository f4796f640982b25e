"""One policy as of one day, as the solver sees it: every port once, made when it is first asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeVar, cast

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Predicate, SourceIdentity
from meshproof.compiler.smt.atoms import tests_of
from meshproof.compiler.smt.callers import Callers
from meshproof.compiler.smt.policy import Policies, PortKey
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.verify.graph import Graph
from meshproof.compiler.verify.reads import Asked, predicates_in
from meshproof.compiler.verify.scope import Record, Scope

ScopeKey = PortKey
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """`timeout_ms` is for one question to the solver; with `audit_as_enforced` rules under `audit` count."""

    timeout_ms: int = 10_000
    audit_as_enforced: bool = False


DEFAULT_OPTIONS = AnalysisOptions()


class Analysis:
    """Everything that is asked about one policy as of one day, and what was found so far."""

    def __init__(
        self, mesh: Mesh, day: date, options: AnalysisOptions = DEFAULT_OPTIONS, record: Record | None = None
    ) -> None:
        self._record = record
        self.day = day
        self.options = options
        self._policies = Policies(mesh, day, audits=options.audit_as_enforced)
        self._limits = Limits(options.timeout_ms)
        self._scopes: dict[ScopeKey, Scope] = {}
        self._callers: Callers | None = None
        self._graph: Graph | None = None
        self._answers: dict[object, object] = {}

    @property
    def mesh(self) -> Mesh:
        """The policy that is analysed; with `audit_as_enforced` that is not the one given."""
        return self._policies.mesh

    def once(self, question: Callable[[Analysis], T]) -> T:
        """The answer to a question about the whole policy, which is worked out when it is asked for the first time."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("T", self._answers[question])

    @cached_property
    def keys(self) -> tuple[ScopeKey, ...]:
        """Every port at which something may be allowed."""
        return self._policies.keys()

    def scopes(self) -> tuple[ScopeKey, ...]:
        """Every declared port, by node and number."""
        return tuple(key for key in self.keys if key.is_declared)

    def callers(self, matchers: Iterable[Matcher] = ()) -> Callers:
        """Who can call, as far as the policy and these matchers tell callers apart. Raises Undecided.

        A refinement takes the place of what was there, and ports are encoded again when they are asked next.
        """
        if self._callers is None:
            self._callers = Callers(self.mesh, _identity_matchers(predicates_in(self.mesh)))
        if not self._callers.knows(matchers):
            self._callers = Callers(self.mesh, (*self._callers.matchers, *matchers))
        return self._callers

    def has_callers(self, sources: SourceSet) -> bool:
        """Whether any identity, or the lack of one, is in the set. Raises Undecided."""
        return bool(self.callers(_identity_matchers((sources.matches,))).of_predicate(sources.matches))

    def scope(self, key: ScopeKey) -> Scope:
        """The questions about one port."""
        found = self._scopes.get(key)
        if found is None:
            found = Scope(self.mesh, self.day, self._policies.policy(key), self.callers, self._limits, self._record)
            found.expect(self._asked.regions(key.node))
            self._scopes[key] = found
        return found

    def graph(self, sets: Iterable[SourceSet] = ()) -> Graph:
        """Who can cause a call to whom, in a graph that tells apart whom the sets do. Raises Undecided."""
        callers = self.callers(_identity_matchers(one.matches for one in sets))
        if self._graph is None or self._graph.callers is not callers:
            self._graph = Graph(self)
        return self._graph

    @cached_property
    def _asked(self) -> Asked:
        return Asked(self.mesh)

    @cached_property
    def rules(self) -> dict[RuleId, AuthzRule]:
        """The rules in force, by name."""
        return {rule.id: rule for rule in self.mesh.rules if rule.is_in_force(self.day)}

    def scopes_of(self, rule: RuleId) -> tuple[ScopeKey, ...]:
        """The ports that a rule in force speaks of."""
        return self._by_rule.get(rule, ())

    @cached_property
    def _by_rule(self) -> dict[RuleId, tuple[ScopeKey, ...]]:
        found: dict[RuleId, list[ScopeKey]] = {}
        for key in self.keys:
            for rule in self.scope(key).rules():
                found.setdefault(rule.id, []).append(key)
        return {rule: tuple(keys) for rule, keys in found.items()}


def _identity_matchers(predicates: Iterable[Predicate]) -> tuple[Matcher, ...]:
    found = (test.matcher for test in tests_of(predicates) if isinstance(test.attribute, SourceIdentity))
    return tuple(dict.fromkeys(found))
