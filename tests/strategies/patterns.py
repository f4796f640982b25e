"""Random patterns and texts over few characters, so that they meet, and an independent reading of each pattern."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from meshproof.compiler.patterns.pattern import AnyText, Exact, Language, Pattern, Prefix, Regex, Suffix
from meshproof.compiler.patterns.segments import SegmentPattern
from meshproof.compiler.patterns.template import Template, parse_template

SEGMENTS = ("a", "b", "ab", "aa", "a.b", "%20a")
_PIECES = ("a", "b", "/", ".", "aa", "A", "%20")
_TEMPLATES = ("/{*}", "/a/{*}", "/{**}", "/a/{**}", "/a/{**}/b", "/{*}/b/{**}", "/a/{*}/{**}/b")
# (expression, what Python's `re` calls the same on ASCII)
_EXPRESSIONS = (
    "/a.*",
    ".*b",
    "/(a|b)+",
    "/[^a].*",
    "/a?b?/?",
    "/([ab]+/)*a{1,2}",
    ".*(/a){2}.*",
    "/[[:alpha:]]*",
    ".+",
    "/a/b",
)


def texts() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)


def paths() -> st.SearchStrategy[str]:
    """Normal paths, with and without a last slash."""
    segments = st.lists(st.sampled_from((*SEGMENTS, "c", "a{b}", "aab")), max_size=4).map("/".join)
    return st.tuples(segments, st.booleans()).map(lambda drawn: "/" + drawn[0] + ("/" if drawn[1] and drawn[0] else ""))


def segment_patterns() -> st.SearchStrategy[SegmentPattern]:
    segments = st.lists(st.sampled_from((*SEGMENTS, None, None)), max_size=4).map(tuple)
    with_rest = segments.map(lambda drawn: SegmentPattern(drawn, has_rest=True))
    last = st.sampled_from((("",), ()))
    whole = st.tuples(segments, last).map(lambda drawn: SegmentPattern((drawn[0] + drawn[1]) or ("",)))
    return st.one_of(with_rest, whole)


def segmental_patterns() -> st.SearchStrategy[Pattern]:
    """Those that are decided segment by segment."""
    return st.one_of(
        segment_patterns(),
        paths().map(Exact),
        st.one_of(paths(), texts().map("/".__add__)).map(Prefix),
        texts().map(Exact),
    )


def patterns() -> st.SearchStrategy[Pattern]:
    """Every kind."""
    return st.one_of(
        segmental_patterns(),
        texts().map(Suffix),
        st.builds(Exact, texts(), st.booleans()),
        st.builds(Prefix, texts(), st.booleans()),
        st.builds(Suffix, texts(), st.booleans()),
        st.sampled_from(_EXPRESSIONS).map(Regex),
        st.sampled_from(_TEMPLATES).map(parse_template),
        st.just(AnyText()),
    )


def is_matched(pattern: Pattern, text: str) -> bool:
    """What the pattern means, written without any code of the product: `re` for all but plain strings."""
    match pattern:
        case Exact(value, ignore_case):
            return text.lower() == value.lower() if ignore_case else text == value
        case Prefix(value, ignore_case):
            return text.lower().startswith(value.lower()) if ignore_case else text.startswith(value)
        case Suffix(value, ignore_case):
            return text.lower().endswith(value.lower()) if ignore_case else text.endswith(value)
        case Regex(expression):
            return re.fullmatch(expression.replace("[:alpha:]", "a-zA-Z"), text) is not None
        case AnyText():
            return True
        case SegmentPattern(segments, has_rest):
            head = "".join("/" + ("[^/]+" if segment is None else re.escape(segment)) for segment in segments)
            tail = "(/.*)?" if has_rest and segments else "/.*" if has_rest else ""
            return re.fullmatch(head + tail, text, re.DOTALL) is not None
        case Template(template):
            chars = r"a-zA-Z0-9._~%!$&'()+,;:@=\-"
            source = re.escape(template).replace(r"\{\*\*\}", f"[{chars}/]*").replace(r"\{\*\}", f"[{chars}]+")
            return re.fullmatch(source, text) is not None
        case Language(automaton):
            return automaton.accepts(text)


def signature(patterns_: tuple[Pattern, ...], text: str) -> int:
    return sum(1 << bit for bit, pattern in enumerate(patterns_) if is_matched(pattern, text))
