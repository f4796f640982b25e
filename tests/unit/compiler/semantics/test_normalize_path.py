"""Step 2 of "What happens to a request", sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.patterns import paths

from meshproof.compiler.semantics.normalize_path import NormalPath, Refused, normalize, split_query


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("/", "/"),
        ("/a?b=/../c", "/a"),
        ("/?%zz\\", "/"),
        ("/%41%7e%2D%5f%2e", "/A~-_."),
        ("/%3a%3A%20", "/%3a%3A%20"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/%2e%2E/a", "/a"),
        ("/a//b///", "/a/b/"),
        ("/a//../b", "/a/b"),
        ("//a", "/a"),
        ("/a;x/b", "/a;x/b"),
        ("/a/..;/b", "/a/..;/b"),
        ("/A/a", "/A/a"),
        ("/%252e%252e/a", "/%252e%252e/a"),
        ("/%2541", "/%2541"),
        ('/"<>^`{|}', '/"<>^`{|}'),
        ("/.../..a", "/.../..a"),
    ],
)
def test_normal_forms(raw: str, normal: str) -> None:
    assert normalize(raw) == NormalPath(normal)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "begins with"),
        ("a", "begins with"),
        ("*", "begins with"),
        ("http://h/a", "begins with"),
        ("?/a", "begins with"),
        ("/a#b", "fragment"),
        ("/a?x=1#", "fragment"),
        ("/é", "visible ASCII"),
        ("/a b", "visible ASCII"),
        ("/a\tb", "visible ASCII"),
        ("/\x7f", "visible ASCII"),
        ("/%00", "%00"),
        ("/a%", "no escape"),
        ("/a%2", "no escape"),
        ("/a%zz", "no escape"),
        ("/a\\b", "backslash"),
        ("/a%2Fb", "slash"),
        ("/a%2fb", "slash"),
        ("/a%5cb", "backslash"),
        ("/a%5C", "backslash"),
    ],
)
def test_refusals(raw: str, reason: str) -> None:
    answer = normalize(raw)
    assert isinstance(answer, Refused)
    assert reason in answer.reason


RAW = st.lists(
    st.sampled_from(("/", "/", "a", ".", "..", "%2e", "%2E", "%25", "41", "%41", "%3b", ";", "?", "//", "%20", "~")),
    max_size=9,
).map(lambda pieces: "/" + "".join(pieces))


@given(RAW)
def test_what_is_normal_stays(raw: str) -> None:
    normal = normalize(raw)
    if isinstance(normal, NormalPath):
        assert normalize(normal.text) == normal
        assert "//" not in normal.text
        assert not {".", ".."} & set(normal.text.split("/"))


@given(paths())
def test_normal_paths_are_their_own_form(path: str) -> None:
    assert normalize(path) == NormalPath(path)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("/a", ()),
        ("/a?", ()),
        ("/a?b=1&b=2&c", (("b", "1"), ("b", "2"), ("c", ""))),
        ("/a?b=1=2&&=3", (("b", "1=2"), ("", "3"))),
        ("/a?b=%20+?c", (("b", "%20+?c"),)),
    ],
)
def test_queries_are_split_and_not_decoded(raw: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert split_query(raw) == pairs
