"""Conditions that are not quite written."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found


def single_equals(place: Place) -> Diagnostic | None:
    """`path = "/x"`."""
    if place.text not in {"=", "=>", ":"} or "SAME" not in place.expected:
        return None
    message = f"`{place.text}` is no test"
    return found("MP101", message, place.span, "compares nothing", help="write `==`, or `!=` for its opposite")


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
