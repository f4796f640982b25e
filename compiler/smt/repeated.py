"""A header that one side compares line by line, and the other with its lines joined by commas.

Of requests in which it stands once at most both read the same text. Of others the encoding has more than there are:
what is joined is some text with a comma that begins and ends as some line does. So what holds for all of it holds for
all requests; what is found there need not exist.
"""

from __future__ import annotations

from enum import StrEnum

from meshproof.compiler.ir.matchers import Matcher, Prefix, Regex, Suffix
from meshproof.compiler.ir.predicate import Header, JoinedHeader
from meshproof.compiler.patterns import universe
from meshproof.compiler.smt.classes import text_classes
from meshproof.compiler.smt.environment import Environment, Multiple, Single
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.solver import Undecided


class Repeated(StrEnum):
    """What of the requests in which such a header may stand more than once."""

    REFUSED = "refused"
    """There is no exact encoding of them: raise Undecided."""
    ONCE = "once"
    """Leave them out: what is left is exact."""
    ANY = "any"
    """Take more than there are."""


_COMMA = Regex(r".*,.*")


def add_both(
    environment: Environment,
    name: str,
    lines: tuple[Matcher, ...],
    joined: tuple[Matcher, ...],
    repeated: Repeated,
) -> None:
    """The variables of a header that is read in both ways. Raises Undecided as classes do."""
    if repeated is Repeated.REFUSED:
        raise Undecided("a header is compared line by line here and with its lines joined there")
    formulas, axioms = environment.formulas, environment.axioms
    matchers = tuple(dict.fromkeys((*lines, *joined, _COMMA)))
    classes = text_classes(matchers, universe.header_values())
    masks = dict(classes.masks)
    variables = tuple(formulas.variable(2) for _ in classes.witnesses)
    whole = formulas.variable(1 + len(classes.witnesses))
    several = formulas.variable(2)
    environment.multiples[Header(name)] = Multiple(variables, classes, masks)
    environment.singles[JoinedHeader(name)] = Single(whole, classes, masks, may_be_absent=True)
    environment.repeated[name] = several
    is_once, is_repeated = formulas.literal(several, 0b01), formulas.literal(several, 0b10)
    if repeated is Repeated.ONCE:
        axioms.append(is_once)
    for bit, variable in enumerate(variables):
        is_whole = formulas.literal(whole, 1 << (bit + 1))
        is_there = formulas.literal(variable, 0b10)
        axioms.append(formulas.disjunction((is_repeated, formulas.negation(is_whole), is_there)))
        axioms.append(formulas.disjunction((is_repeated, is_whole, formulas.negation(is_there))))
    is_any = environment.has_some(Header(name))
    has_comma = formulas.literal(whole, masks[_COMMA] << 1)
    axioms.append(formulas.disjunction((is_once, formulas.conjunction((is_any, has_comma)))))
    axioms.extend(_same_end(environment, name, matcher, is_once) for matcher in matchers if _is_of_an_end(matcher))


def _is_of_an_end(matcher: Matcher) -> bool:
    return isinstance(matcher, Prefix | Suffix) and "," not in matcher.value


def _same_end(environment: Environment, name: str, matcher: Matcher, is_once: Formula) -> Formula:
    """What begins the joined lines begins the first of them, what ends them the last."""
    formulas, single = environment.formulas, environment.singles[JoinedHeader(name)]
    is_joined = formulas.literal(single.variable, single.masks[matcher] << 1)
    mask = environment.multiples[Header(name)].masks[matcher]
    return formulas.disjunction((is_once, formulas.negation(is_joined), environment.some_in(Header(name), mask)))
