"""What every part of the builder stands on: places, findings, and the settings of a block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.reasons import NO_REASONS, Reasons
from meshproof.dsl.ast.values import Date, Name, Number, NumberValue, StringValue, Text, ValueRef
from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import found
from meshproof.dsl.source import Span
from meshproof.dsl.suggest import closest, one_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of a block: `key` is the word it begins with, `value` what it says."""

    key: str
    value: object
    span: Span


class Builder:
    """Turns complete productions into nodes; what is wrong with them goes to `findings`.

    The parser calls the method that is named like the production with the place of its first and after its last
    character, and then with its parts.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.findings: list[Diagnostic] = []

    def span(self, start: int, end: int) -> Span:
        """The place from one character to another."""
        return Span(self.file, start, end)

    def find(self, code: str, message: str, at: Span, text: str = "", *, advice: str | None = None) -> None:
        """Note what is wrong at a place."""
        self.findings.append(found(code, message, at, text, help=advice))

    def expect_word(self, word: Name, allowed: Iterable[str], what: str) -> bool:
        """Whether a word is one of those that may stand there; if not, that is noted."""
        allowed = list(allowed)
        if word.text in allowed:
            return True
        guess = closest(word.text, allowed)
        advice = f"did you mean `{guess}`?" if guess else f"write {one_of(allowed)}"
        self.find("MP121", f"`{word.text}` is no {what}", word.span, f"not a {what}", advice=advice)
        return False


class Settings:
    """The entries of a block, handed out by their words; a word that stands twice is noted."""

    def __init__(self, builder: Builder, entries: Iterable[Setting]) -> None:
        self._builder = builder
        self._entries: dict[str, list[Setting]] = {}
        for entry in entries:
            self._entries.setdefault(entry.key, []).append(entry)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def judge(self) -> None:
        """Note each word that stands twice."""
        for key in self._entries:
            self.entry(key)

    def every(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """The values of a word that may stand any number of times."""
        return tuple(_checked(entry.value, kind) for entry in self._entries.get(key, ()))

    def one(self, key: str, kind: type[T]) -> T | None:
        """The value of a word that may stand once: the first, if it stands again."""
        entry = self.entry(key)
        return None if entry is None else _checked(entry.value, kind)

    def entry(self, key: str) -> Setting | None:
        """The entry of a word that may stand once: the first, if it stands again."""
        entries = self._entries.get(key)
        if entries is None:
            return None
        for again in entries[1:]:
            self._repeated(key, entries[0], again)
        return entries[0]

    def many(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """The list after a word that may stand once; empty if it does not stand."""
        values = self.one(key, tuple)
        return tuple(_checked(value, kind) for value in values or ())

    def string(self, key: str) -> StringValue | None:
        """The string after a word that may stand once."""
        value = self.one(key, Node)
        return value if isinstance(value, Text | ValueRef) else None

    def strings(self, key: str) -> tuple[StringValue, ...]:
        """The strings after a word that may stand once."""
        return tuple(value for value in self.many(key, Node) if isinstance(value, Text | ValueRef))

    def number(self, key: str) -> NumberValue | None:
        """The number after a word that may stand once."""
        value = self.one(key, Node)
        return value if isinstance(value, Number | ValueRef) else None

    def conditions(self, key: str) -> tuple[Expression, ...]:
        """The conditions after a word that may stand any number of times."""
        return tuple(_condition(entry.value) for entry in self._entries.get(key, ()))

    def env(self) -> tuple[Name, ...]:
        """The environments that it is kept to."""
        return self.many("env", Name)

    def reasons(self) -> Reasons:
        """`because`, `owner` and `until`."""
        if not self._entries.keys() & {"because", "owner", "until"}:
            return NO_REASONS
        because, owner, until = self.one("because", Text), self.one("owner", Text), self.one("until", Date)
        entries = [entry.span for key in ("because", "owner", "until") for entry in self._entries.get(key, ())]
        span = Span(entries[0].file, min(entry.start for entry in entries), max(entry.end for entry in entries))
        return Reasons(because, owner, until, span=span)

    def _repeated(self, key: str, first: Setting, again: Setting) -> None:
        self._builder.findings.append(
            found(
                "MP118",
                f"`{key}` stands twice",
                again.span,
                "again",
                help="put both into one, or delete one of them",
                others=(Label(first.span, "first here"),),
            )
        )


def _checked(value: object, kind: type[T]) -> T:
    assert isinstance(value, kind)
    return value


def _condition(value: object) -> Expression:
    assert isinstance(value, Expression)
    return value
