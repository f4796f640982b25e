"""A simpler pattern is only taken where it means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.strategies.patterns import patterns

from meshproof.compiler.patterns.automaton import difference, intersection, is_empty
from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, Prefix, Regex, Suffix, to_automaton
from meshproof.compiler.patterns.simplify import simplify
from meshproof.compiler.patterns.universe import Universe, any_text, header_values, host_names, normal_paths


@pytest.mark.parametrize(
    ("pattern", "universe", "expected"),
    [
        (Regex("/a/b"), any_text(), Exact("/a/b")),
        (Regex(r"/a\.b/.*"), normal_paths(), Prefix("/a.b/")),
        (Regex("/a/.*"), any_text(), Regex("/a/.*")),
        (Regex("(?s)/a/.*"), any_text(), Prefix("/a/")),
        (Regex(".*/a"), header_values(), Suffix("/a")),
        (Regex(".*"), header_values(), AnyText()),
        (Regex(".*"), header_values(has_stray_bytes=True), Regex(".*")),
        (Regex(".*"), any_text(), Regex(".*")),
        (Regex(".*a.*"), header_values(), Regex(".*a.*")),
        (Regex(".*.*"), header_values(), AnyText()),
        (Regex("(?i)a"), header_values(), Regex("(?i)a")),
        (Regex(""), header_values(), Exact("")),
        (Prefix(""), any_text(), AnyText()),
        (Exact("A", ignore_case=True), host_names(), Exact("a")),
        (Prefix("", ignore_case=True), host_names(), AnyText()),
        (Suffix("A", ignore_case=True), host_names(), Suffix("a")),
        (Exact("A", ignore_case=True), header_values(), Exact("A", ignore_case=True)),
    ],
)
def test_what_becomes_of_a_pattern(pattern: Pattern, universe: Universe, expected: Pattern) -> None:
    assert simplify(pattern, universe) == expected


@pytest.mark.parametrize(
    "universe", [any_text(), host_names(), header_values(), normal_paths()], ids=lambda one: one.name
)
@given(pattern=patterns())
def test_meaning_is_kept(universe: Universe, pattern: Pattern) -> None:
    before, after = to_automaton(pattern), to_automaton(simplify(pattern, universe))
    for one, other in ((before, after), (after, before)):
        assert is_empty(intersection(universe.language, difference(one, other)))
