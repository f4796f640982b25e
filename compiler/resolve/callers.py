"""Sets of callers as values: an algebra over identities, with the declared members kept by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from meshproof.compiler.ir.matchers import Exact, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Not,
    Or,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshproof.compiler.ir.names import NodeName

IDENTITY = SourceIdentity()
ANY_IDENTITY = Test(IDENTITY, Present())


def exactly(uri: str) -> Test:
    """The callers with this identity."""
    return Test(IDENTITY, Exact(uri))


def below(prefix: str) -> Test:
    """The callers whose identity begins with `prefix`."""
    return Test(IDENTITY, Prefix(prefix))


@dataclass(frozen=True, slots=True)
class Callers:
    """A set of callers.

    `matches` reads the identity alone. `has_internet`: callers without identity at gateways are in the set; they
    always are where `matches` takes callers without identity. `members` are the declared callers it names.
    """

    matches: Predicate
    has_internet: bool
    members: frozenset[NodeName]


def union(sets: tuple[Callers, ...]) -> Callers:
    """What is in any of the sets."""
    if len(sets) == 1:
        return sets[0]
    return Callers(
        either(tuple(one.matches for one in sets)),
        any(one.has_internet for one in sets),
        frozenset().union(*(one.members for one in sets)),
    )


def intersection(sets: tuple[Callers, ...]) -> Callers:
    """What is in all of the sets, one at least."""
    first, *rest = (one.members for one in sets)
    return Callers(
        conjunction(tuple(one.matches for one in sets)),
        all(one.has_internet for one in sets),
        first.intersection(*rest),
    )


def difference(base: Callers, removed: Callers) -> Callers:
    """What is in `base` and not in `removed`."""
    return Callers(
        conjunction((base.matches, negation(removed.matches))),
        base.has_internet and not removed.has_internet,
        base.members - removed.members,
    )


def either(predicates: tuple[Predicate, ...]) -> Predicate:
    """The disjunction, with the exact identities once each, in order, behind what is broader."""
    folded = disjunction(predicates)
    if not isinstance(folded, Or):
        return folded
    exact: set[str] = set()
    broader: dict[Predicate, None] = {}
    for operand in folded.operands:
        match operand:
            case Test(SourceIdentity(), Exact(uri)):
                exact.add(uri)
            case _:
                broader[operand] = None
    return disjunction((*broader, *map(exactly, sorted(exact))))


def depth(predicate: Predicate) -> int:
    """How deeply the predicate is nested."""
    match predicate:
        case Not(operand):
            return 1 + depth(operand)
        case And(operands) | Or(operands):
            return 1 + max(map(depth, operands), default=0)
        case _:
            return 1


def takes(predicate: Predicate, identity: str | None) -> bool:
    """Whether a predicate over identities holds of a caller with this one (None: without one)."""
    return taker(predicate)(identity)


def taker(predicate: Predicate) -> Callable[[str | None], bool]:
    """The same for many identities: exact ones are looked up, however many the predicate names."""
    match predicate:
        case Always():
            return lambda _: True
        case Test(SourceIdentity(), Exact(uri)):
            return lambda identity: identity == uri
        case Test(SourceIdentity(), Prefix(prefix)):
            return lambda identity: identity is not None and identity.startswith(prefix)
        case Test(SourceIdentity(), Suffix(suffix)):
            return lambda identity: identity is not None and identity.endswith(suffix)
        case Test(SourceIdentity(), Regex(text)):
            return lambda identity: identity is not None and _matches(text, identity)
        case Test(SourceIdentity(), Present()):
            return lambda identity: identity is not None
        case Not(operand):
            inner = taker(operand)
            return lambda identity: not inner(identity)
        case And(operands):
            parts = tuple(map(taker, operands))
            return lambda identity: all(part(identity) for part in parts)
        case Or(operands):
            exact, others = _split(operands)
            return lambda identity: identity in exact or any(part(identity) for part in others)
        case _:
            return lambda _: False


@lru_cache(maxsize=65536)
def _matches(text: str, identity: str) -> bool:
    """Lifted policies compare identities with expressions: those for a namespace, wherever it is."""
    return pattern.matches(pattern.Regex(text), identity)


def _split(operands: tuple[Predicate, ...]) -> tuple[frozenset[str], tuple[Callable[[str | None], bool], ...]]:
    exact: set[str] = set()
    others: list[Callable[[str | None], bool]] = []
    for operand in operands:
        match operand:
            case Test(SourceIdentity(), Exact(uri)):
                exact.add(uri)
            case _:
                others.append(taker(operand))
    return frozenset(exact), tuple(others)
