"""The solver and the formulas mean the same: every set of values of a variable, and every formula of a few."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from meshproof.compiler.smt.formula import FALSE, Formula, Formulas, Point
from meshproof.compiler.smt.solver import Limits, Solver, SolverDisagrees

SIZES = (1, 2, 3, 5, 6, 7)


def _points(formulas: Formulas) -> list[Point]:
    return list(product(*map(range, formulas.sizes)))


@pytest.mark.parametrize("size", SIZES)
def test_a_variable_is_in_just_the_values_that_are_asked_for(size: int) -> None:
    formulas = Formulas()
    variable = formulas.variable(size)
    solver = Solver(formulas, (), Limits())
    for mask in range(1 << size):
        wanted = formulas.literal(variable, mask)
        for value in range(size):
            point = solver.find((wanted, formulas.literal(variable, 1 << value)))
            assert point == ((value,) if mask >> value & 1 else None), (mask, value)
            outside = solver.find((formulas.negation(wanted), formulas.literal(variable, 1 << value)))
            assert outside == (None if mask >> value & 1 else (value,)), (mask, value)


@pytest.mark.parametrize("width", [29, 64, 65, 200])
def test_runs_of_values_of_a_large_variable_end_where_they_should(width: int) -> None:
    formulas = Formulas()
    variable = formulas.variable(width)
    solver = Solver(formulas, (), Limits())
    for low, high in ((0, 0), (0, 3), (1, 3), (2, width - 2), (width - 5, width - 2), (width - 4, width - 1)):
        mask = (1 << high + 1) - (1 << low)
        wanted = formulas.literal(variable, mask)
        for value in {low, high, max(low - 1, 0), min(high + 1, width - 1), width - 1, 0}:
            point = solver.find((wanted, formulas.literal(variable, 1 << value)))
            assert (point is not None) == (low <= value <= high), (low, high, value)


def _random_formula(rng: Random, formulas: Formulas, depth: int) -> Formula:
    if depth == 0 or rng.random() < 0.2:
        variable = rng.randrange(len(formulas.sizes))
        return formulas.literal(variable, rng.getrandbits(formulas.sizes[variable]))
    parts = [_random_formula(rng, formulas, depth - 1) for _ in range(rng.randint(2, 3))]
    found = formulas.conjunction(parts) if rng.random() < 0.5 else formulas.disjunction(parts)
    return formulas.negation(found) if rng.random() < 0.3 else found


@pytest.mark.parametrize("seed", range(40))
def test_a_formula_has_a_point_exactly_if_trying_all_finds_one(seed: int) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    formulas = Formulas()
    for _ in range(rng.randint(1, 4)):
        formulas.variable(rng.choice(SIZES))
    axioms = [_random_formula(rng, formulas, 1)]
    solver = Solver(formulas, axioms, Limits())
    for _ in range(6):
        parts = [_random_formula(rng, formulas, 3) for _ in range(rng.randint(1, 3))]
        members = [point for point in _points(formulas) if all(formulas.holds(one, point) for one in (*axioms, *parts))]
        point = solver.find(parts)
        assert (point in members) if members else point is None
        core = solver.core(parts)
        assert (core is None) == bool(members)
        if core is not None:
            assert set(core) <= set(parts)
            assert solver.find(core) is None


def test_a_point_that_is_none_is_an_error_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    formulas = Formulas()
    variable = formulas.variable(5)
    solver = Solver(formulas, (), Limits())
    monkeypatch.setattr(solver, "_point", lambda: (4,))
    with pytest.raises(SolverDisagrees, match="no member"):
        solver.find((formulas.literal(variable, 0b00111),))


def test_what_is_false_has_no_point() -> None:
    formulas = Formulas()
    formulas.variable(3)
    assert Solver(formulas, (), Limits()).find((FALSE,)) is None
