"""Questions about one port. Whatever is answered with a request has been replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import SourceIdentity
from meshproof.compiler.smt.atoms import matchers_by_attribute
from meshproof.compiler.smt.callers import Callers
from meshproof.compiler.smt.concretize import caller_at, request_at
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import FALSE, Formula, Point
from meshproof.compiler.smt.minimize import best_point, deciding_fields
from meshproof.compiler.smt.policy import PortKey, PortPolicy
from meshproof.compiler.smt.region import ComingFrom, Region, predicates_of, sets_of
from meshproof.compiler.smt.solver import Limits, Undecided
from meshproof.compiler.verify.verdict import Answer, Empty, Example, Unknown
from meshproof.compiler.verify.witness import Hop, HopKind, replayed

CallersOf = Callable[[Iterable[Matcher]], Callers]
Record = Callable[[str, Encoding, Formula, bool | None], None]
"""Takes a port, what was asked about it, and whether some request is in that; None if it was not found out."""


class Scope:
    """One port of a mesh, as of a day. The encoding is made at the first question, and again if one reads more.

    `callers_of` gives the one partition of callers of the policy, refined by the matchers if need be. `record` takes
    note of every question and its answer, for whoever wants to ask it again.
    """

    def __init__(
        self,
        mesh: Mesh,
        day: date,
        policy: PortPolicy,
        callers_of: CallersOf,
        limits: Limits,
        record: Record | None = None,
    ) -> None:
        self.policy = policy
        self._callers_of = callers_of
        self._mesh = mesh
        self._day = day
        self._limits = limits
        self._record = record
        self._regions: dict[Region, None] = {}
        self._encoding: Encoding | None = None
        self._known: set[Region] = set()

    @property
    def key(self) -> PortKey:
        """Which port this is."""
        return self.policy.key

    @property
    def name(self) -> str:
        """The port as people write it."""
        declared = self.policy.declared
        return f"{self.key.node}:{self.key.port if declared is None else declared.name}"

    @property
    def is_recorded(self) -> bool:
        """Whether someone wants to ask every question again: then each part of an answer should be one."""
        return self._record is not None

    def rules(self) -> tuple[AuthzRule, ...]:
        """The rules in force that name this port, in name order."""
        return self.policy.rules

    @property
    def untrusted(self) -> frozenset[NodeName]:
        """The declared callers whose identity no handshake verifies."""
        trusted = {self._mesh.trust_domain, *self._mesh.aliases, *self._mesh.trusts}
        nodes: tuple[Service | Gateway, ...] = (*self._mesh.services, *self._mesh.gateways)
        return frozenset(node.name for node in nodes if node.identity.trust_domain not in trusted)

    def callers(self, region: Region) -> Callers:
        """The partition of callers that answers about the region are given in. Raises Undecided."""
        return self._callers_of(_identity_matchers(region))

    def expect(self, regions: Iterable[Region]) -> None:
        """Say beforehand which regions will be asked about, so that the port is encoded once."""
        self._regions.update(dict.fromkeys(regions))

    def encoding(self, region: Region) -> Encoding:
        """An encoding that knows the region. Raises Undecided where there is no exact one."""
        found = self._encoding
        if found is not None and region in self._known and found.callers is self._callers_of(()):
            return found
        callers = self._callers_of(_identity_matchers(region))
        if found is None or found.callers is not callers or not found.knows(region):
            self._regions[region] = None
            found = self._encoding = Encoding(self.policy, callers, tuple(self._regions), self._limits)
            self._known.clear()
        self._known.add(region)
        return found

    def is_satisfiable(self, region: Region, caller: int | None = None) -> Answer:
        """Whether some request is in the region: the plainest one, nothing, or unknown and why.

        With `caller`, a class of callers of the policy, whether one of those sends some.
        """
        try:
            encoding = self.encoding(region)
            formula = encoding.formula(region)
            wanted = formula if caller is None else _from(encoding, formula, caller)
            point = self._find(encoding, wanted)
            if point is None:
                return Empty()
            return self._example(encoding, region, (formula, wanted, point), caller)
        except Undecided as undecided:
            return Unknown(undecided.reason)

    def is_empty(self, region: Region, caller: int | None = None) -> bool:
        """Whether no request is in the region, without an example. Raises Undecided."""
        encoding = self.encoding(region)
        formula = encoding.formula(region)
        return self._find(encoding, formula if caller is None else _from(encoding, formula, caller)) is None

    def _find(self, encoding: Encoding, formula: Formula) -> Point | None:
        try:
            point = encoding.find((formula,))
        except Undecided:
            self._note(encoding, formula, has_some=None)
            raise
        self._note(encoding, formula, has_some=point is not None)
        return point

    def _note(self, encoding: Encoding, formula: Formula, *, has_some: bool | None) -> None:
        if self._record is not None:
            self._record(self.name, encoding, formula, has_some)

    def callers_in(self, region: Region) -> int:
        """The classes of callers of the policy that send some request of the region. Raises Undecided."""
        encoding = self.encoding(region)
        environment, formulas = encoding.environment, encoding.environment.formulas
        formula = encoding.formula(region)
        found, every = 0, (1 << len(environment.local)) - 1
        possible = every & formulas.hull(formula).get(environment.caller, every)
        rest = every
        is_modelled = _is_modelled(encoding, formula)
        while rest & possible and formula != FALSE:
            point = encoding.find((formula, formulas.literal(environment.caller, rest & possible)))
            if point is None:
                break
            for value in range(len(environment.local)):
                if not rest & possible & 1 << value:
                    continue
                trial = (*point[: environment.caller], value, *point[environment.caller + 1 :])
                if trial == point or (is_modelled and _is_at(encoding, formula, trial)):
                    found |= environment.local[value]
                    rest &= ~(1 << value)
        outside = formulas.conjunction((formula, formulas.literal(environment.caller, rest)))
        self._note(encoding, outside, has_some=False)
        return found

    def _example(
        self, encoding: Encoding, region: Region, found: tuple[Formula, Formula, Point], caller: int | None
    ) -> Answer:
        environment = encoding.environment
        formula, wanted, point = found
        is_minimal = True
        deciding: tuple[str, ...] = ()
        try:
            point = best_point(environment, encoding.solver, wanted, point)
            deciding = deciding_fields(environment, encoding.solver, formula, point)
        except Undecided:
            is_minimal = False
        shown = caller_at(environment, point) if caller is None else caller
        request = request_at(environment, point, shown)
        source = environment.callers.classes[shown].title
        hop = Hop(HopKind.CALL, source, str(self.key.node), request, None, deciding, is_minimal)
        witness = replayed(self._mesh, self._day, hop, region)
        if witness is None:
            return Unknown("the example that was found depends on what is not modelled")
        return Example(witness)


def _from(encoding: Encoding, formula: Formula, caller: int) -> Formula:
    """The part of a formula that a class of callers sends."""
    environment = encoding.environment
    mask = sum(1 << value for value, classes in enumerate(environment.local) if classes >> caller & 1)
    return environment.formulas.conjunction((formula, environment.formulas.literal(environment.caller, mask)))


def _is_modelled(encoding: Encoding, formula: Formula) -> bool:
    """Whether the formula reads nothing of what is not modelled."""
    environment = encoding.environment
    if not environment.opaques:
        return True
    return environment.formulas.variables_of((formula,)).isdisjoint(environment.opaques.values())


def _is_at(encoding: Encoding, formula: Formula, point: Point) -> bool:
    """Whether a point is one of a formula that is modelled, told without the solver."""
    holds = encoding.environment.formulas.holds
    return holds(formula, point) and all(holds(one, point) for one in encoding.environment.axioms)


def _identity_matchers(region: Region) -> tuple[Matcher, ...]:
    sets = (one.sources.matches for one in sets_of(region) if isinstance(one, ComingFrom))
    predicates = (*predicates_of(region), *sets)
    return matchers_by_attribute(predicates).get(SourceIdentity(), ()) if predicates else ()
