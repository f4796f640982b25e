"""Formulas over finite variables, shared and in negation normal form, before any solver sees them.

A variable takes the values `0 … size-1`; a literal says that it is in a set of them, kept as a bit mask, so that
conjunction, disjunction and negation of literals of one variable are bit operations. Equal formulas are equal numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeAlias

Formula: TypeAlias = int
Point: TypeAlias = tuple[int, ...]
"""A value for each variable, by number."""

FALSE: Formula = 0
TRUE: Formula = 1


@dataclass(frozen=True, slots=True)
class Literal:
    """The variable has one of the values in `mask`."""

    variable: int
    mask: int


@dataclass(frozen=True, slots=True)
class Conjunction:
    """All hold; at least two."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """One holds; at least two."""

    parts: tuple[Formula, ...]


Shape: TypeAlias = bool | Literal | Conjunction | Disjunction


class Formulas:
    """A factory that numbers formulas. Numbers of one factory mean nothing to another.

    `sizes` are the sizes of the variables, `shapes` what each formula is made of; both are for reading alone.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.shapes: list[Shape] = [False, True]
        self._literals: dict[tuple[int, int], Formula] = {}
        self._joined: dict[tuple[type[Conjunction | Disjunction], tuple[Formula, ...]], Formula] = {}
        self._hulls: dict[Formula, Mapping[int, int]] = {}
        self._negations: dict[Formula, Formula] = {FALSE: TRUE, TRUE: FALSE}
        self._read: dict[Formula, frozenset[int]] = {}

    def variable(self, size: int) -> int:
        """A new variable with `size` values, at least one."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def shape(self, formula: Formula) -> Shape:
        """What the formula is made of."""
        return self.shapes[formula]

    def literal(self, variable: int, mask: int) -> Formula:
        """The variable has one of the values in `mask`."""
        full = (1 << self.sizes[variable]) - 1
        mask &= full
        if mask == 0:
            return FALSE
        if mask == full:
            return TRUE
        number = self._literals.get((variable, mask))
        if number is None:
            number = self._literals[variable, mask] = len(self.shapes)
            self.shapes.append(Literal(variable, mask))
        return number

    def conjunction(self, parts: Iterable[Formula]) -> Formula:
        """All of the parts hold; of none it is true."""
        masks: dict[int, int] = {}
        rest: dict[Formula, None] = {}
        shapes = self.shapes
        for part in parts:
            outer = shapes[part]
            for one in outer.parts if isinstance(outer, Conjunction) else (part,):
                shape = shapes[one]
                if isinstance(shape, Literal):
                    masks[shape.variable] = masks.get(shape.variable, -1) & shape.mask
                elif shape is False:
                    return FALSE
                elif shape is not True:
                    rest[one] = None
        kept = [self.literal(variable, mask) for variable, mask in masks.items()]
        if FALSE in kept or (len(rest) > 1 and self._has_opposites(rest)):
            return FALSE
        kept.extend(rest)
        if not kept:
            return TRUE
        return kept[0] if len(kept) == 1 else self._join(Conjunction, kept)

    def disjunction(self, parts: Iterable[Formula]) -> Formula:
        """One of the parts holds; of none it is false."""
        masks: dict[int, int] = {}
        rest: dict[Formula, None] = {}
        shapes = self.shapes
        for part in parts:
            outer = shapes[part]
            for one in outer.parts if isinstance(outer, Disjunction) else (part,):
                shape = shapes[one]
                if isinstance(shape, Literal):
                    masks[shape.variable] = masks.get(shape.variable, 0) | shape.mask
                elif shape is True:
                    return TRUE
                elif shape is not False:
                    rest[one] = None
        kept = [self.literal(variable, mask) for variable, mask in masks.items()]
        if TRUE in kept or (len(rest) > 1 and self._has_opposites(rest)):
            return TRUE
        kept.extend(rest)
        if not kept:
            return FALSE
        return kept[0] if len(kept) == 1 else self._join(Disjunction, kept)

    def _has_opposites(self, parts: dict[Formula, None]) -> bool:
        return any(map(parts.__contains__, map(self._negations.get, parts)))

    def negation(self, formula: Formula) -> Formula:
        """The formula does not hold."""
        known = self._negations.get(formula)
        if known is not None:
            return known
        match self.shapes[formula]:
            case Literal(variable, mask):
                result = self.literal(variable, ~mask)
            case Conjunction(parts):
                result = self.disjunction(self.negation(part) for part in parts)
            case Disjunction(parts):
                result = self.conjunction(self.negation(part) for part in parts)
            case constant:
                result = FALSE if constant else TRUE
        self._negations[formula] = result
        self._negations[result] = formula
        return result

    def holds(self, formula: Formula, point: Point) -> bool:
        """The value of the formula at a point, without any solver."""
        shape = self.shapes[formula]  # no `match`: it is asked millions of times about a large policy
        if isinstance(shape, Literal):
            return bool(shape.mask >> point[shape.variable] & 1)
        if isinstance(shape, bool):
            return shape
        is_end = isinstance(shape, Disjunction)
        for part in shape.parts:
            if self.holds(part, point) is is_end:
                return is_end
        return not is_end

    def hull(self, formula: Formula) -> Mapping[int, int]:
        """For some variables the values beyond which the formula does not hold: two whose hulls miss are disjoint."""
        found = self._hulls.get(formula)
        if found is None:
            found = self._hulls[formula] = self._hull(self.shapes[formula])
        return found

    def _hull(self, shape: Shape) -> Mapping[int, int]:
        if isinstance(shape, Literal):
            return {shape.variable: shape.mask}
        if isinstance(shape, bool):
            return {}
        hulls = [self.hull(part) for part in shape.parts]
        if isinstance(shape, Disjunction):
            common = set(hulls[0]).intersection(*hulls[1:])
            return {variable: reduce(or_, (hull[variable] for hull in hulls)) for variable in sorted(common)}
        found: dict[int, int] = {}
        for hull in hulls:
            for variable, mask in hull.items():
                found[variable] = found.get(variable, -1) & mask
        return found

    def is_plainly_disjoint(self, one: Formula, other: Formula) -> bool:
        """Whether the hulls tell that two formulas have no point in common; if they do not, nothing is said."""
        return not any(self.plainly_meeting(one, (other,)))

    def plainly_meeting(self, one: Formula, others: Iterable[Formula]) -> Iterator[bool]:
        """For each of the others whether the hulls leave it open that it has a point in common with the one."""
        own = tuple(self.hull(one).items())
        hulls = self._hulls
        for other in others:
            hull = hulls.get(other)
            if hull is None:
                hull = self.hull(other)
            for variable, mask in own:
                if not mask & hull.get(variable, -1):
                    yield False
                    break
            else:
                yield FALSE not in (one, other)

    def substituted(self, formula: Formula, values: Mapping[int, int]) -> Formula:
        """The formula with variables replaced by values."""
        return self._rebuilt(
            formula,
            lambda literal: (
                (TRUE if literal.mask >> values[literal.variable] & 1 else FALSE)
                if literal.variable in values
                else None
            ),
        )

    def renamed(self, formula: Formula, names: Mapping[int, int]) -> Formula:
        """The formula with variables replaced by others of the same size."""
        return self._rebuilt(
            formula,
            lambda literal: self.literal(names[literal.variable], literal.mask) if literal.variable in names else None,
        )

    def _rebuilt(self, formula: Formula, replace: Callable[[Literal], Formula | None]) -> Formula:
        """The formula with literals replaced, where there is a replacement."""
        done: dict[Formula, Formula] = {}

        def rebuilt(one: Formula) -> Formula:
            found = done.get(one)
            if found is None:
                found = done[one] = build(one)
            return found

        def build(one: Formula) -> Formula:
            shape = self.shapes[one]
            match shape:
                case Literal():
                    found = replace(shape)
                    return one if found is None else found
                case Conjunction(parts):
                    return self.conjunction(map(rebuilt, parts))
                case Disjunction(parts):
                    return self.disjunction(map(rebuilt, parts))
                case _:
                    return one

        return rebuilt(formula)

    def variables_of(self, formulas: Sequence[Formula]) -> frozenset[int]:
        """The variables that the formulas read."""
        return frozenset().union(*map(self._variables, formulas))

    def _variables(self, formula: Formula) -> frozenset[int]:
        known = self._read.get(formula)
        if known is None:
            known = self._read[formula] = self._walked((formula,))
        return known

    def _walked(self, formulas: Sequence[Formula]) -> frozenset[int]:
        found: set[int] = set()
        seen: set[Formula] = set()
        stack = list(formulas)
        while stack:
            formula = stack.pop()
            if formula in seen:
                continue
            seen.add(formula)
            shape = self.shapes[formula]
            if isinstance(shape, Literal):
                found.add(shape.variable)
            elif isinstance(shape, Conjunction | Disjunction):
                stack.extend(shape.parts)
        return frozenset(found)

    def _join(self, kind: type[Conjunction | Disjunction], parts: list[Formula]) -> Formula:
        ordered = tuple(sorted(parts))
        number = self._joined.get((kind, ordered))
        if number is None:
            number = self._joined[kind, ordered] = len(self.shapes)
            self.shapes.append(kind(ordered))
        return number
