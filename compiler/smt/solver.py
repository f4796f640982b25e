"""Answers about the formulas of one port: by plain search, and by z3 where that takes too many steps.

z3 is loaded at the first question that needs it: most policies have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshproof.compiler.smt.answers import Limits, Undecided
from meshproof.compiler.smt.formula import Formula, Formulas, Point
from meshproof.compiler.smt.search import Search, TooManySteps

if TYPE_CHECKING:
    from meshproof.compiler.smt.z3_solver import Z3Solver

__all__ = ["Limits", "Solver", "Undecided"]


class Solver:
    """Answers about conjunctions of formulas of one factory; `axioms` hold in all of them."""

    def __init__(self, formulas: Formulas, axioms: Sequence[Formula], limits: Limits) -> None:
        self._formulas = formulas
        self._axioms = tuple(axioms)
        self._limits = limits
        self._search = Search(formulas, self._axioms, limits.most_steps)
        self._z3: Z3Solver | None = None

    def find(self, parts: Sequence[Formula]) -> Point | None:
        """A point where all parts and the axioms hold, None if there is none. Raises Undecided at a limit."""
        try:
            return self._search.find(parts)
        except TooManySteps:
            return self._solver().find(parts)

    def core(self, parts: Sequence[Formula]) -> tuple[Formula, ...] | None:
        """Parts that together have no point, not always the fewest; None if all of them have one.

        Raises Undecided at a limit.
        """
        try:
            return self._core(tuple(dict.fromkeys(parts)))
        except TooManySteps:
            return self._solver().core(parts)

    def _core(self, parts: tuple[Formula, ...]) -> tuple[Formula, ...] | None:
        """Without as many parts as can be left out by halves, then quarters, down to single ones."""
        if self._search.find(parts) is not None:
            return None
        size = (len(parts) + 1) // 2
        while size:
            for start in range(0, len(parts), size):
                rest = (*parts[:start], *parts[start + size :])
                if self._search.find(rest) is None:
                    parts = rest
                    break
            else:
                size //= 2
        return parts

    def _solver(self) -> Z3Solver:
        if self._z3 is None:
            from meshproof.compiler.smt.z3_solver import Z3Solver  # noqa: PLC0415  it loads z3

            self._z3 = Z3Solver(self._formulas, self._axioms, self._limits)
        return self._z3
