"""What is not modelled may be either way: an answer counts if it is the same in all worlds.

A region is certainly not empty if one request is in it however the unmodelled things are; since they may be different
for each request, that is also necessary. Such a request is looked for by counterexamples: the worlds that spoilt the
last candidate are demanded of the next one. There are finitely many worlds, so it ends.
"""

from __future__ import annotations

from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import Formula, Point
from meshproof.compiler.smt.solver import Solver, Undecided

_MOST_WORLDS = 64


def find_in_all_worlds(environment: Environment, solver: Solver, formula: Formula) -> Point | None:
    """A point of the formula that is one in all worlds; None if there is none in any.

    Raises Undecided if it depends on the world.
    """
    formulas = environment.formulas
    unmodelled = tuple(environment.opaques.values())
    read = formulas.variables_of((formula,))
    if read.isdisjoint(unmodelled):
        return solver.find((formula,))
    modelled = sorted(read.difference(unmodelled))
    demands = [formula]
    point = solver.find(demands)
    if point is None:
        return None
    for _ in range(_MOST_WORLDS):
        fixed = [formulas.literal(variable, 1 << point[variable]) for variable in modelled]
        spoiler = solver.find((*fixed, formulas.negation(formula)))
        if spoiler is None:
            return point
        demands.append(formulas.substituted(formula, {variable: spoiler[variable] for variable in unmodelled}))
        point = solver.find(demands)
        if point is None:
            break
    raise Undecided(_reason(environment, formula))


def _reason(environment: Environment, formula: Formula) -> str:
    read = environment.formulas.variables_of((formula,))
    fields = dict.fromkeys(opaque.field for opaque, variable in environment.opaques.items() if variable in read)
    return f"it depends on {', '.join(f'`{field}`' for field in fields)}, which is not modelled"
