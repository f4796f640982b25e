"""From some point to the one that people like best, and what of it matters.

Variables are settled one after the other, callers first, each at the best value that the question still allows
(classes stand in the order of preference): declared callers before invented ones, GET, short paths, nothing optional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.predicate import (
    Attribute,
    ClientIp,
    DestinationIp,
    Host,
    Method,
    Path,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIp,
)
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.field_names import field_names
from meshproof.compiler.smt.formula import Formula, Point
from meshproof.compiler.smt.solver import Solver

_ORDER: tuple[Attribute, ...] = (
    Method(),
    Path(),
    Host(),
    RawAuthority(),
    SourceIp(),
    ClientIp(),
    RemoteIp(),
    DestinationIp(),
    Sni(),
)


def best_point(environment: Environment, solver: Solver, formula: Formula, point: Point) -> Point:
    """The point of the formula that is best in the order of the variables; `point` is any of it.

    A formula that reads what is not modelled keeps its point. Raises Undecided at a limit.
    """
    formulas = environment.formulas
    read = formulas.variables_of((formula, *environment.axioms))
    if not read.isdisjoint(environment.opaques.values()):
        return point
    preferences = _preferences(environment)
    search = _Search(environment, solver, formula, [])
    for variable, preferred in preferences.items():
        if variable in read:
            point = search.settled(point, variable, preferred)
            search.fixed.append(formulas.literal(variable, 1 << point[variable]))
    return tuple(value if number in read else preferences.get(number, value) for number, value in enumerate(point))


@dataclass(slots=True)
class _Search:
    """One walk; `fixed` are the variables settled so far."""

    environment: Environment
    solver: Solver
    formula: Formula
    fixed: list[Formula]

    def settled(self, point: Point, variable: int, preferred: int) -> Point:
        """A point with the variable at its best value: changed in place if that does, else searched by halving."""
        size = self.environment.formulas.sizes[variable]
        order = [preferred, *(value for value in range(size) if value != preferred)]
        if point[variable] == preferred:
            return point
        trial = (*point[:variable], preferred, *point[variable + 1 :])
        if self._is_member(trial):
            return trial
        low, high = 0, order.index(point[variable])
        while low < high:
            middle = (low + high - 1) // 2 if low else 0
            found = self._find(variable, order[: middle + 1])
            if found is None:
                low = middle + 1
            else:
                point, high = found, order.index(found[variable])
        return point

    def _is_member(self, point: Point) -> bool:
        formulas = self.environment.formulas
        return formulas.holds(self.formula, point) and all(
            formulas.holds(one, point) for one in self.environment.axioms
        )

    def _find(self, variable: int, values: Sequence[int]) -> Point | None:
        mask = sum(1 << value for value in values)
        return self.solver.find((self.formula, *self.fixed, self.environment.formulas.literal(variable, mask)))


def _preferences(environment: Environment) -> dict[int, int]:
    """The value that each variable should have, in the order in which they are settled."""
    found = dict.fromkeys(environment.answers.values(), 1)
    found[environment.caller] = 0
    for attribute in _ORDER:
        if attribute in environment.singles:
            found.setdefault(environment.singles[attribute].variable, 0)
    if environment.issuer is not None:
        found[environment.issuer] = 0
    for multiple in environment.multiples.values():
        found.update(dict.fromkeys(multiple.variables, 0))
    for variable in range(len(environment.formulas.sizes)):
        if variable not in environment.opaques.values():
            found.setdefault(variable, 0)
    return found


def deciding_fields(environment: Environment, solver: Solver, formula: Formula, point: Point) -> tuple[str, ...]:
    """The fields of the request without whose value the formula need not hold, all others being as they are.

    Raises Undecided at a limit.
    """
    formulas = environment.formulas
    names = field_names(environment)
    read = [variable for variable in sorted(formulas.variables_of((formula,))) if variable in names]
    opposite = formulas.negation(formula)
    found: list[str] = []
    for name in dict.fromkeys(names[variable] for variable in read):
        fixed = (formulas.literal(variable, 1 << point[variable]) for variable in read if names[variable] != name)
        if solver.find((opposite, *fixed)) is not None:
            found.append(name)
    return tuple(found)
