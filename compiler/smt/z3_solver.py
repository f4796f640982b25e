"""One incremental z3 solver over the formulas of one port: the only file that talks to z3.

Terms are built through z3's C interface, each once: the classes of z3's Python interface cost ten times as much to
build as the terms cost to solve. A formula that is asked for gets a guard, a constant that implies it; a question is a
set of guards assumed together, so nothing is ever taken back, and the guards of an unsatisfiable core say which
formulas were needed (Eén and Sörensson, Temporal induction by incremental SAT solving, 2003).
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, TypeAlias

import z3
from z3 import z3core

from meshproof.compiler.smt.answers import Limits, Undecided
from meshproof.compiler.smt.formula import Conjunction, Disjunction, Formula, Formulas, Literal, Point

Term: TypeAlias = Any  # z3's C interface hands out untyped pointers

INTERRUPTED = "interrupted from keyboard"
"""Why z3 gave up if someone pressed Ctrl-C: it takes the signal for itself, and Python never hears of it."""

_UNKNOWN, _SATISFIABLE = 0, 1


class SolverDisagrees(AssertionError):  # noqa: N818  it says what happened
    """The solver gave a point that the formulas do not hold at: a bug in how they are told to it, never an answer."""


class Z3Solver:
    """Answers about conjunctions of formulas of one factory; `axioms` hold in all of them."""

    def __init__(self, formulas: Formulas, axioms: Sequence[Formula], limits: Limits) -> None:
        self._formulas = formulas
        self._context = z3.main_ctx().ref()
        self._axioms = tuple(axioms)
        self._solver = z3.SolverFor("QF_FD")
        if limits.timeout_ms:
            self._solver.set("timeout", limits.timeout_ms)
        self._kept: list[Term] = []
        weakref.finalize(self, _release, self._context, self._kept).atexit = False
        self._terms: dict[Formula, Term] = {}
        self._variables: dict[int, Term] = {}
        self._values: dict[tuple[int, int], Term] = {}
        self._guards: dict[Formula, Term] = {}
        self._guarded: dict[int, Formula] = {}
        for axiom in axioms:
            self._assert(self._term(axiom))

    def find(self, parts: Sequence[Formula]) -> Point | None:
        """A point where all parts and the axioms hold, None if there is none. Raises Undecided at a limit."""
        guards = [self._guard(part) for part in dict.fromkeys(parts)]
        array = (z3core.Ast * len(guards))(*guards)
        outcome = z3core.Z3_solver_check_assumptions(self._context, self._solver.solver, len(guards), array)
        if outcome == _SATISFIABLE:
            return self._checked(self._point(), parts)
        if outcome == _UNKNOWN:
            reason = self._solver.reason_unknown()
            if reason == INTERRUPTED:
                raise KeyboardInterrupt
            raise Undecided(f"the solver gave up ({reason})")
        return None

    def _checked(self, point: Point, parts: Sequence[Formula]) -> Point:
        """The point; a model is cheap to check, so no reading of one is believed unchecked."""
        if not all(self._formulas.holds(one, point) for one in (*parts, *self._axioms)):
            raise SolverDisagrees(f"{point} is no member of what the solver was asked about")
        return point

    def core(self, parts: Sequence[Formula]) -> tuple[Formula, ...] | None:
        """Parts that together have no point, not always the fewest; None if all of them have one.

        Raises Undecided at a limit.
        """
        if self.find(parts) is not None:
            return None
        core = self._solver.unsat_core()
        found = {self._guarded[term.get_id()] for term in core}
        return tuple(part for part in dict.fromkeys(parts) if part in found)

    def _guard(self, formula: Formula) -> Term:
        guard = self._guards.get(formula)
        if guard is None:
            guard = self._constant(f"g{formula}", boolean=True)
            self._guards[formula] = guard
            self._guarded[z3core.Z3_get_ast_id(self._context, guard)] = formula
            self._assert(self._keep(z3core.Z3_mk_implies(self._context, guard, self._term(formula))))
        return guard

    def _assert(self, term: Term) -> None:
        z3core.Z3_solver_assert(self._context, self._solver.solver, term)

    def _term(self, formula: Formula) -> Term:
        term = self._terms.get(formula)
        if term is None:
            term = self._terms[formula] = self._built(formula)
        return term

    def _built(self, formula: Formula) -> Term:
        match self._formulas.shape(formula):
            case Literal(variable, mask):
                return self._literal(variable, mask)
            case Conjunction(parts):
                return self._joined(z3core.Z3_mk_and, [self._term(part) for part in parts])
            case Disjunction(parts):
                return self._joined(z3core.Z3_mk_or, [self._term(part) for part in parts])
            case constant:
                make = z3core.Z3_mk_true if constant else z3core.Z3_mk_false
                return self._keep(make(self._context))

    def _joined(self, make: Any, terms: list[Term]) -> Term:  # noqa: ANN401
        if len(terms) == 1:
            return terms[0]
        return self._keep(make(self._context, len(terms), (z3core.Ast * len(terms))(*terms)))

    def _literal(self, variable: int, mask: int) -> Term:
        size = self._formulas.sizes[variable]
        if size == 2:  # noqa: PLR2004  a truth value
            term = self._variable(variable)
            return term if mask >> 1 else self._not(term)
        if mask.bit_count() * 2 > size:
            return self._not(self._among(variable, mask ^ ((1 << size) - 1)))
        return self._among(variable, mask)

    def _among(self, variable: int, mask: int) -> Term:
        low = (mask & -mask).bit_length() - 1
        high = mask.bit_length() - 1
        if mask.bit_count() > 2 and mask.bit_count() == high - low + 1:  # noqa: PLR2004  two values are as cheap apart
            return self._between(variable, low, high)
        members = [value for value in range(low, high + 1) if mask >> value & 1]
        return self._joined(z3core.Z3_mk_or, [self._is(variable, value) for value in members])

    def _between(self, variable: int, low: int, high: int) -> Term:
        term = self._variable(variable)
        bounds = []
        if low > 0:
            bounds.append(self._keep(z3core.Z3_mk_bvuge(self._context, term, self._value(variable, low))))
        if high < self._formulas.sizes[variable] - 1:
            bounds.append(self._keep(z3core.Z3_mk_bvule(self._context, term, self._value(variable, high))))
        return self._joined(z3core.Z3_mk_and, bounds)

    def _is(self, variable: int, value: int) -> Term:
        term = self._values.get((variable, value))
        if term is None:
            equation = z3core.Z3_mk_eq(self._context, self._variable(variable), self._value(variable, value))
            term = self._values[variable, value] = self._keep(equation)
        return term

    def _value(self, variable: int, value: int) -> Term:
        sort = z3core.Z3_get_sort(self._context, self._variable(variable))
        return self._keep(z3core.Z3_mk_unsigned_int(self._context, value, sort))

    def _variable(self, variable: int) -> Term:
        term = self._variables.get(variable)
        if term is None:
            size = self._formulas.sizes[variable]
            term = self._variables[variable] = self._constant(f"v{variable}", boolean=size == 2, size=size)  # noqa: PLR2004
            if size & (size - 1):
                bound = z3core.Z3_mk_bvule(self._context, term, self._value(variable, size - 1))
                self._assert(self._keep(bound))
        return term

    def _constant(self, name: str, *, boolean: bool, size: int = 0) -> Term:
        context = self._context
        width = max(1, (size - 1).bit_length())
        sort = z3core.Z3_mk_bool_sort(context) if boolean else z3core.Z3_mk_bv_sort(context, width)
        return self._keep(z3core.Z3_mk_const(context, z3core.Z3_mk_string_symbol(context, name), sort))

    def _not(self, term: Term) -> Term:
        return self._keep(z3core.Z3_mk_not(self._context, term))

    def _keep(self, term: Term) -> Term:
        z3core.Z3_inc_ref(self._context, term)
        self._kept.append(term)
        return term

    def _point(self) -> Point:
        context = self._context
        model = z3core.Z3_solver_get_model(context, self._solver.solver)
        z3core.Z3_model_inc_ref(context, model)
        point = [0] * len(self._formulas.sizes)
        for variable, term in self._variables.items():
            value = z3core.Z3_model_get_const_interp(context, model, z3core.Z3_get_app_decl(context, term))
            if value:
                point[variable] = self._read(variable, value)
        z3core.Z3_model_dec_ref(context, model)
        return tuple(point)

    def _read(self, variable: int, value: Term) -> int:
        if self._formulas.sizes[variable] == 2:  # noqa: PLR2004
            return int(z3core.Z3_get_bool_value(self._context, value) == 1)
        return int(z3core.Z3_get_numeral_string(self._context, value))


def _release(context: Term, terms: list[Term]) -> None:
    for term in terms:
        z3core.Z3_dec_ref(context, term)
