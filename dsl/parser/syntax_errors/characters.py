"""Characters and strings that cannot be read."""

from __future__ import annotations

import unicodedata

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.parser import lexer
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found

_ADVICE = {
    ";": "a statement needs no `;`: delete it",
    "'": 'strings stand in `"`',
    "“": 'strings stand in `"`',
    "”": 'strings stand in `"`',
    "&": "write `and`",
    "|": "write `or`; methods are joined without blanks: `GET|HEAD`",
    "!": "write `not`",
    "<": "there is no order among values; write `==`, `in`, `startswith` or `matches`",
    ">": "there is no order among values; write `==`, `in`, `startswith` or `matches`",
    "+": "numbers and strings are written out",
    "-": "an arrow is `->`; names hold single `-` between letters and digits",
    "\\": "an escape stands in a string alone",
    "\N{NO-BREAK SPACE}": "write a common blank",
    "%": "a percent is a number and `%` without a blank: `95%`",
    ".": "a name that holds dots stands in quotes",
}


def unterminated_string(place: Place) -> Diagnostic | None:
    """A quote that no other ends on its line."""
    if place.piece.group != lexer.BAD or not place.text.startswith('"'):
        return None
    return found(
        "MP108",
        "a string has no end on its line",
        place.span,
        "begins here",
        help='end it with `"`; a quote in a string is `\\"`, a line end is `\\u{a}`',
    )


def bad_character(place: Place) -> Diagnostic | None:
    """A character that nothing begins with."""
    if place.piece.group == lexer.VALUE and "VALUE" in place.expected:
        message = f"`{place.text}` is no value"
        usage = "a `$` and the name of a `value` without a blank: `$shop-host`"
        return found("MP105", message, place.span, "not a name", help=usage)
    if place.piece.group != lexer.BAD:
        return None
    character = place.text[0]
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    advice = _ADVICE.get(character)
    if advice is None and character.isalpha():
        advice = "a name has the letters a to z, digits and `-`; any other stands in quotes"
    elif advice is None:
        advice = "delete it, or put the text that it belongs to in quotes"
    name = unicodedata.name(character, "a control").lower()
    return found("MP106", f"the character {shown} means nothing here", place.span, name, help=advice)
