from __future__ import annotations

import pytest

from meshproof.dsl.ast.operations import AnySegment, LiteralSegment, PathPattern
from meshproof.dsl.tree_to_ast.paths import is_wildcard, read

EMPTY = LiteralSegment("")


@pytest.mark.parametrize(
    ("written", "segments", "has_rest"),
    [
        ("/", (EMPTY,), False),
        ("/x", (LiteralSegment("x"),), False),
        ("/x/", (LiteralSegment("x"), EMPTY), False),
        ("/**", (), True),
        ("/admin/**", (LiteralSegment("admin"),), True),
        ("/*", (AnySegment(),), False),
        ("/a/{id}/b", (LiteralSegment("a"), AnySegment("id"), LiteralSegment("b")), False),
        ("/{a}/", (AnySegment("a"), EMPTY), False),
        ("/a;x=1/(b)", (LiteralSegment("a;x=1"), LiteralSegment("(b)")), False),
        ("/%2B%20", (LiteralSegment("%2B%20"),), False),
        ("/...", (LiteralSegment("..."),), False),
        ("/a[0]", (LiteralSegment("a[0]"),), False),
    ],
)
def test_a_pattern_is_its_segments(
    written: str, segments: tuple[LiteralSegment | AnySegment, ...], *, has_rest: bool
) -> None:
    path = read(written)

    assert (path.problem, path.segments, path.has_rest) == ("", segments, has_rest)
    assert PathPattern(path.segments, path.has_rest).text == written


@pytest.mark.parametrize(
    "written",
    [
        *("/**/x", "/**/**", "/a**", "/a*", "/*b", "/{", "/{}", "/{a", "/a{b}", "/{a b}", "/{1}"),
        *("/./a", "/..", "/a/../b", "//", "/a//b", "/a//", "/a?b=1", "/\\", "/a\\b"),
        *("/%", "/%4", "/%zz", "/%41", "/%7e", "/%2f", "/%2F", "/%5C", "/%00", "/é", "/a\x7f"),
    ],
)
def test_what_no_normal_path_can_match_is_refused_with_advice(written: str) -> None:
    path = read(written)

    assert path.problem
    assert path.advice
    assert path.has_rest


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/x/*", True), ("/**", True), ("/t/{a}/x", True), ("/a*", False), ("/a{b}", False), ("/", False), ("*", False)],
)
def test_a_path_with_a_segment_for_any_is_told_from_one_without(path: str, *, expected: bool) -> None:
    assert is_wildcard(path) is expected
