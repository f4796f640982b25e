"""Words that do not fit, and what would."""

from __future__ import annotations

import re

from meshproof.dsl.diagnostic import Applicability, Diagnostic, Fix
from meshproof.dsl.parser import lexer
from meshproof.dsl.parser.lexer import RESERVED, classify
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found
from meshproof.dsl.suggest import closest

_SIGNS = {"ARROW": "->", "GIVES": "=>", "SAME": "==", "DIFFERENT": "!=", "EQUAL": "=", "COLON": ":", "COMMA": ","}
_SIGNS |= {"LBRACE": "{", "RBRACE": "}", "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "STAR": "*"}
_THINGS = {
    "NAME": "a name",
    "STRING": "a string",
    "REGEX": '`re"…"`',
    "NUMBER": "a number",
    "PERCENT": "a percent",
    "DURATION": "a length of time",
    "DATE": "a day",
    "PATH": "a path",
    "METHODS": "a method",
    "GRPC_METHOD": "`package.Service/Method`",
    "CODE": "a code like `MP305`",
    "VALUE": "`$name`",
    "STATUS_CLASS": "`5xx`",
    "$END": "the end of the text",
}
_SET = frozenset({"NAME", "STRING", "_ALL", "_ANYONE", "_AUTHENTICATED", "_IDENTITY", "_INTERNET", "_NAMESPACE"})
_FIELD = frozenset({"_METHOD", "_PATH", "_HOST", "_PORT", "_SNI", "_SOURCE_IP", "_CLIENT_IP", "_HEADER", "_QUERY"})
_FIELD |= {"_CLAIM", "_TOKEN_ISSUER", "_TOKEN_SUBJECT", "_TOKEN_AUDIENCE", "_TOKEN_PRESENTER"}
_STATEMENT = frozenset(
    {"_MESH", "_SERVICE", "_GATEWAY", "_EXTERNAL", "_ISSUER", "_AUTHORIZER", "_ZONE", "_VALUE", "_USE"}
)
_STATEMENT |= {"_ALLOW", "_DENY", "_ASK", "_AUDIT", "_MTLS", "_ROUTE", "_PROVE", "_TEST", "_WAIVE", "_NAMESPACE"}
_GROUPS = (
    (_STATEMENT, "a statement"),
    (_SET | {"_PLAINTEXT", "_TAGGED", "LBRACE"}, "a set like `a`, `namespace n` or `{ a, b }`"),
    (_FIELD | {"_HAS", "_TOKEN", "_SOURCE"}, 'a test like `method == "GET"` or `has token`'),
    (_FIELD, "an attribute like `path`"),
)
_DOTTED = ("SOURCE_IP", "CLIENT_IP", "TOKEN_ISSUER", "TOKEN_SUBJECT", "TOKEN_AUDIENCE", "TOKEN_PRESENTER")
_MANY = 8
_LOOKS_LIKE_NAME = re.compile(r"[\w.*/|-]+%?")


def spelling(terminal: str) -> str:
    """How a keyword or sign is written; empty for what is no fixed text."""
    if terminal in _SIGNS:
        return _SIGNS[terminal]
    if not terminal.startswith("_"):
        return ""
    word = terminal[1:]
    return word.lower().replace("_", "." if word in _DOTTED else "-")


def keywords(expected: frozenset[str]) -> list[str]:
    """The keywords among what may come next, sorted."""
    return sorted(spelling(terminal) for terminal in expected if terminal.startswith("_"))


def wanted(expected: frozenset[str]) -> str:
    """What may come next, for a message: things first, then words, then signs; the first of many."""
    things = []
    for terminals, text in _GROUPS:
        if terminals <= expected:
            things.append(text)
            expected -= terminals
    things += [text for terminal, text in _THINGS.items() if terminal in expected and terminal != "$END"]
    words = [f"`{word}`" for word in keywords(expected)]
    signs = [f"`{_SIGNS[terminal]}`" for terminal in sorted(expected & _SIGNS.keys())]
    shown = [*things, *words, *signs]
    shown = shown or ["the end of the text"]
    if len(shown) > _MANY:
        return ", ".join(shown[:_MANY]) + ", …"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def reserved(place: Place) -> Diagnostic | None:
    """`service all { … }`."""
    piece = place.piece
    if place.text == ":" and place.previous is not None and place.previous.text in RESERVED:
        piece = place.previous
    elif place.text not in RESERVED or "NAME" not in place.expected:
        return None
    quoted = f'"{piece.text}"'
    fix = Fix(place.of(piece), quoted, f"write `{quoted}`", Applicability.UNSAFE)
    message = f"`{piece.text}` is a reserved word, not a name"
    advice = f"a thing that is called so stands in quotes: `{quoted}`"
    return found("MP104", message, place.of(piece), "reserved", help=advice, fixes=(fix,))


def misspelt(place: Place) -> Diagnostic | None:
    """`becuase`, or a word that belongs elsewhere."""
    if not place.is_word or "NAME" in place.expected:
        return None
    words = keywords(place.expected)
    if not words:
        return None
    guess = closest(place.text, words)
    glued = next((word for word in words if place.text.startswith(word)), None) if guess is None else None
    if guess is None and glued is None and "STRING" in place.expected and not classify(place.text):
        return None
    if guess is None and glued is None and len(words) < len(place.expected) - 2:
        return None
    advice = f"did you mean `{guess}`?" if guess else f"write {wanted(place.expected)}"
    if glued:
        advice = f"did you mean `{glued} {place.text.removeprefix(glued)}`?"
    within = f" in this `{place.keyword}`" if place.before else ""
    return found("MP121", f"`{place.text}` means nothing here{within}", place.span, "not expected", help=advice)


def bad_name(place: Place) -> Diagnostic | None:
    """`my_sa`, `3scale`, `app.kubernetes.io/name` where a name stands."""
    if not place.is_word or "NAME" not in place.expected or "NAME" in classify(place.text):
        return None
    if not _LOOKS_LIKE_NAME.fullmatch(place.text):
        return None
    advice = "letters a to z, digits and `-` make a name; any other stands in quotes"
    if "STRING" not in place.expected:
        guess = closest(place.text.lower(), keywords(place.expected))
        advice = f"did you mean `{guess}`?" if guess else f"write {wanted(place.expected)}"
        return found("MP121", f"`{place.text}` means nothing here", place.span, "not expected", help=advice)
    quoted = f'"{place.text}"'
    fix = Fix(place.span, quoted, f"write `{quoted}`", Applicability.UNSAFE)
    message = f"`{place.text}` is not a name as it stands"
    return found("MP105", message, place.span, "not a name", help=f"{advice}: `{quoted}`", fixes=(fix,))


def unquoted(place: Place) -> Diagnostic | None:
    """`source.ip in 10.0.0.0/8`, `url https://idp.example.com`."""
    if "STRING" not in place.expected or place.piece.group not in {lexer.WORD, lexer.PATH}:
        return None
    run = place.run.rstrip(",)]")
    quoted = f'"{run}"'
    span = place.at(place.piece.start, place.piece.start + len(run))
    fix = Fix(span, quoted, f"write `{quoted}`", Applicability.UNSAFE)
    return found(
        "MP119", f"`{run}` stands without quotes", span, "not a string", help=f"write `{quoted}`", fixes=(fix,)
    )


def no_regex(place: Place) -> Diagnostic | None:
    """`path matches "x.*"`."""
    if place.expected != {"REGEX"} or place.piece.group != lexer.STRING:
        return None
    fix = Fix(place.span, f"re{place.text}", f"write `re{place.text}`", Applicability.UNSAFE)
    message = "a regular expression is not marked as one"
    return found("MP101", message, place.span, "a string", help=f"write `re{place.text}`", fixes=(fix,))


def unexpected(place: Place) -> Diagnostic:
    """What remains."""
    what = "the text ends too early" if place.is_end else f"`{place.text}` does not fit here"
    advice = f"write {wanted(place.expected)}"
    return found("MP101", what, place.span, f"expected {wanted(place.expected)}", help=advice)
