"""Statements that are none, stop early, or have their clauses outside."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.parser.syntax_errors.place import CLAUSES, Place
from meshproof.dsl.parser.syntax_errors.words import keywords, wanted
from meshproof.dsl.problems import found
from meshproof.dsl.suggest import closest

_OTHER_WORDS = {
    "permit": "allow",
    "grant": "allow",
    "block": "deny",
    "forbid": "deny",
    "reject": "deny",
    "policy": "allow",
    "rule": "allow",
    "import": "use",
    "include": "use",
    "assert": "prove",
    "verify": "prove",
    "claim": "prove",
    "group": "zone",
    "let": "value",
    "var": "value",
    "const": "value",
    "ignore": "waive",
    "ingress": "gateway",
    "workload": "service",
    "destination": "external",
}


def unknown(place: Place) -> Diagnostic | None:
    """`servce a { … }`, `permit a -> b`."""
    if "_MESH" not in place.expected or not (place.is_first_on_line or not place.before):
        return None
    words = keywords(place.expected)
    guess = _OTHER_WORDS.get(place.text) or closest(place.text, words)
    if guess:
        advice = f"did you mean `{guess}`?"
    else:
        advice = "a statement begins with a word like `service`, `zone`, `allow`, `deny`, `route`, `prove` or `test`"
    if not place.is_word:
        return found("MP101", f"`{place.text}` does not fit here", place.span, "no statement begins so", help=advice)
    return found("MP102", f"no statement begins with `{place.text}`", place.span, "not a statement", help=advice)


def clause_outside(place: Place) -> Diagnostic | None:
    """`allow a -> b when …`."""
    if place.text not in CLAUSES or not {"_MESH", "LBRACE"} <= place.expected:
        return None
    message = f"`{place.text}` stands outside of the rule's braces"
    return found(
        "MP123",
        message,
        place.span,
        "belongs into braces",
        help=f"write `{{ {place.text} … }}` after the destinations",
    )


def ends_early(place: Place) -> Diagnostic | None:
    """The text ends within a statement."""
    if not place.is_end or not place.before:
        return None
    first = place.before[0]
    return found(
        "MP101",
        f"the text ends within this `{first.text}`",
        place.span,
        f"{wanted(place.expected)} is missing after this",
        help=f"write {wanted(place.expected)}, or delete the statement",
        others=(Label(place.of(first), "begins here"),),
    )
