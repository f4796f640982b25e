"""Segment patterns, as the reference of the language says them."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.strategies.patterns import paths, segment_patterns

from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.segments import SegmentPattern, parse_segments


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        ("/x", ["/x"], ["/x/", "/", "/X", "/xy", "x", "/x/y"]),
        ("/x/", ["/x/"], ["/x", "/x//", "/x/y"]),
        ("/", ["/"], ["", "/a", "//"]),
        ("/a/*", ["/a/b", "/a/a.b"], ["/a", "/a/", "/a/b/", "/a/b/c"]),
        ("/a/{item}/b", ["/a/1/b"], ["/a//b", "/a/b", "/a/1/b/"]),
        ("/admin/**", ["/admin", "/admin/", "/admin/a", "/admin/a/b/"], ["/administrator", "/", "/admi"]),
        ("/**", ["/", "/a", "/a/b/"], ["", "a"]),
        ("/*/**", ["/a", "/a/", "/a/b"], ["/"]),
        ("/a/*/", ["/a/b/"], ["/a/b", "/a//"]),
        ("/a%20b/=;x", ["/a%20b/=;x"], ["/a b/=;x"]),
    ],
)
def test_what_a_pattern_takes(pattern: str, taken: list[str], refused: list[str]) -> None:
    parsed = parse_segments(pattern)
    automaton = automaton_of(parsed.expression())
    assert [text for text in (*taken, *refused) if parsed.matches(text)] == taken
    assert [text for text in (*taken, *refused) if automaton.accepts(text)] == taken


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("", 0, "begins with"),
        ("a", 0, "begins with"),
        ("/a/**/b", 3, "stands last"),
        ("/a*", 2, "whole segment"),
        ("/a/***", 3, "whole segment"),
        ("/{a", 1, "whole segment"),
        ("/x/{}", 3, "whole segment"),
        ("/x/a}", 4, "whole segment"),
        ("/a//b", 3, "merged"),
        ("/a/./b", 3, "removed"),
        ("/..", 1, "removed"),
        ("/a/%2Fb", 3, "slash"),
        ("/a%5c", 2, "slash"),
        ("/%41", 1, "decoded"),
        ("/a%0", 2, "no escape"),
        ("/a%00", 2, "%00"),
        ("/a#b", 2, "fragment"),
        ("/a?b", 2, "query"),
        ("/a\\b", 2, "backslash"),
        ("/a b", 2, "ASCII"),
        ("/é", 1, "ASCII"),
    ],
)
def test_what_is_no_pattern(pattern: str, position: int, reason: str) -> None:
    with pytest.raises(PatternRefused, match=reason) as refusal:
        parse_segments(pattern)
    assert refusal.value.position == position


def test_names_of_variables_are_comments() -> None:
    assert parse_segments("/a/{item}") == parse_segments("/a/*") == SegmentPattern(("a", None))


@given(segment_patterns())
def test_a_pattern_is_written_as_it_is_read(pattern: SegmentPattern) -> None:
    plain = all(segment is None or "{" not in segment for segment in pattern.segments)
    assert plain
    assert parse_segments(str(pattern)) == pattern


@given(paths())
def test_every_path_is_under_the_root(path: str) -> None:
    assert parse_segments("/**").matches(path)
