"""Operations that are not quite written."""

from __future__ import annotations

from itertools import takewhile

from meshproof.dsl.diagnostic import Applicability, Diagnostic, Fix, Label
from meshproof.dsl.parser import lexer
from meshproof.dsl.parser.lexer import Piece, classify
from meshproof.dsl.parser.syntax_errors.place import CLAUSES, Place
from meshproof.dsl.problems import found

_COMMON_METHODS = frozenset({"get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"})


def _is_methods(piece: Piece) -> bool:
    return piece.group == lexer.WORD and "METHODS" in classify(piece.text)


def after_clause(place: Place) -> Diagnostic | None:
    """An operation below a `when`."""
    begins = _is_methods(place.piece) or place.text in {"*", "call"}
    if not begins or not {"_WHEN", "RBRACE"} <= place.expected or "METHODS" in place.expected:
        return None
    clause = next((piece for piece in place.level if piece.text in CLAUSES), None)
    others = (Label(place.of(clause), "a clause of the whole rule"),) if clause else ()
    return found(
        "MP116",
        "an operation stands after a clause",
        place.span,
        "operations come first",
        help="put it before the clauses, which hold for all operations, or make it a rule of its own",
        others=others,
    )


def without_path(place: Place) -> Diagnostic | None:
    """`GET }`, `GET HEAD /x`, `GET * /x`."""
    previous = place.previous
    if previous is None or "PATH" not in place.expected or not _is_methods(previous):
        return None
    first = list(takewhile(_is_methods, reversed(place.before)))[-1]
    rest = list(takewhile(_is_methods, [place.piece, *place.following]))
    run = [piece for piece in place.before if piece.start >= first.start] + rest
    methods = "|".join(piece.text for piece in run)
    span = place.at(first.start, run[-1].end)
    if len(run) == 1:
        advice = f"write `{methods} /**` for every path, or `{methods}|HEAD /x` for one"
        if place.text == "*":
            advice = f"write `{methods} /x`, or `* /x` for every method"
        return found("MP114", f"`{methods}` stands without a path", span, "of which path?", help=advice)
    fix = Fix(span, methods, f"join them: `{methods}`", Applicability.UNSAFE)
    advice = f"join methods with `|` before one path: `{methods} /x`; for every path `{methods} /**`"
    return found("MP114", f"`{first.text}` stands without a path", span, "of which path?", help=advice, fixes=(fix,))


def lower_case(place: Place) -> Diagnostic | None:
    """`get /x`."""
    if not place.is_word or not {"METHODS", "PATH"} & place.expected or place.text != place.text.lower():
        return None
    is_path_next = bool(place.following) and place.following[0].group == lexer.PATH
    words = place.text.split("|")
    if not (all(word in _COMMON_METHODS for word in words) and (is_path_next or "METHODS" in place.expected)):
        return None
    upper = place.text.upper()
    fix = Fix(place.span, upper, f"write `{upper}`", Applicability.SAFE)
    message = f"the method `{place.text}` is not in upper case"
    return found("MP115", message, place.span, "methods have upper case", help=f"write `{upper}`", fixes=(fix,))


def quoted_path(place: Place) -> Diagnostic | None:
    """`GET "/x"` in a rule; `call` without a method."""
    if "PATH" in place.expected and place.piece.group == lexer.STRING and place.text.startswith('"/'):
        path = place.text[1:-1]
        return found("MP101", "a path pattern stands in quotes", place.span, "a string", help=f"write `{path}`")
    if "GRPC_METHOD" in place.expected:
        advice = "write `call package.Service/Method`, or `call package.Service/*`"
        return found("MP101", "`call` names no method", place.span, "not `package.Service/Method`", help=advice)
    return None
