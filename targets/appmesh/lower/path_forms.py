"""Path patterns as App Mesh compares paths: with what Envoy has made of the path, by text or by RE2.

Envoy removes dot segments, merges slashes, decodes what is unreserved and leaves `%2F` and `%5C` (App Mesh's proxies:
`normalize_path`, `merge_slashes`, KEEP_UNCHANGED). So a pattern that allows takes no escaped slash, lest `..%2f` lead
an application elsewhere; no normal path has any. A raw `//` stays, which to the language is `/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix
from meshproof.compiler.ir.predicate import Test
from meshproof.compiler.patterns.automaton import Automaton, includes, intersection, is_empty
from meshproof.compiler.patterns.istio_forms import quote
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.segments import SegmentPattern, parse_segments
from meshproof.compiler.patterns.universe import normal_paths
from meshproof.targets.appmesh.lower.matching import NotAStringPattern, automaton
from meshproof.targets.common.encoded import is_blind_to_escapes, takes_raw_root_alone, takes_root_alone
from meshproof.targets.common.findings import NotExpressibleError

MOST = 255
"""The longest path of a match, exact or expression (App Mesh API, HttpPathMatch)."""

_ESCAPE = "%(?:[^%25/][^%/]|2[^%Ff/]|5[^%Cc/])"
_PIECE = rf"(?:[!$&-.0-\[\]-~]|{_ESCAPE})+"
_REST = rf"(?:[!$&-\[\]-~]|{_ESCAPE})*"


@dataclass(frozen=True, slots=True)
class PathForm:
    """What a route asks of the path: the text itself (`is_exact`), or an expression that takes the whole of it.

    `is_alternation`: an expression of several that stand by themselves between bars.
    """

    text: str
    is_exact: bool = False
    is_alternation: bool = False

    @property
    def expression(self) -> str:
        """It as an expression."""
        return quote(self.text) if self.is_exact else self.text

    @property
    def alternation(self) -> str:
        """It as one or several of the expressions between bars."""
        return self.expression if self.is_exact or self.is_alternation else f"(?:{self.text})"


CLEAN = PathForm(f"/{_REST}")
"""Any path without an escaped slash."""


def meet(tests: tuple[Test, ...]) -> Matcher | None:
    """The one pattern that takes the normal paths that all take: None without tests.

    Raises `NotExpressibleError` where no one of them is the least, and `LookupError` where no path is left.
    """
    matchers = [one.matcher for one in tests if not isinstance(one.matcher, Present)]
    if not matchers:
        return None
    left = normal_paths().language
    for matcher in matchers:
        left = intersection(left, language(matcher))
    if is_empty(left):
        raise LookupError
    for matcher in matchers:
        if includes(left, intersection(normal_paths().language, language(matcher))):
            return matcher
    raise NotExpressibleError(Feature.PATH_INTERSECTION, "a match has one condition on the path, and these are several")


@cache
def allowing(matcher: Matcher) -> PathForm:
    """The form that takes the same normal paths as the pattern, and of other paths none that hold an escaped slash.

    In front of an expression or an ending, `escaped_slash` is refused. Raises `NotExpressibleError`.
    """
    _check(matcher)
    match matcher:
        case Exact(value):
            return _bounded(PathForm(value, is_exact=True))
        case Segments(pattern):
            return _bounded(_of_segments(parse_segments(pattern), _PIECE, _REST))
        case Prefix(value):
            return _bounded(PathForm(f"{quote(value)}{_REST}"))
        case Suffix(value):
            return _bounded(PathForm(f".*{quote(value)}"))
        case Regex(text):
            return _bounded(PathForm(text))
        case _:
            raise NotExpressibleError(Feature.PATH_REGEX, "the path is compared with a pattern of another kind")


@cache
def refusing(matcher: Matcher) -> PathForm:
    """The form that takes whatever raw path has a normal form that the pattern takes. Raises `NotExpressibleError`."""
    _check(matcher)
    form = _refusing(matcher)
    if takes_root_alone(language(matcher)):
        return _bounded(PathForm(f"(?:{form.expression})|//"))
    return _bounded(form)


def is_expression(matcher: Matcher) -> bool:
    """Whether it is taken with escaped slashes in it; what an ending cuts off may be a part of an escape."""
    return isinstance(matcher, Regex | Suffix)


def escaped_slash() -> PathForm:
    """Every path with an escaped slash."""
    return PathForm(".*%(?:2[Ff]|5[Cc]).*")


def _refusing(matcher: Matcher) -> PathForm:
    match matcher:
        case Exact(value):
            return PathForm(value, is_exact=True)
        case Segments(pattern):
            return _of_segments(parse_segments(pattern), "[^/]+", ".*")
        case Prefix(value):
            return PathForm(f"{quote(value)}.*")
        case Suffix(value):
            return PathForm(f".*{quote(value)}")
        case Regex(text):
            return PathForm(text)
        case _:
            raise NotExpressibleError(Feature.PATH_REGEX, "the path is compared with a pattern of another kind")


def _of_segments(pattern: SegmentPattern, one: str, rest: str) -> PathForm:
    """Segments as an expression; literals alone are the path itself."""
    if not pattern.has_rest and None not in pattern.segments:
        return PathForm("/" + "/".join(segment for segment in pattern.segments if segment is not None), is_exact=True)
    if pattern.has_rest and not pattern.segments:
        return PathForm(f"/{rest}")
    text = "".join("/" + (one if segment is None else quote(segment)) for segment in pattern.segments)
    return PathForm(f"{text}(?:/{rest})?" if pattern.has_rest else text)


def _check(matcher: Matcher) -> None:
    """Envoy compares escapes of `"<>^`{|}` instead of the characters: who tells them apart cannot be served."""
    taken = language(matcher)
    if not is_blind_to_escapes(taken):
        reason = (
            'Envoy compares the path after it has escaped `"<>^`{|}`, and the pattern tells them from their escapes'
        )
        raise NotExpressibleError(Feature.PATH_SEGMENTS, reason, "leave these characters, and their escapes, out of it")
    if takes_raw_root_alone(taken):
        raise NotExpressibleError(Feature.PATH_REGEX, "the pattern takes `//`, which is `/`, and does not take `/`")


def language(matcher: Matcher) -> Automaton:
    """The strings that the pattern takes. Raises `NotExpressibleError` where that cannot be told."""
    try:
        return automaton(matcher)
    except (NotAStringPattern, PatternRefused, PatternTooLarge) as error:
        raise NotExpressibleError(Feature.PATH_REGEX, "the pattern cannot be decided exactly") from error


def _bounded(form: PathForm) -> PathForm:
    if not 1 <= len(form.text) <= MOST:
        reason = f"as a match the path pattern has {len(form.text)} characters, and {MOST} is the most"
        raise NotExpressibleError(Feature.PATH_SEGMENTS, reason, "use fewer wildcards, or a shorter expression")
    return form
