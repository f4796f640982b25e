from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.semantics.matching import matches, matches_segments


@pytest.mark.parametrize(
    ("matcher", "value", "is_match"),
    [
        (Exact("a"), "a", True),
        (Exact("a"), "A", False),
        (Exact("a", ignore_case=True), "A", True),
        (Exact("\u017f", ignore_case=True), "s", False),
        (Exact("k", ignore_case=True), "\u212a", False),
        (Exact(""), "", True),
        (Prefix("ab"), "abc", True),
        (Prefix("ab"), "Abc", False),
        (Prefix("Ab", ignore_case=True), "aBc", True),
        (Prefix(""), "", True),
        (Suffix("bc"), "abc", True),
        (Suffix("bc"), "abC", False),
        (Suffix("bC", ignore_case=True), "aBc", True),
        (Present(), "", True),
        (Regex("a.c|d"), "abc", True),
        (Regex("a.c|d"), "d", True),
        (Regex("a.c|d"), "abcd", False),
        (Regex("a.c|d"), "xd", False),
        (Template("/a/{*}"), "/a/b", True),
        (Template("/a/{*}"), "/a/", False),
        (Template("/{**}/b"), "/x/y/b", True),
        (Cidr("10.0.0.0/8"), "10.255.255.255", True),
        (Cidr("10.0.0.0/8"), "11.0.0.0", False),
        (Cidr("10.0.0.0/8"), "2001:db8::1", False),
        (Cidr("2001:db8::/32"), "2001:db8:ffff::", True),
        (Cidr("2001:db8::/32"), "10.0.0.1", False),
        (Cidr("0.0.0.0/0"), "no address", False),
    ],
)
def test_matches(matcher: Matcher, value: str, is_match: bool) -> None:
    assert matches(matcher, value) is is_match


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        ("/", ("/",), ("/a", "//")),
        ("/**", ("/", "/a", "/a/b/"), ("",)),
        ("/a", ("/a",), ("/a/", "/ab", "/A", "/")),
        ("/a/", ("/a/",), ("/a", "/a/b")),
        ("/a/**", ("/a", "/a/", "/a/b", "/a/b/c/"), ("/ab", "/", "/b/a")),
        ("/a/*", ("/a/b", "/a/*"), ("/a", "/a/", "/a/b/", "/a/b/c")),
        ("/a/{id}", ("/a/b", "/a/{id}"), ("/a", "/a/", "/a/b/")),
        ("/*/b", ("/a/b", "/b/b"), ("//b", "/b", "/a/b/")),
        ("/*/**", ("/a", "/a/", "/a/b"), ("/",)),
        ("/a/*/", ("/a/b/",), ("/a/b", "/a//")),
    ],
)
def test_segments(pattern: str, taken: tuple[str, ...], refused: tuple[str, ...]) -> None:
    assert [path for path in (*taken, *refused) if matches(Segments(pattern), path)] == list(taken)


_PIECES = st.sampled_from(("a", "b", "*", "{x}"))
_PATHS = st.lists(st.sampled_from(("a", "b", "ab", "")), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(pieces=st.lists(_PIECES, max_size=3), ending=st.sampled_from(("", "/", "/**")), path=_PATHS)
def test_segments_agree_with_the_patterns_that_proofs_use(pieces: list[str], ending: str, path: str) -> None:
    pattern = "".join(f"/{piece}" for piece in pieces) + ending or "/"
    assert matches_segments(pattern, path) == parse_segments(pattern).matches(path)
