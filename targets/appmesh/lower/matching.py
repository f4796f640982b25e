"""Whether one string passes a test of a rule, and the strings that do as an automaton."""

from __future__ import annotations

from functools import cache

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix
from meshproof.compiler.patterns import pattern
from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.segments import parse_segments


class NotAStringPattern(ValueError):  # noqa: N818  said of a matcher, to the caller alone
    """Address blocks and templates of lifted files are no patterns of strings."""


def matches(matcher: Matcher, value: str) -> bool:
    """Whether the value passes. Raises `NotAStringPattern`."""
    return pattern.matches(_pattern(matcher), value)


@cache
def automaton(matcher: Matcher) -> Automaton:
    """The strings that pass. Raises `NotAStringPattern`, and `PatternTooLarge` where they are too many to tell."""
    return pattern.to_automaton(_pattern(matcher))


def _pattern(matcher: Matcher) -> pattern.Pattern:
    match matcher:
        case Exact(value, ignore_case):
            return pattern.Exact(value, ignore_case)
        case Prefix(value, ignore_case):
            return pattern.Prefix(value, ignore_case)
        case Suffix(value, ignore_case):
            return pattern.Suffix(value, ignore_case)
        case Regex(text):
            return pattern.Regex(text)
        case Segments(text):
            return parse_segments(text)
        case Present():
            return pattern.AnyText()
        case _:
            raise NotAStringPattern(repr(matcher))
