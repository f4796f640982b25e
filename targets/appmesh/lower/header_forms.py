"""Tests of headers and query parameters as matches of routes.

How proxies of App Mesh compare a header that is sent several times depends on their version: line by line, or all lines
as one value with commas between them. Whatever allows has to be right both ways, and so has whatever refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.predicate import Always, Header, Predicate, Test, conjunction, negation
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.other_text import other_than

MOST_NAME = 50
MOST_VALUE = 255
_EMPTY = "(?:)"
_CLEAR = r"[\t -+\--~]*"


class Kind(StrEnum):
    """How the value of a header is compared."""

    PRESENT = "present"
    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class HeaderForm:
    """What a route asks of a header. Inverted it is met by values alone that are there and do not compare."""

    name: str
    kind: Kind
    value: str = ""
    is_inverted: bool = False


@dataclass(frozen=True, slots=True)
class QueryForm:
    """What a route asks of a query parameter: its first value, undecoded; None for any."""

    name: str
    value: str | None = None


def with_comma(name: str) -> Test:
    """A line of the header holds a comma, or may be read so."""
    return Test(Header(name), Regex(".*,.*"))


def unclear(name: str) -> HeaderForm:
    """The header is there, and what is compared of it is no line of visible ASCII without a comma.

    So it takes every header of several lines that are compared as one, and what no expression of RE2 is sure to take.
    """
    return _named(HeaderForm(name, Kind.REGEX, _CLEAR, is_inverted=True))


def is_unclear(name: str) -> Predicate:
    """The same of a header that is sent once."""
    return conjunction((Test(Header(name), Present()), negation(Test(Header(name), Regex(_CLEAR)))))


def may_hold_comma(matcher: Matcher) -> bool:
    """Whether the lines of a header together may be taken, and none of them."""
    return isinstance(matcher, Regex)


def allowing(name: str, matcher: Matcher) -> HeaderForm:
    """The form that is met only by what the test takes, if no line holds a comma where an expression compares."""
    form = refusing(name, matcher)
    if form.kind is not Kind.REGEX and "," in form.value:
        reason = f"lines of `{name}` may be compared as one, with commas between them, so `{form.value}` may be two"
        raise NotExpressibleError(Feature.HEADER, reason)
    return form


def refusing(name: str, matcher: Matcher) -> HeaderForm:
    """The form that is met by whatever the test takes, if the header is not `unclear`."""
    match matcher:
        case Present() | Prefix("") | Suffix(""):
            return _named(HeaderForm(name, Kind.PRESENT))
        case Exact("", False):
            return _named(HeaderForm(name, Kind.REGEX, _EMPTY))
        case Exact(value, False):
            return _named(HeaderForm(name, Kind.EXACT, value))
        case Prefix(value, False):
            return _named(HeaderForm(name, Kind.PREFIX, value))
        case Suffix(value, False):
            return _named(HeaderForm(name, Kind.SUFFIX, value))
        case Regex(text):
            return _named(HeaderForm(name, Kind.REGEX, text))
        case _:
            reason = f"the header `{name}` is compared with a pattern of another kind"
            raise NotExpressibleError(Feature.HEADER_REGEX, reason)


def query(name: str, matcher: Matcher) -> QueryForm:
    """The form that is met only by what the test takes. Raises `NotExpressibleError`."""
    match matcher:
        case Present() | Prefix("") | Suffix(""):
            return QueryForm(name)
        case Exact(value, False) if value:
            return QueryForm(name, value)
        case Exact("", False):
            raise NotExpressibleError(Feature.EMPTY_VALUE, f"the query parameter `{name}` is compared with nothing")
        case _:
            reason = f"the query parameter `{name}` can be compared with one value, or be there"
            raise NotExpressibleError(Feature.QUERY, reason, "name the values with `in [...]`")


def has_others(test: Test) -> Predicate:
    """The query parameter of a test has other values, too: then it matters which comes first."""
    other = other_than(test.matcher.value) if isinstance(test.matcher, Exact) else None
    return Always() if other is None else Test(test.attribute, Regex(other))


def has_several(test: Test) -> Predicate:
    """The query parameter of a test is there, and not with the test's value alone."""
    return conjunction((Test(test.attribute, Present()), has_others(test)))


def _named(form: HeaderForm) -> HeaderForm:
    if len(form.name) > MOST_NAME:
        raise NotExpressibleError(Feature.HEADER, f"names of headers have {MOST_NAME} characters at most")
    if form.kind is Kind.REGEX and not form.value:
        return HeaderForm(form.name, form.kind, _EMPTY, form.is_inverted)
    if len(form.value) > MOST_VALUE:
        reason = f"as a match the test of `{form.name}` has {len(form.value)} characters, and {MOST_VALUE} is the most"
        raise NotExpressibleError(Feature.HEADER, reason)
    return form
