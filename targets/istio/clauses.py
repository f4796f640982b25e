"""Predicates as a disjunction of conjunctions, the only shape that an AuthorizationPolicy has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    Test,
)
from meshproof.targets.common.findings import NotExpressibleError

LIMIT = 512
"""The most clauses of one rule: as many rules as the API server takes in one AuthorizationPolicy."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Some value of the attribute passes one of the matchers; or, if not `is_positive`, none passes any of them."""

    attribute: Attribute
    matchers: tuple[Matcher, ...]
    is_positive: bool = True


Clause = tuple[Literal, ...]
"""All of the literals hold; of none it is true."""


def clauses(predicate: Predicate) -> tuple[Clause, ...]:
    """The clauses of which some holds exactly if the predicate does; none if it never does.

    Raises `NotExpressibleError` where there are more than `LIMIT`, or something of a foreign file is not modelled.
    """
    return _expand(predicate, is_positive=True)


def _expand(predicate: Predicate, *, is_positive: bool) -> tuple[Clause, ...]:
    match predicate:
        case Always():
            return ((),) if is_positive else ()
        case Never():
            return () if is_positive else ((),)
        case Test(attribute, matcher):
            return ((Literal(attribute, (matcher,), is_positive),),)
        case Not(operand):
            return _expand(operand, is_positive=not is_positive)
        case And(operands) | Or(operands):
            parts = [_expand(operand, is_positive=is_positive) for operand in operands]
            return _all(parts) if isinstance(predicate, And) == is_positive else _any(parts)
        case Opaque(name):
            raise NotExpressibleError(Feature.FOREIGN_FILES, f"`{name}` of a foreign file is not modelled")
        case _:
            assert_never(predicate)


def _any(parts: Iterable[tuple[Clause, ...]]) -> tuple[Clause, ...]:
    """Either: tests of one value of one attribute become one literal with several matchers."""
    merged: dict[Attribute, tuple[Matcher, ...]] = {}
    others: list[Clause] = []
    for part in parts:
        for clause in part:
            if len(clause) == 1 and clause[0].is_positive:
                known = merged.get(clause[0].attribute, ())
                merged[clause[0].attribute] = tuple(dict.fromkeys((*known, *clause[0].matchers)))
            else:
                others.append(clause)
    singles: list[Clause] = [(Literal(attribute, matchers),) for attribute, matchers in merged.items()]
    return _unique((*singles, *others))


def _all(parts: Iterable[tuple[Clause, ...]]) -> tuple[Clause, ...]:
    start: tuple[Clause, ...] = ((),)
    return reduce(lambda left, right: _unique(join(one, other) for one in left for other in right), parts, start)


def join(one: Clause, other: Clause) -> Clause:
    """Both clauses: negated tests of one attribute become one literal."""
    negative: dict[Attribute, tuple[Matcher, ...]] = {}
    positive: list[Literal] = []
    for literal in (*one, *other):
        if literal.is_positive:
            positive.append(literal)
        else:
            known = negative.get(literal.attribute, ())
            negative[literal.attribute] = tuple(dict.fromkeys((*known, *literal.matchers)))
    negated = (Literal(attribute, matchers, is_positive=False) for attribute, matchers in negative.items())
    return (*dict.fromkeys(positive), *negated)


def _unique(found: Iterable[Clause]) -> tuple[Clause, ...]:
    kept = tuple(dict.fromkeys(found))
    if len(kept) > LIMIT:
        raise NotExpressibleError(
            Feature.PATH_INTERSECTION,
            f"its condition has more than {LIMIT} cases",
            "split it into several rules, or write it with fewer `or`s",
        )
    return kept
