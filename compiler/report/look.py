"""How text may look where it goes: its width, its colours and its character set."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a piece of text is; the value is its SGR code (ECMA-48, 8.3.117)."""

    ERROR = "1;31"
    WARNING = "1;33"
    INFO = "1;36"
    GOOD = "32"
    STRONG = "1"
    FRAME = "34"
    SECONDARY = "34"
    NOTE = "36"
    FAINT = "2"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that draw."""

    corner: str = "┌─"
    bar: str = "│"
    gap: str = "·"
    top: str = "╭"
    bottom: str = "╰"
    across: str = "─"
    cut: str = "…"
    good: str = "✓"
    bad: str = "✗"
    unsure: str = "?"
    hop: str = "→"


UNICODE = Glyphs()
ASCII = Glyphs("-->", "|", ":", "/", "\\", "-", "...", "ok", "x", "?", "->")


@dataclass(frozen=True, slots=True)
class Look:
    """`width` is in columns, None where lines must not be broken. `verbosity` is -1 (quiet), 0 or 1."""

    width: int | None = None
    has_colour: bool = False
    glyphs: Glyphs = UNICODE
    verbosity: int = 0

    def paint(self, text: str, style: Style) -> str:
        """The text in the style, or as it is where there is no colour."""
        return f"\x1b[{style.value}m{text}\x1b[0m" if self.has_colour and text else text


def width_of(text: str) -> int:
    """How many columns the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_character, text))


def harmless(text: str) -> str:
    """The text with tabs as blanks and everything that would steer a terminal, or reorder it, made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_harmless_character, text))


def wrapped(text: str, width: int | None, indent: str) -> str:
    """The text broken at blanks so that it fits, its later lines behind `indent`; words are never broken.

    The first line is taken to begin after as many columns as `indent` has.
    """
    if width is None:
        return text
    room = max(width - width_of(indent), 20)
    lines, line, used = [], "", 0
    for word in text.split(" "):
        size = width_of(word)
        if line and used + 1 + size > room:
            lines.append(line)
            line, used = word, size
        else:
            line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    lines.append(line)
    return f"\n{indent}".join(lines)


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _harmless_character(character: str) -> str:
    if character == "\t":
        return "    "
    if character.isprintable() or character == "\u200d":
        return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
    return f"\\u{{{ord(character):x}}}"
