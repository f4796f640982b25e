"""The readings of a raw path that a workload may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.raw_readings import raw_readings
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/a", {"/a"}),
        ("/a?x#y", {"/a"}),
        ("/%61", {"/a"}),
        ("/a%2Fb", {"/a%2Fb", "/a/b"}),
        ("/a%5cb", {"/a%5cb", "/a\\b", "/a/b"}),
        ("/a\\b", {"/a\\b", "/a/b"}),
        ("/a//b", {"/a//b", "/a/b"}),
        ("/a//../b", {"/a/b", "/b"}),
        ("/x/..%2Fadmin", {"/x/..%2Fadmin", "/admin"}),
        ("a", set()),
    ],
)
def test_readings_by_hand(raw: str, expected: set[str]) -> None:
    assert set(raw_readings(raw)) == expected


RAW = st.lists(st.sampled_from(("/", "/", "a", "..", ".", "%2f", "%5C", "\\", "%61")), max_size=7)


@given(RAW.map(lambda pieces: "/" + "".join(pieces)))
def test_what_the_language_and_istio_make_of_a_path_is_a_reading_of_it(raw: str) -> None:
    readings = raw_readings(raw)
    assert readings == tuple(sorted(set(readings)))
    normal = normalize(raw)
    if isinstance(normal, NormalPath):
        assert normal.text in readings
    for mode in (IstioMode.BASE, IstioMode.MERGE_SLASHES, IstioMode.DECODE_AND_MERGE_SLASHES):
        path = istio_path(raw, mode)
        assert path in readings or path == "//"
