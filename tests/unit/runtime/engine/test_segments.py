from __future__ import annotations

import pytest

from meshproof.runtime.engine.segments import SegmentIndex, depth, stem, takes


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/", "/", True),
        ("/a", "/a", True),
        ("/a", "/a/", False),
        ("/a/", "/a/", True),
        ("/a/**", "/a", True),
        ("/a/**", "/a/", True),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/ab", False),
        ("/**", "/", True),
        ("/**", "/x/y", True),
        ("/*", "/", False),
        ("/*", "/x", True),
        ("/{id}/b", "/x/b", True),
        ("/*/b", "//b", False),
        ("/a/*/**", "/a/", False),
        ("/a/*/**", "/a/x", True),
        ("/a/*/**", "/a/x/y/z", True),
        ("/*/b/**", "/a/c", False),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert takes(pattern, path) is expected


def test_all_patterns_that_take_a_path_are_found() -> None:
    index: SegmentIndex[str] = SegmentIndex()
    patterns = ("/a/b", "/a/*", "/*/b", "/a/**", "/**", "/*/*/**", "/x", "/a/b/c")
    for pattern in patterns:
        index.add(pattern, pattern)
    index.add_everywhere("all")
    for path in ("/a/b", "/a/c", "/x", "/q/b", "/a/b/c", "/", "/a"):
        expected = {pattern for pattern in patterns if takes(pattern, path)} | {"all"}
        assert sorted(index.find(path)) == sorted(expected), path
        assert sorted(index.find(path)) == sorted(expected), "a look-up changes nothing"


def test_stems_and_depths() -> None:
    assert [stem(one) for one in ("/a/b", "/a/**", "/a/*/b", "/**", "/a/")] == ["/a/b", "/a", "/a", "", "/a/"]
    assert [depth(one) for one in ("/a/b", "/a/**", "/**")] == [None, 1, 0]
