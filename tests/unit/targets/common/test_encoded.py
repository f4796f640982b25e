"""Patterns of paths as Envoy's matchers see them, held against Envoy's own normalization."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.strategies.patterns import paths

from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.pattern import Exact, Pattern, Prefix, Regex, Suffix, matches, to_automaton
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.targets.common.encoded import is_blind_to_escapes, takes_raw_root_alone, takes_root_alone

BLIND: tuple[Pattern, ...] = (
    parse_segments("/a/*"),
    parse_segments("/a/**"),
    Exact("/a/b"),
    Prefix("/a"),
    Suffix(".json"),
    Regex("/a/[^/]+(/.*)?"),
    Regex("/v[0-9]+/.*"),
)
TELLING: tuple[Pattern, ...] = (
    parse_segments("/a|b"),
    Exact("/a%7Cb"),
    Exact("/{a}"),
    Prefix("/a^"),
    Suffix("7C"),
    Regex("/.."),
    Regex("/[a-z|]+"),
    Regex("/a[^%]*"),
)


@pytest.mark.parametrize("pattern", BLIND, ids=str)
def test_patterns_that_take_a_character_where_they_take_its_escape(pattern: Pattern) -> None:
    assert is_blind_to_escapes(to_automaton(pattern))


@pytest.mark.parametrize("pattern", TELLING, ids=str)
def test_patterns_that_tell_a_character_from_its_escape(pattern: Pattern) -> None:
    assert not is_blind_to_escapes(to_automaton(pattern))


@given(paths())
def test_blind_patterns_take_what_envoy_forwards(path: str) -> None:
    forwarded = istio_path(path, IstioMode.BASE)
    assert [matches(one, path) for one in BLIND] == [matches(one, forwarded) for one in BLIND]


@pytest.mark.parametrize(
    ("pattern", "root", "raw_root"),
    [
        (parse_segments("/"), True, False),
        (parse_segments("/**"), False, False),
        (Regex("/[a-z]*"), True, False),
        (Regex("/.+"), False, True),
        (parse_segments("/a"), False, False),
    ],
    ids=str,
)
def test_the_raw_path_of_slashes_alone(pattern: Pattern, root: bool, raw_root: bool) -> None:
    language = to_automaton(pattern)
    assert (takes_root_alone(language), takes_raw_root_alone(language)) == (root, raw_root)
