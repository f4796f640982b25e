"""What a region of requests may be narrowed in: caller, method, path, and whatever else either policy looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import AuthorizerName
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Path,
    Query,
    RawAuthority,
    Sni,
    SourceIp,
)
from meshproof.compiler.smt.atoms import AUDIENCE
from meshproof.compiler.smt.environment import Single
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula, Formulas, Literal, Point
from meshproof.compiler.smt.joint import Joint


class DimensionKind(StrEnum):
    """What the values of a dimension are."""

    CALLER = "caller"
    LAYER = "layer"
    SINGLE = "single"
    ATOM = "atom"
    ISSUER = "issuer"
    UNREADABLE = "unreadable"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that requests differ in; its values are `0 … size - 1`, a set of them a bit mask.

    It is a variable, or with `atom` the truth of a formula (0 and 1). `attribute` and `matcher` say what is told apart.
    """

    kind: DimensionKind
    size: int
    variable: int
    atom: Formula | None = None
    attribute: Attribute | None = None
    matcher: Matcher | None = None
    authorizer: AuthorizerName | None = None

    @property
    def every(self) -> int:
        """All values."""
        return (1 << self.size) - 1

    def literal(self, formulas: Formulas, mask: int) -> Formula:
        """The dimension has one of the values."""
        if self.atom is None:
            return formulas.literal(self.variable, mask)
        if mask & 0b11 == 0b11:  # noqa: PLR2004  both truth values
            return TRUE
        return self.atom if mask & 0b10 else formulas.negation(self.atom) if mask else FALSE

    def value_at(self, formulas: Formulas, point: Point) -> int:
        """The value of the dimension at a point."""
        return point[self.variable] if self.atom is None else int(formulas.holds(self.atom, point))


_SINGLES: tuple[Attribute, ...] = (Sni(), ClientIp(), SourceIp(), Host(), RawAuthority(), Method(), Path())
"""Those with one value, the ones that people care least for first; any others come before them."""


def dimensions_of(joint: Joint) -> tuple[Dimension, ...]:
    """The dimensions of all requests to a port, those first that are best left out of a description."""
    return (
        *_answers(joint),
        *_atoms(joint),
        *_tokens(joint),
        *_singles(joint),
        *_layer(joint),
        Dimension(DimensionKind.CALLER, len(joint.environment.local), joint.environment.caller),
    )


def _answers(joint: Joint) -> Iterator[Dimension]:
    for authorizer, variable in joint.environment.answers.items():
        yield Dimension(DimensionKind.ANSWER, 2, variable, authorizer=authorizer)


def _atoms(joint: Joint) -> Iterator[Dimension]:
    """Every test of an attribute with any number of values, each formula once."""
    seen: set[Formula] = set()
    for attribute, multiple in joint.environment.multiples.items():
        if not isinstance(attribute, Header | Query | Claim):
            continue
        tests: list[tuple[Matcher | None, Formula]] = [
            (matcher, joint.environment.some_in(attribute, mask)) for matcher, mask in multiple.masks.items()
        ]
        if attribute == AUDIENCE:
            tests.append((None, joint.environment.has_some(attribute)))
        for matcher, formula in tests:
            if formula not in {TRUE, FALSE, *seen}:
                seen.add(formula)
                yield Dimension(DimensionKind.ATOM, 2, -1, formula, attribute, matcher)


def _tokens(joint: Joint) -> Iterator[Dimension]:
    if joint.unreadable is not None:
        yield Dimension(DimensionKind.UNREADABLE, 2, joint.unreadable)
    if joint.environment.issuer is not None:
        yield Dimension(DimensionKind.ISSUER, 1 + len(joint.environment.issuer_urls), joint.environment.issuer)


def _singles(joint: Joint) -> Iterator[Dimension]:
    """Hosts and authorities as sent are one variable where both are read."""
    seen: set[int] = set()
    singles = joint.environment.singles
    others = (attribute for attribute in singles if attribute not in _SINGLES)
    for attribute in (*others, *(attribute for attribute in _SINGLES if attribute in singles)):
        found = singles[attribute]
        if found.variable not in seen:
            seen.add(found.variable)
            yield Dimension(DimensionKind.SINGLE, _size(found), found.variable, attribute=attribute)


def _size(single: Single) -> int:
    return len(single.classes.witnesses) + single.may_be_absent


def _layer(joint: Joint) -> Iterator[Dimension]:
    shape = joint.formulas.shape(joint.environment.is_http)
    if isinstance(shape, Literal):
        yield Dimension(DimensionKind.LAYER, 2, shape.variable)
