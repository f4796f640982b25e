"""What a test compares a string with, as a function. Regular expressions are RE2's, which run in linear time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

from meshproof.compiler.ir.matchers import (
    Cidr,
    Exact,
    Matcher,
    Prefix,
    Present,
    Regex,
    Segments,
    Suffix,
    Template,
)
from meshproof.runtime.engine.addresses import AddressSet, address
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.runtime.engine.segments import takes
from meshproof.runtime.engine.text import lowered

Matches = Callable[[str], bool]


def compiled(matcher: Matcher) -> Matches:
    """The matcher as a function. `UnsupportedPolicyError` where it cannot be kept."""
    match matcher:
        case Exact(value, ignore_case):
            return _without_case(value.__eq__, lowered(value).__eq__, ignore_case)
        case Prefix(value, ignore_case):
            return _without_case(partial(_starts, value), partial(_starts, lowered(value)), ignore_case)
        case Suffix(value, ignore_case):
            return _without_case(partial(_ends, value), partial(_ends, lowered(value)), ignore_case)
        case Segments(pattern):
            return partial(takes, pattern)
        case Regex(pattern):
            return _regex(pattern)
        case Present():
            return _present
        case Cidr(network):
            return partial(_within, AddressSet((network,)))
        case Template():
            raise UnsupportedPolicyError("a path template of Istio is no part of the language")
        case _:
            assert_never(matcher)


def _without_case(plain: Matches, lower: Matches, ignore_case: bool) -> Matches:  # noqa: FBT001  it is of the matcher
    return (lambda text: lower(lowered(text))) if ignore_case else plain


def _starts(value: str, text: str) -> bool:
    return text.startswith(value)


def _ends(value: str, text: str) -> bool:
    return text.endswith(value)


def _present(text: str) -> bool:
    del text
    return True


def _within(networks: AddressSet, text: str) -> bool:
    return address(text) in networks


def _regex(pattern: str) -> Matches:
    try:
        import re2  # noqa: PLC0415  only policies with regular expressions need it
    except ImportError:
        raise UnsupportedPolicyError("the policy holds a regular expression, and google-re2 is not installed") from None
    options = re2.Options()
    options.log_errors = False
    try:
        expression: Any = re2.compile(pattern.encode(), options)
    except re2.error:
        raise UnsupportedPolicyError(f"`{pattern}` is no regular expression of RE2") from None
    return lambda text: expression.fullmatch(text.encode("utf-8", "surrogatepass")) is not None
