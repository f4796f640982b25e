"""Istio's path normalisation against what Envoy 1.40.0 was seen to judge and forward."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.patterns import paths

from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.universe import normal_paths

VECTORS = json.loads((Path(__file__).parent / "envoy-1.40.0-paths.json").read_text())


def judged(raw: str, mode: IstioMode) -> str | None:
    try:
        return istio_path(raw, mode)
    except PatternRefused:
        return None


@pytest.mark.parametrize("mode", IstioMode)
def test_envoy_does_the_same(mode: IstioMode) -> None:
    vectors = VECTORS[mode.value]
    assert len(vectors) > 50
    assert [[raw, judged(raw, mode)] for raw, _ in vectors] == vectors


@pytest.mark.parametrize(
    ("raw", "none", "base", "merge", "decode"),
    [
        ("/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"),
        ("/a%5c..%5cb", "/a%5c..%5cb", "/a%5c..%5cb", "/a%5c..%5cb", "/b"),
        ("/a\\b", "/a\\b", "/a/b", "/a/b", "/a/b"),
        ("/a//b", "/a//b", "/a//b", "/a/b", "/a/b"),
        ("/a//../b", "/a//../b", "/a/b", "/a/b", "/a/b"),
        ("//", "//", "//", "//", "//"),
        ("/%41%2d?x#y", "/%41%2d", "/A-", "/A-", "/A-"),
        ("/a#b?c", "/a", "/a", "/a", "/a"),
        ("/%252e", "/%252e", "/%252e", "/%252e", "/%252e"),
        ('/a"b', '/a"b', "/a%22b", "/a%22b", "/a%22b"),
        ("/a/..;x/b", "/a/..;x/b", "/b", "/b", "/b"),
        ("/a/%2e%2e;/b", "/a/%2e%2e;/b", "/a/..;/b", "/a/..;/b", "/a/..;/b"),
        ("/%00", "/%00", None, None, None),
        ("/é", None, None, None, None),
        ("*", None, None, None, None),
    ],
)
def test_modes(raw: str, none: str | None, base: str | None, merge: str | None, decode: str | None) -> None:
    assert [judged(raw, mode) for mode in IstioMode] == [none, base, merge, decode]


@given(paths())
def test_plain_normal_paths_stay(path: str) -> None:
    """Braces are normal in the language, and escaped by Envoy."""
    for mode in IstioMode:
        kept = path if mode is IstioMode.NONE else path.replace("{", "%7B").replace("}", "%7D")
        assert istio_path(path, mode) == kept


RAW = st.lists(st.sampled_from(("/", "/", "a", "..", ".", "%2f", "%5C", "\\", "%2e", ";", "%20", "|")), max_size=8)


@given(RAW.map(lambda pieces: "/" + "".join(pieces)))
def test_decoding_and_merging_makes_normal_paths_of_all_but_slashes(raw: str) -> None:
    path = istio_path(raw, IstioMode.DECODE_AND_MERGE_SLASHES)
    assert path == "//" or normal_paths().language.accepts(path)
