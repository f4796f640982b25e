"""Covering a set of requests by boxes: products of sets of values, each as large as can be, and as few as can be found.

This is the expansion and reduction of two-level minimisation (Brayton, Hachtel, McMullen and Sangiovanni-Vincentelli,
Logic Minimization Algorithms for VLSI Synthesis, 1984), with the solver as judge of what is inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.ir.predicate import Method, Path
from meshproof.compiler.smt.callers import members
from meshproof.compiler.smt.formula import Formula, Point
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.minimize import best_point
from meshproof.compiler.verify.semantic_diff_dimensions import Dimension, DimensionKind


@dataclass(frozen=True, slots=True)
class Box:
    """For each dimension that it is narrowed in, the values that are inside, in the order of the dimensions."""

    sides: tuple[tuple[Dimension, int], ...]

    def mask(self, dimension: Dimension) -> int:
        """The values of a dimension that are inside."""
        return next((mask for one, mask in self.sides if one == dimension), dimension.every)

    def formula(self, joint: Joint) -> Formula:
        """The box as a formula."""
        return joint.formulas.conjunction(one.literal(joint.formulas, mask) for one, mask in self.sides)

    def replaced(self, dimension: Dimension, mask: int) -> Box:
        """The box with another side."""
        return Box(tuple((one, mask if one == dimension else known) for one, known in self.sides))


Cost: TypeAlias = Callable[[Dimension, int], float]


@dataclass(frozen=True, slots=True)
class Cover:
    """Boxes that together are a set of requests but for `rest`, which is empty if there were few enough."""

    boxes: tuple[Box, ...]
    rest: Formula


def values_in(joint: Joint, dimension: Dimension, inside: Formula) -> int:
    """The values of a dimension with which something is in a set of requests. Raises Undecided at a limit."""
    return _Covering(joint, (), inside, lambda _, mask: mask.bit_count()).values(dimension, (inside,), dimension.every)


def cover_of(joint: Joint, dimensions: Sequence[Dimension], inside: Formula, most: int, cost: Cost) -> Cover:
    """The boxes of a set of requests, `most` at most. Raises Undecided at a limit.

    `cost` is how much there is to read about a side: a box is told without operations that are told already if it
    then is no longer to read.
    """
    covering = _Covering(joint, tuple(dimensions), inside, cost)
    boxes: list[Box] = []
    rest = inside
    while len(boxes) < most:
        point = joint.find((rest,))
        if point is None:
            break
        box = covering.box_at(best_point(joint.environment, joint.solver, rest, point), rest)
        boxes.append(box)
        rest = joint.formulas.conjunction((rest, joint.formulas.negation(box.formula(joint))))
    return Cover(covering.needed(boxes), rest)


@dataclass(frozen=True, slots=True)
class _Covering:
    joint: Joint
    dimensions: tuple[Dimension, ...]
    inside: Formula
    cost: Cost

    @property
    def outside(self) -> Formula:
        return self.joint.formulas.negation(self.inside)

    def box_at(self, point: Point, rest: Formula) -> Box:
        """A box around a point that cannot be made larger, with only the callers that something is left of."""
        formulas = self.joint.formulas
        sides = {one: 1 << one.value_at(formulas, point) for one in self.dimensions}
        kept = self._kept(sides)
        sides = {one: mask for one, mask in sides.items() if one in kept}
        for one in sorted(sides, key=lambda one: one.kind is not DimensionKind.CALLER):
            sides[one] = self._widened(sides, one)
        box = Box(tuple((one, sides[one]) for one in self.dimensions if one in sides and sides[one] != one.every))
        return self._reduced(box, rest)

    def _kept(self, sides: dict[Dimension, int]) -> set[Dimension]:
        """The dimensions that the box must be narrowed in: the others are left out, the first ones first."""
        literals = {one: one.literal(self.joint.formulas, mask) for one, mask in sides.items()}
        core = self.joint.solver.core((*dict.fromkeys(literals.values()), self.outside))
        if core is None:
            raise AssertionError("requests with the same values in all dimensions are not decided alike")
        kept = [one for one, literal in literals.items() if literal in core]
        for one in tuple(kept):
            others = [literals[other] for other in kept if other != one]
            if self.joint.is_empty(*others, self.outside):
                kept.remove(one)
        return set(kept)

    def _widened(self, sides: dict[Dimension, int], dimension: Dimension) -> int:
        """All values of a dimension with which the box is still inside."""
        others = [one.literal(self.joint.formulas, mask) for one, mask in sides.items() if one != dimension]
        bad = self.values(dimension, (*others, self.outside), dimension.every & ~sides[dimension])
        return dimension.every & ~bad

    def _reduced(self, box: Box, rest: Formula) -> Box:
        """The box without the callers of whom everything in it is covered already, and without such operations."""
        for dimension, mask in box.sides:
            if dimension.kind is DimensionKind.CALLER or dimension.attribute in {Method(), Path()}:
                left = self.values(dimension, (box.formula(self.joint), rest), mask)
                is_caller = dimension.kind is DimensionKind.CALLER
                if is_caller or self.cost(dimension, left) <= self.cost(dimension, mask):
                    box = box.replaced(dimension, left)
        return box

    def values(self, dimension: Dimension, parts: tuple[Formula, ...], candidates: int) -> int:
        """Those of the candidates with which something is in all parts."""
        formulas = self.joint.formulas
        whole = formulas.conjunction((*parts, *self.joint.environment.axioms))
        found = 0
        while candidates:
            point = self.joint.find((*parts, dimension.literal(formulas, candidates)))
            if point is None:
                break
            value = dimension.value_at(formulas, point)
            more = 1 << value
            if dimension.atom is None:
                for other in members(candidates & ~more):
                    trial = (*point[: dimension.variable], other, *point[dimension.variable + 1 :])
                    if formulas.holds(whole, trial):
                        more |= 1 << other
            found |= more
            candidates &= ~more
        return found

    def needed(self, boxes: Sequence[Box]) -> tuple[Box, ...]:
        """The boxes without those that the others cover together."""
        kept = list(boxes)
        for box in tuple(boxes):
            others = [other.formula(self.joint) for other in kept if other != box]
            negated = map(self.joint.formulas.negation, others)
            if len(kept) > 1 and self.joint.is_empty(self.inside, box.formula(self.joint), *negated):
                kept.remove(box)
        return tuple(kept)
