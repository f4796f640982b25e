"""Braces, brackets and parentheses without partners."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Applicability, Diagnostic, Fix, Label
from meshproof.dsl.parser.engine import CLOSING
from meshproof.dsl.parser.syntax_errors.place import CLAUSES, Place
from meshproof.dsl.problems import found

_PARTNERS = {"{": "}", "(": ")", "[": "]"}


def too_deep(place: Place) -> Diagnostic | None:
    """More brackets than anyone reads."""
    if not place.trouble.is_too_deep:
        return None
    depth = len(place.trouble.opened) - 1
    return found(
        "MP120",
        f"brackets are nested more than {depth} deep",
        place.span,
        "one too many",
        help="give the inner sets names with `zone`",
    )


def never_closed(place: Place) -> Diagnostic | None:
    """The text ends, or a new statement begins, while something is open."""
    opened = place.trouble.opened
    astray = place.trouble.astray
    if not opened or not (place.is_end or astray is not None):
        return None
    at = next((start for start in reversed(opened) if astray is None or start < astray), opened[0])
    bracket = place.bracket(at)
    if astray is None:
        later = Label(place.span, "the text ends here")
    else:
        later = Label(place.at(astray, astray + len(place.word_at(astray))), "a statement begins here")
    return found(
        "MP103",
        f"`{bracket}` is never closed",
        place.at(at, at + 1),
        "opened here",
        help=f"close it with `{_PARTNERS[bracket]}`",
        others=(later,),
    )


def left_open(place: Place) -> Diagnostic | None:
    """The next clause begins while a parenthesis or bracket is open."""
    opened = place.trouble.opened
    if not opened or place.bracket(opened[-1]) == "{" or place.text not in CLAUSES:
        return None
    bracket = place.bracket(opened[-1])
    return found(
        "MP103",
        f"`{bracket}` is never closed",
        place.at(opened[-1], opened[-1] + 1),
        "opened here",
        help=f"close it with `{_PARTNERS[bracket]}`",
        others=(Label(place.span, "a clause begins here"),),
    )


def comma_at_end(place: Place) -> Diagnostic | None:
    """`{ a, b, }`."""
    previous = place.previous
    if place.text not in CLOSING or previous is None or previous.text != ",":
        return None
    fix = Fix(place.of(previous), "", "delete the comma", Applicability.SAFE)
    return found(
        "MP101", "a list ends with a comma", place.of(previous), "nothing after it", help="delete it", fixes=(fix,)
    )


def never_opened(place: Place) -> Diagnostic | None:
    """A closing bracket where nothing is open, or something else is."""
    if place.text not in CLOSING:
        return None
    depth = []
    for piece in place.before:
        if piece.text in _PARTNERS:
            depth.append(piece)
        elif piece.text in CLOSING and depth:
            depth.pop()
    if not depth:
        return found("MP103", f"`{place.text}` closes nothing", place.span, "nothing is open", help="delete it")
    wanted = _PARTNERS[depth[-1].text]
    if wanted == place.text:
        return None
    return found(
        "MP103",
        f"`{place.text}` stands where `{wanted}` would close `{depth[-1].text}`",
        place.span,
        f"`{wanted}` is missing before it",
        help=f"close `{depth[-1].text}` with `{wanted}`",
        others=(Label(place.of(depth[-1]), "opened here"),),
    )
