"""Regular expressions as trees: what every kind of pattern becomes before it becomes an automaton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.patterns.charset import EVERY, CharSet


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of the set; the empty set matches nothing."""

    charset: CharSet


@dataclass(frozen=True, slots=True)
class Concat:
    """The parts one after the other; no part is the empty string."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternate:
    """Any one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`part` at least `least` times, and at most `most` times unless that is None."""

    part: Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class BeginText:
    """The empty string at the very beginning (RE2: an anchor without the flag `m`)."""


@dataclass(frozen=True, slots=True)
class EndText:
    """The empty string at the very end."""


Node: TypeAlias = Chars | Concat | Alternate | Repeat | BeginText | EndText

EMPTY = Concat(())
ANY_CHAR = Chars(EVERY)
ANY_TEXT = Repeat(ANY_CHAR, 0, None)


def literal(text: str) -> Concat:
    """Exactly this text."""
    return Concat(tuple(Chars(((ord(char), ord(char)),)) for char in text))


def concat(*parts: Node) -> Concat:
    """The parts one after the other."""
    return Concat(parts)


def optional(part: Node) -> Repeat:
    """The part or nothing."""
    return Repeat(part, 0, 1)
