"""Search, solver and formulas mean the same: every set of values of a variable, and every formula of a few."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import product
from random import Random
from typing import Protocol

import pytest
import z3

from meshproof.compiler.smt.answers import Limits
from meshproof.compiler.smt.formula import FALSE, Formula, Formulas, Point
from meshproof.compiler.smt.search import Search, TooManySteps
from meshproof.compiler.smt.solver import Solver
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.smt.z3_solver import SolverDisagrees, Z3Solver

SIZES = (1, 2, 3, 5, 6, 7)


class Finder(Protocol):
    """What answers questions."""

    def find(self, parts: Sequence[Formula]) -> Point | None: ...


def _search(formulas: Formulas, axioms: Sequence[Formula]) -> Finder:
    return Search(formulas, axioms, 10**9)


def _z3(formulas: Formulas, axioms: Sequence[Formula]) -> Finder:
    return Z3Solver(formulas, axioms, Limits())


def _both(formulas: Formulas, axioms: Sequence[Formula]) -> Finder:
    return Solver(formulas, axioms, Limits(most_steps=12))


FINDERS = pytest.mark.parametrize("make", [_search, _z3, _both])


def _points(formulas: Formulas) -> list[Point]:
    return list(product(*map(range, formulas.sizes)))


@pytest.mark.parametrize("size", SIZES)
def test_a_variable_is_in_just_the_values_that_are_asked_for(size: int) -> None:
    formulas = Formulas()
    variable = formulas.variable(size)
    solver = Z3Solver(formulas, (), Limits())
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
    solver = Z3Solver(formulas, (), Limits())
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


@FINDERS
@pytest.mark.parametrize("seed", range(40))
def test_a_formula_has_a_point_exactly_if_trying_all_finds_one(
    make: Callable[[Formulas, Sequence[Formula]], Finder], seed: int
) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    formulas = Formulas()
    for _ in range(rng.randint(1, 4)):
        formulas.variable(rng.choice(SIZES))
    axioms = [_random_formula(rng, formulas, 1)]
    finder = make(formulas, axioms)
    for _ in range(6):
        parts = [_random_formula(rng, formulas, 3) for _ in range(rng.randint(1, 3))]
        members = _members(formulas, (*axioms, *parts))
        point = finder.find(parts)
        assert (point in members) if members else point is None


@pytest.mark.parametrize("most_steps", [0, 12, 10**9])
@pytest.mark.parametrize("seed", range(20))
def test_a_core_has_no_point_and_is_of_the_parts(seed: int, most_steps: int) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    formulas = Formulas()
    for _ in range(rng.randint(1, 4)):
        formulas.variable(rng.choice(SIZES))
    axioms = [_random_formula(rng, formulas, 1)]
    solver = Solver(formulas, axioms, Limits(most_steps=most_steps))
    for _ in range(6):
        parts = [_random_formula(rng, formulas, 2) for _ in range(rng.randint(1, 6))]
        core = solver.core(parts)
        assert (core is None) == bool(_members(formulas, (*axioms, *parts)))
        if core is not None:
            assert set(core) <= set(parts)
            assert not _members(formulas, (*axioms, *core))
            if most_steps > 12:
                assert all(_members(formulas, (*axioms, *(other for other in core if other != one))) for one in core), (
                    "one of the core is not needed"
                )


def _members(formulas: Formulas, parts: Sequence[Formula]) -> list[Point]:
    return [point for point in _points(formulas) if all(formulas.holds(one, point) for one in parts)]


def test_a_point_that_is_none_is_an_error_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    formulas = Formulas()
    variable = formulas.variable(5)
    solver = Z3Solver(formulas, (), Limits())
    monkeypatch.setattr(solver, "_point", lambda: (4,))
    with pytest.raises(SolverDisagrees, match="no member"):
        solver.find((formulas.literal(variable, 0b00111),))


def test_what_is_false_has_no_point() -> None:
    formulas = Formulas()
    formulas.variable(3)
    assert Solver(formulas, (), Limits()).find((FALSE,)) is None


def _pigeons(formulas: Formulas, count: int) -> list[Formula]:
    """More things than places, no two in one: searching it takes ever more steps."""
    things = [formulas.variable(count - 1) for _ in range(count)]
    return [
        formulas.disjunction((formulas.literal(one, ~(1 << place)), formulas.literal(other, ~(1 << place))))
        for place in range(count - 1)
        for number, one in enumerate(things)
        for other in things[:number]
    ]


def test_what_takes_too_many_steps_is_given_up_and_solved() -> None:
    formulas = Formulas()
    parts = _pigeons(formulas, 6)
    with pytest.raises(TooManySteps):
        Search(formulas, (), 1000).find(parts)
    assert Solver(formulas, (), Limits(most_steps=1000)).find(parts) is None
    assert Solver(formulas, (), Limits(most_steps=1000)).find(parts[1:]) is not None


def test_a_plain_question_does_not_load_z3() -> None:
    script = (
        "import sys\n"
        "from meshproof.compiler.smt.formula import Formulas\n"
        "from meshproof.compiler.smt.solver import Limits, Solver\n"
        "formulas = Formulas()\n"
        "one = formulas.literal(formulas.variable(5), 3)\n"
        "print(Solver(formulas, (), Limits()).find((one,)), 'z3' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "(0,) False\n"


@pytest.mark.parametrize("seed", range(40))
def test_formulas_whose_hulls_miss_have_no_point_in_common(seed: int) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    formulas = Formulas()
    for _ in range(rng.randint(1, 3)):
        formulas.variable(rng.choice(SIZES))
    drawn = [_random_formula(rng, formulas, rng.randint(1, 3)) for _ in range(12)]
    count = 0
    for one, other in product(drawn, drawn):
        if formulas.is_plainly_disjoint(one, other):
            count += 1
            assert not _members(formulas, (one, other))
    for formula in drawn:
        for variable, mask in formulas.hull(formula).items():
            assert all(mask >> point[variable] & 1 for point in _members(formulas, (formula,)))
    assert count or FALSE not in drawn


def test_who_presses_ctrl_c_while_z3_thinks_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    formulas = Formulas()
    wanted = formulas.literal(formulas.variable(3), 0b1)
    solver = Z3Solver(formulas, (), Limits())
    monkeypatch.setattr("z3.z3core.Z3_solver_check_assumptions", lambda *_: 0)
    monkeypatch.setattr("z3.Solver.reason_unknown", lambda _: "interrupted from keyboard")

    with pytest.raises(KeyboardInterrupt):
        solver.find((wanted,))


def test_who_presses_ctrl_c_during_a_second_opinion_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z3.Solver.check", lambda _: z3.unknown)
    monkeypatch.setattr("z3.Solver.reason_unknown", lambda _: "interrupted from keyboard")

    with pytest.raises(KeyboardInterrupt):
        engines()["z3 strings"]("(declare-const a Bool)", 1000)
