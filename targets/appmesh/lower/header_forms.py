"""Tests of headers and query parameters as matches of routes.

How proxies of App Mesh compare a header that is sent several times depends on their version: line by line, or all lines
as one value with commas between them. Whatever allows has to be right both ways, and so has whatever refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.predicate import Header, Predicate, Test, conjunction, negation
from meshproof.compiler.patterns.istio_forms import quote
from meshproof.targets.appmesh.lower.findings import NotExpressibleError

MOST_NAME = 50
MOST_VALUE = 255
_CLEAN = r"[\t -~]*"


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


def unclean(name: str) -> HeaderForm:
    """The header holds what no expression of RE2 is sure to take."""
    return _named(HeaderForm(name, Kind.REGEX, _CLEAN, is_inverted=True))


def is_unclean(name: str) -> Predicate:
    """The header is there, and no line of it is of visible ASCII, blanks and tabs alone."""
    return conjunction((Test(Header(name), Present()), negation(Test(Header(name), Regex(_CLEAN)))))


def may_hold_comma(matcher: Matcher) -> bool:
    """Whether the lines of a header together may be taken, and none of them."""
    return isinstance(matcher, Regex)


def allowing(name: str, matcher: Matcher) -> HeaderForm:
    """The form that is met only by what the test takes, if no line holds a comma where an expression compares."""
    match matcher:
        case Present() | Prefix("") | Suffix(""):
            form = HeaderForm(name, Kind.PRESENT)
        case Exact(value, False):
            form = HeaderForm(name, Kind.EXACT, value)
        case Prefix(value, False):
            form = HeaderForm(name, Kind.PREFIX, value)
        case Suffix(value, False):
            form = HeaderForm(name, Kind.SUFFIX, value)
        case Regex(text):
            form = HeaderForm(name, Kind.REGEX, text)
        case _:
            raise _unknown(name)
    if form.kind is not Kind.REGEX and "," in form.value:
        reason = f"lines of `{name}` may be compared as one, with commas between them, so `{form.value}` may be two"
        raise NotExpressibleError(Feature.HEADER, reason)
    return _named(form)


def refusing(name: str, matcher: Matcher) -> tuple[HeaderForm, ...]:
    """Forms of which one at least is met by whatever the test takes, if the header is not `unclean`.

    Beginnings and ends are compared as bytes too: an expression takes no line that is not UTF-8, and among several
    lines one that is keeps the others from being unclean. Raises `NotExpressibleError`.
    """
    more: tuple[HeaderForm, ...] = ()
    match matcher:
        case Present() | Prefix("") | Suffix(""):
            return (_named(HeaderForm(name, Kind.PRESENT)),)
        case Exact(value, False):
            text = f"(?:.*,)?{quote(value)}(?:,.*)?"
        case Prefix(value, False):
            text = f"(?:.*,)?{quote(value)}.*"
            more = (HeaderForm(name, Kind.PREFIX, value),)
        case Suffix(value, False):
            text = f".*{quote(value)}(?:,.*)?"
            more = (HeaderForm(name, Kind.SUFFIX, value),)
        case Regex(expression):
            text = f"(?:.*,)?(?:{expression})(?:,.*)?"
        case _:
            raise _unknown(name)
    return tuple(map(_named, (HeaderForm(name, Kind.REGEX, text), *more)))


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


def _named(form: HeaderForm) -> HeaderForm:
    if len(form.name) > MOST_NAME:
        raise NotExpressibleError(Feature.HEADER, f"names of headers have {MOST_NAME} characters at most")
    if form.kind is not Kind.PRESENT and not form.value:
        raise NotExpressibleError(Feature.EMPTY_VALUE, f"the header `{form.name}` is compared with nothing")
    if len(form.value) > MOST_VALUE:
        reason = f"as a match the test of `{form.name}` has {len(form.value)} characters, and {MOST_VALUE} is the most"
        raise NotExpressibleError(Feature.HEADER, reason)
    return form


def _unknown(name: str) -> NotExpressibleError:
    return NotExpressibleError(Feature.HEADER_REGEX, f"the header `{name}` is compared with a pattern of another kind")
