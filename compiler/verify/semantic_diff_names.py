"""Sets of classes in words: which of the things that have names a set is made of.

A class has no name; it is told from others by tests and sets that do. Any set that they tell apart is a union of terms,
each of what some named sets take together and others do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.predicate import Predicate, conjunction, disjunction, negation

_NOT = 1.2
"""What the name of something that is left out costs, where the name of something taken costs one."""


@dataclass(frozen=True, slots=True)
class Named:
    """A set of classes with a name, and the condition that holds of its members. `rank` prefers lower ones."""

    text: str
    mask: int
    predicate: Predicate
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """What is in all of `inside` and in none of `outside`; of none it is everything."""

    inside: tuple[Named, ...] = ()
    outside: tuple[Named, ...] = ()

    @property
    def predicate(self) -> Predicate:
        """The term as a condition."""
        return conjunction(
            (*(one.predicate for one in self.inside), *(negation(one.predicate) for one in self.outside))
        )

    @property
    def cost(self) -> float:
        """How much there is to read."""
        return len(self.inside) + _NOT * len(self.outside)

    def mask(self, every: int) -> int:
        """The classes of the term."""
        for one in self.inside:
            every &= one.mask
        for one in self.outside:
            every &= ~one.mask
        return every


def described(
    target: int, every: int, names: Sequence[Named], *, has_everything: bool = True
) -> tuple[Term, ...] | None:
    """Terms whose union is the target, as short as can be found; None if the names do not tell it apart.

    Without `has_everything` there is no word for all classes but for names that are.
    """
    if target == every and has_everything:
        return (Term(),)
    useful = {0, every} if has_everything else {0}
    known = sorted((one for one in names if one.mask & every not in useful), key=_preference)
    bases: tuple[Named | None, ...] = ((None,) if has_everything else ()) + tuple(known)
    candidates = (
        _union(target, every, known, has_everything=has_everything),
        _exception(target, every, known, bases),
    )
    found = [one for one in candidates if one is not None]
    return min(found, key=lambda terms: sum(term.cost for term in terms), default=None)


def predicate_of(terms: Sequence[Term]) -> Predicate:
    """The terms as one condition."""
    return disjunction(tuple(term.predicate for term in terms))


def _preference(one: Named) -> tuple[int, int, str]:
    return one.rank, -one.mask.bit_count(), one.text


def _union(target: int, every: int, names: Sequence[Named], *, has_everything: bool) -> tuple[Term, ...] | None:
    """Whole names as long as they help, the largest first, then what has to be put together."""
    inside = [one for one in names if one.mask & every & ~target == 0]
    terms: list[Term] = []
    left = target
    while left:
        best = max(inside, key=lambda one: (one.mask & left).bit_count(), default=None)
        if best is not None and best.mask & left:
            term = Term((best,))
        else:
            found = _term(left & -left, target, every, names, has_everything=has_everything)
            if found is None:
                return None
            term = found
        terms.append(term)
        left &= ~term.mask(every)
    return _without_needless(terms, target, every)


def _without_needless(terms: list[Term], target: int, every: int) -> tuple[Term, ...]:
    kept = list(terms)
    for term in terms:
        others = [one for one in kept if one is not term]
        union = 0
        for one in others:
            union |= one.mask(every)
        if union == target:
            kept = others
    return tuple(kept)


def _term(value: int, target: int, every: int, names: Sequence[Named], *, has_everything: bool) -> Term | None:
    """A term around one class that leaves the target nowhere; it is of some name where there is none for everything."""
    inside: list[Named] = []
    outside: list[Named] = []
    taken = every
    if not has_everything:
        around = next((one for one in names if one.mask & value), None)
        if around is None:
            return None
        inside.append(around)
        taken &= around.mask
    while taken & ~target:
        bad = taken & ~target
        gains = [one for one in names if _taken_out(one, value, bad)]
        if not gains:
            return None
        best = max(gains, key=lambda one: (_taken_out(one, value, bad).bit_count(), bool(one.mask & value)))
        is_inside = bool(best.mask & value)
        (inside if is_inside else outside).append(best)
        taken &= best.mask if is_inside else ~best.mask
    return Term(tuple(inside), tuple(outside))


def _taken_out(one: Named, value: int, bad: int) -> int:
    """What a name takes out of what is too much, if the class is to stay."""
    return bad & ~one.mask if one.mask & value else bad & one.mask


def _exception(
    target: int, every: int, names: Sequence[Named], bases: Sequence[Named | None]
) -> tuple[Term, ...] | None:
    """One name, or everything (None), but for whole other names."""
    best: Term | None = None
    for base in bases:
        if base is not None and target & ~base.mask:
            continue
        around = every if base is None else every & base.mask
        out: list[Named] = []
        bad = around & ~target
        harmless = [one for one in names if one.mask & target == 0]
        while bad:
            most = max(harmless, key=lambda one: (one.mask & bad).bit_count(), default=None)
            if most is None or not most.mask & bad:
                break
            out.append(most)
            bad &= ~most.mask
        term = Term(() if base is None else (base,), tuple(out))
        if not bad and (best is None or term.cost < best.cost):
            best = term
    return None if best is None else (best,)
