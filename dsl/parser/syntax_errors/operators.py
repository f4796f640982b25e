"""Two kinds of operator that meet."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found

_ARROWS = frozenset({"->", "=>", "=", ">", "-", "<-", "to"})
_OPERATORS = frozenset({"and", "or", "except"})
_CONDITIONS = frozenset({"when", "unless", "satisfies"})
_BOUNDARIES = _CONDITIONS | frozenset({"->", "=", ",", "reaches", "from", "to", "reach", "call", "only", "on", "for"})


def mixed(place: Place) -> Diagnostic | None:
    """`a or b and c`, `a except b or c`."""
    if place.text not in _OPERATORS:
        return None
    for piece in place.level:
        if piece.text in _BOUNDARIES:
            return None
        if piece.text in _OPERATORS:
            break
    else:
        return None
    in_condition = _is_condition(place)
    if in_condition and piece.text == place.text:
        return None
    fence = "parentheses" if in_condition else "braces"
    example = "`(a or b) and c`" if in_condition else "`{ a or b } except c`"
    if piece.text == place.text:
        message = f"`{place.text}` stands twice in a row"
    else:
        message = f"`{piece.text}` and `{place.text}` meet without {fence}"
    return found(
        "MP117",
        message,
        place.span,
        "which of them comes first?",
        help=f"say what belongs together with {fence}: {example}",
        others=(Label(place.of(piece), "and this"),),
    )


def wrong_arrow(place: Place) -> Diagnostic | None:
    """`a => b` in a rule, `/x -> v1` in a route."""
    right = "->" if "ARROW" in place.expected else "=>" if "GIVES" in place.expected else None
    if right is None or place.text not in _ARROWS:
        return None
    message = f"`{place.text}` stands where `{right}` is meant"
    return found("MP101", message, place.span, "another sign", help=f"write `{right}`")


def _is_condition(place: Place) -> bool:
    depth_free = (piece.text for piece in reversed(place.before))
    return next(
        (text in _CONDITIONS for text in depth_free if text in _CONDITIONS | _BOUNDARIES - {"from", ","}), False
    )
