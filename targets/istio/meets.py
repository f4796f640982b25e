"""Several conditions on one path as one list of patterns, where that is exact."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir import matchers as ir
from meshproof.compiler.patterns import pattern as patterns
from meshproof.compiler.patterns.automaton import includes, intersection, is_empty
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.patterns.template import parse_template
from meshproof.targets.common.findings import NotExpressibleError

Matchers = tuple[ir.Matcher, ...]


def meet(one: Matchers, other: Matchers) -> Matchers:
    """Matchers of which some takes a path exactly if some of `one` and some of `other` do.

    Raises `NotExpressibleError` where two of them overlap and neither includes the other.
    """
    found = [both for left in one for right in other for both in _meet(left, right)]
    return tuple(dict.fromkeys(found))


def without(taken: Matchers, refused: Matchers) -> tuple[Matchers, Matchers]:
    """The same difference with fewer matchers: what is refused as a whole goes, and what refuses nothing."""
    left = tuple(one for one in taken if not any(_includes(other, one) for other in refused))
    return left, tuple(other for other in refused if not all(_is_disjoint(one, other) for one in left))


def _meet(one: ir.Matcher, other: ir.Matcher) -> tuple[ir.Matcher, ...]:
    if _includes(one, other):
        return (other,)
    if _includes(other, one):
        return (one,)
    if _is_disjoint(one, other):
        return ()
    raise NotExpressibleError(
        Feature.PATH_INTERSECTION,
        "two conditions on the path must hold at once, and a block has one list of paths",
        "write the paths as operations, and exceptions with `unless path in ...`",
    )


def _includes(larger: ir.Matcher, smaller: ir.Matcher) -> bool:
    try:
        return includes(patterns.to_automaton(pattern_of(larger)), patterns.to_automaton(pattern_of(smaller)))
    except (PatternRefused, PatternTooLarge):
        return False


def _is_disjoint(one: ir.Matcher, other: ir.Matcher) -> bool:
    try:
        both = intersection(patterns.to_automaton(pattern_of(one)), patterns.to_automaton(pattern_of(other)))
    except (PatternRefused, PatternTooLarge):
        return False
    return is_empty(both)


def pattern_of(matcher: ir.Matcher) -> patterns.Pattern:
    """The matcher as a pattern whose language can be computed."""
    match matcher:
        case ir.Exact(value, ignore_case):
            return patterns.Exact(value, ignore_case)
        case ir.Prefix(value, ignore_case):
            return patterns.Prefix(value, ignore_case)
        case ir.Suffix(value, ignore_case):
            return patterns.Suffix(value, ignore_case)
        case ir.Regex(text):
            return patterns.Regex(text)
        case ir.Present():
            return patterns.AnyText()
        case ir.Segments(text):
            return parse_segments(text)
        case ir.Template(text):
            return parse_template(text)
        case ir.Cidr(network):
            raise PatternRefused(f"`{network}` is no pattern of strings")


def are_apart(some: Matchers, others: Matchers) -> bool:
    """Whether it is known that no text is taken by some of these and some of those."""
    return all(_is_disjoint(one, other) for one in some for other in others)


def takes(matchers: Iterable[ir.Matcher], value: str) -> bool:
    """Whether one of the matchers takes the value."""
    return any(patterns.matches(pattern_of(matcher), value) for matcher in matchers)
