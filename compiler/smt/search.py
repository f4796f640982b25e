"""A point of a formula by search over the sets of values that are left, without a solver.

Most questions about a policy are plain: a handful of masks meet or do not. Told to z3 such a question costs a
millisecond, and z3 itself a tenth of a second to load; here it costs microseconds. The search is complete: literals
narrow the values that a variable may have, disjunctions of which one part is left are literals (unit propagation), the
smallest of the others is tried part by part (Davis, Logemann and Loveland, A machine program for theorem-proving,
1962). What takes more steps than a question is worth is given up and left to the solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from meshproof.compiler.smt.formula import Conjunction, Disjunction, Formula, Formulas, Literal, Point, Shape

MOST_STEPS = 20_000
"""How many parts of disjunctions one question may look at: some ten milliseconds."""

_Parts: TypeAlias = tuple[Formula, ...]
_Domains: TypeAlias = list[int]


class TooManySteps(Exception):  # noqa: N818  it is no fault, another way is taken
    """The question is not a plain one."""


class Search:
    """Answers about conjunctions of formulas of one factory; `axioms` hold in all of them."""

    def __init__(self, formulas: Formulas, axioms: Sequence[Formula], most_steps: int = MOST_STEPS) -> None:
        self._formulas = formulas
        self._axioms = tuple(axioms)
        self._most_steps = most_steps
        self._steps = 0

    def find(self, parts: Iterable[Formula]) -> Point | None:
        """A point where all parts and the axioms hold, of low values where it can; None if there is none.

        Raises TooManySteps.
        """
        self._steps = 0
        domains = [(1 << size) - 1 for size in self._formulas.sizes]
        return self._solved(domains, (), [*self._axioms, *parts])

    def _solved(self, domains: _Domains, pending: Sequence[_Parts], units: list[Formula]) -> Point | None:
        """A point within the domains at which each of the pending disjunctions and all units hold."""
        left = self._propagated(domains, pending, units)
        if left is None:
            return None
        point = tuple((domain & -domain).bit_length() - 1 for domain in domains)
        holds = self._formulas.holds
        if all(any(holds(part, point) for part in parts) for parts in left):
            return point
        chosen = min(left, key=len)
        rest = [parts for parts in left if parts is not chosen]
        for part in chosen:
            found = self._solved(domains.copy(), rest, [part])
            if found is not None:
                return found
            shape = self._formulas.shape(part)
            if isinstance(shape, Literal):  # the other parts need not look where this one has nothing
                domains[shape.variable] &= ~shape.mask
                if not domains[shape.variable]:
                    return None
        return None

    def _propagated(
        self, domains: _Domains, pending: Sequence[_Parts], units: list[Formula]
    ) -> Sequence[_Parts] | None:
        """The disjunctions that are open once all units are taken into the domains; None if nothing is left."""
        open_parts = list(pending)
        while units:
            if not self._take(domains, open_parts, units):
                return None
            undecided: list[_Parts] = []
            for parts in open_parts:
                left = self._left(domains, parts)
                if left is None:
                    continue
                if not left:
                    return None
                if len(left) == 1:
                    units.append(left[0])
                else:
                    undecided.append(left)
            open_parts = undecided
        return open_parts

    def _take(self, domains: _Domains, open_parts: list[_Parts], units: list[Formula]) -> bool:
        """Narrow the domains by the units and open their disjunctions; False if a variable has no value left."""
        shapes = self._formulas.shapes
        while units:
            shape = shapes[units.pop()]
            if isinstance(shape, Literal):
                domains[shape.variable] &= shape.mask
                if not domains[shape.variable]:
                    return False
            elif isinstance(shape, Disjunction):
                open_parts.append(shape.parts)
            elif isinstance(shape, Conjunction):
                units.extend(shape.parts)
            elif not shape:
                return False
        return True

    def _left(self, domains: _Domains, parts: _Parts) -> _Parts | None:
        """The parts that may still hold; None if one of them holds at all that is left."""
        self._steps += len(parts)
        if self._steps > self._most_steps:
            raise TooManySteps
        shapes = self._formulas.shapes
        left: list[Formula] = []
        for part in parts:
            shape = shapes[part]
            if isinstance(shape, Literal):
                domain = domains[shape.variable]
                common = domain & shape.mask
                if common == domain:
                    return None
                if common:
                    left.append(part)
                continue
            truth = self._truth(domains, shape)
            if truth is True:
                return None
            if truth is None:
                left.append(part)
        return parts if len(left) == len(parts) else tuple(left)

    def _truth(self, domains: _Domains, shape: Shape) -> bool | None:
        """Whether something holds everywhere in the domains or nowhere; None if that is not plain."""
        if isinstance(shape, bool):
            return shape
        if not isinstance(shape, Conjunction):
            return None
        is_sure = True
        for part in shape.parts:
            inner = self._formulas.shapes[part]
            if not isinstance(inner, Literal):
                is_sure = False
                continue
            domain = domains[inner.variable]
            common = domain & inner.mask
            if not common:
                return False
            is_sure = is_sure and common == domain
        return True if is_sure else None
