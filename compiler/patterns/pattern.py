"""The patterns whose classes can be computed, what each matches, and its automaton.

`ignore_case` ignores the case of ASCII letters, as Envoy does for strings; for a regular expression it is the flag `i`
of RE2. Callers translate matchers of the IR into these values; a CIDR is in `cidr.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, assert_never

from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.charset import CharSet, fold_ascii
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.minimize import of_prefix
from meshproof.compiler.patterns.nfa import Nfa, build
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.regular import ANY_TEXT, Chars, Concat, Node, concat
from meshproof.compiler.patterns.segments import SegmentPattern
from meshproof.compiler.patterns.template import Template

_LONG = 1_000
"""Prefixes up to this length have their automaton at once; longer ones meet the limits of expressions."""
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Exact:
    """The string itself."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every string that begins with `value`."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Suffix:
    """Every string that ends with `value`."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """Every string that the RE2 expression matches as a whole."""

    text: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class AnyText:
    """Every string, the empty one too: what `has` asks of a value."""


@dataclass(frozen=True, slots=True)
class Language:
    """Every string of a language that is known by its automaton; there is no expression for it."""

    automaton: Automaton


Pattern: TypeAlias = Exact | Prefix | Suffix | Regex | AnyText | SegmentPattern | Template | Language


def lower_ascii(text: str) -> str:
    """The text with ASCII letters in lower case and all else as it is."""
    return text.translate(_LOWER)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole text matches.

    Raises PatternRefused or PatternTooLarge for an expression that `check_regex` refuses.
    """
    match pattern:
        case Exact(value, ignore_case):
            return lower_ascii(text) == lower_ascii(value) if ignore_case else text == value
        case Prefix(value, ignore_case):
            return lower_ascii(text).startswith(lower_ascii(value)) if ignore_case else text.startswith(value)
        case Suffix(value, ignore_case):
            return lower_ascii(text).endswith(lower_ascii(value)) if ignore_case else text.endswith(value)
        case Regex():
            return _simulation(pattern).accepts(text)
        case AnyText():
            return True
        case SegmentPattern() | Template():
            return pattern.matches(text)
        case Language(automaton):
            return automaton.accepts(text)
        case _:
            assert_never(pattern)


def expression_of(pattern: Pattern) -> Node:
    """The pattern as a regular expression over all strings. Raises PatternRefused for what has none."""
    match pattern:
        case Exact(value, ignore_case):
            return _literal(value, ignore_case=ignore_case)
        case Prefix(value, ignore_case):
            return concat(_literal(value, ignore_case=ignore_case), ANY_TEXT)
        case Suffix(value, ignore_case):
            return concat(ANY_TEXT, _literal(value, ignore_case=ignore_case))
        case Regex(text, ignore_case):
            return parse_regex(text, ignore_case=ignore_case)
        case AnyText():
            return ANY_TEXT
        case SegmentPattern() | Template():
            return pattern.expression()
        case Language():
            raise PatternRefused("a language that is known by its automaton has no expression")
        case _:
            assert_never(pattern)


@lru_cache(maxsize=4096)
def to_automaton(pattern: Pattern) -> Automaton:
    """The minimal automaton of the pattern. Raises PatternRefused or PatternTooLarge."""
    match pattern:
        case Language(automaton):
            return automaton
        case Prefix(value, False) if len(value) <= _LONG:
            return of_prefix(value)
        case _:
            return automaton_of(expression_of(pattern))


def check_regex(text: str, *, ignore_case: bool = False) -> None:
    """Raise PatternRefused (with the character) or PatternTooLarge unless the expression can be decided exactly."""
    to_automaton(Regex(text, ignore_case))


@lru_cache(maxsize=1024)
def _simulation(pattern: Regex) -> Nfa:
    return build(expression_of(pattern))


def _literal(value: str, *, ignore_case: bool) -> Concat:
    chars: list[CharSet] = [((ord(char), ord(char)),) for char in value]
    return Concat(tuple(Chars(fold_ascii(one) if ignore_case else one) for one in chars))
