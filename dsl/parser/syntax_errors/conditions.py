"""Conditions that are not quite written."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.parser.lexer import classify
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found

_FIELDS = ("method", "path", "host", "port", "sni", "source.ip", "client.ip", "header", "query", "claim", "token")
_ATTRIBUTES = frozenset((*_FIELDS, "token.issuer", "token.subject", "token.audience", "token.presenter"))
_OPEN_SETS = frozenset({"all", "anyone", "authenticated", "plaintext", "internet"})
_SETS_OF_ONE_WORD = frozenset({"tagged", "identity"})


def single_equals(place: Place) -> Diagnostic | None:
    """`path = "/x"`."""
    if place.text not in {"=", "=>", ":"} or "SAME" not in place.expected:
        return None
    message = f"`{place.text}` is no test"
    return found("MP101", message, place.span, "compares nothing", help="write `==`, or `!=` for its opposite")


def two_attributes(place: Place) -> Diagnostic | None:
    """`header["a"] == header["b"]`."""
    previous = place.previous
    is_value = (
        previous is not None and previous.text in {"==", "!=", "[", ","} and {"NUMBER", "STRING"} <= place.expected
    )
    if not is_value or place.text not in _ATTRIBUTES:
        return None
    message = "an attribute is never compared with another"
    advice = "write a string; an authorizer can compare the two, for an `ask` rule"
    return found("MP101", message, place.span, "not a value", help=advice)


def set_without_braces(place: Place) -> Diagnostic | None:
    """`source in all`, `source in tagged t`."""
    previous = place.previous
    is_scope = previous is not None and previous.text == "in" and {"_NAMESPACE", "LBRACE"} <= place.expected
    if not is_scope or place.text not in _OPEN_SETS | _SETS_OF_ONE_WORD:
        return None
    after = f" {place.following[0].text}" if place.text in _SETS_OF_ONE_WORD and place.following else ""
    advice = f"write `source in {{ {place.text}{after} }}`"
    return found("MP101", f"`{place.text}` stands in a condition without braces", place.span, "a set", help=advice)


def more_callers(place: Place) -> Diagnostic | None:
    """`source in a or b`."""
    before = [piece.text for piece in place.before[-4:]]
    is_list = len(before) == 4 and before[:2] == ["source", "in"] and before[3] in {"or", "and"}  # noqa: PLR2004
    if not is_list or not place.is_word or "NAME" not in classify(place.text):
        return None
    first, operator = before[2:]
    separator = "," if operator == "or" else " and"
    advice = f"write `source in {{ {first}{separator} {place.text} }}`"
    return found("MP121", f"`{place.text}` is no test", place.span, "not a test", help=advice)


def many_callers(place: Place) -> Diagnostic | None:
    """`test t { all -> a GET / => deny }`."""
    sets = _OPEN_SETS | _SETS_OF_ONE_WORD | {"namespace"}
    if place.text not in sets or not {"_IDENTITY", "_PLAINTEXT", "_INTERNET", "RBRACE"} <= place.expected:
        return None
    message = f"a request is not sent by `{place.text}`"
    advice = 'name a service, a gateway or a zone, or write `identity "…"`, `plaintext` or `internet`'
    return found("MP122", message, place.span, "not a caller", help=advice)


def not_before_in(place: Place) -> Diagnostic | None:
    """`source not in a`."""
    if place.text != "not" or "_IN" not in place.expected:
        return None
    advice = "`not` stands before the test that it turns round: `not source in a`"
    return found("MP101", "`not` stands within a test", place.span, "in the middle", help=advice)


def token_alone(place: Place) -> Diagnostic | None:
    """`when token`, `when path`."""
    previous = place.previous
    if previous is None:
        return None
    if previous.text == "token" and "_FROM" in place.expected and "_WHEN" not in place.expected:
        advice = "write `has token` for any valid token, or `token from ISSUER`"
        return found("MP101", "`token` alone is no test", place.of(previous), "not a test", help=advice)
    if previous.text == "source" and place.expected == {"_IN"}:
        advice = "write `source in a`, `source in { a, b }` or `source in namespace n`"
        return found("MP101", "`source` is tested with `in` alone", place.span, "not a test", help=advice)
    if "SAME" in place.expected and "_MATCHES" in place.expected and not place.is_word:
        advice = f"compare it, as in `{previous.text} == …`, or write `has {previous.text}`"
        return found("MP101", f"`{previous.text}` alone is no test", place.of(previous), "not a test", help=advice)
    return None
