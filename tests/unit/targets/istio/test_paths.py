"""Path patterns as Istio's, held against the patterns' own meaning."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from tests.strategies.istio_reading import _path
from tests.strategies.patterns import paths, segment_patterns

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Segments, Suffix
from meshproof.compiler.patterns.segments import SegmentPattern
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.paths import closed, path_values


@given(segment_patterns(), paths())
def test_values_take_the_paths_of_the_pattern(pattern: SegmentPattern, path: str) -> None:
    assume(path.startswith("/"))
    assume(not set(path) & set('[]"<>^`{|}'))
    try:
        values = path_values((Segments(str(pattern)),))
    except NotExpressibleError:
        return
    assert pattern.matches(path) == (values is None or any(_path(value.written, path) for value in values))


@pytest.mark.parametrize(
    "matcher",
    [
        Regex("/a"),
        Exact('/a"b'),
        Exact("/a%22b"),
        Exact("/a*"),
        Prefix("/a%2"),
        Suffix("2"),
        Suffix("3Cx"),
        Segments("/*/"),
        Segments("/a[b]/*"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(matcher: Matcher) -> None:
    with pytest.raises(NotExpressibleError):
        path_values((matcher,))


def test_closed_values_take_no_brackets() -> None:
    values = path_values((Segments("/a/**"), Segments("/b")))
    assert [value.written for value in closed(values)] == ["/a", "/a/{**}", "/b"]
    assert [value.written for value in closed(None)] == ["/{**}"]
    for matcher in (Suffix(".json"), Prefix("/a"), Exact("/a[b")):
        with pytest.raises(NotExpressibleError):
            closed(path_values((matcher,)))
