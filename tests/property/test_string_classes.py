"""Classes of strings are exact: no class is missing, none is invented, and both ways to compute them agree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.patterns import is_matched, paths, patterns, segmental_patterns, signature, texts

from meshproof.compiler.patterns.classes import product_partition, string_classes
from meshproof.compiler.patterns.istio_forms import quote
from meshproof.compiler.patterns.partition import Limits
from meshproof.compiler.patterns.pattern import Pattern, Regex, matches, to_automaton
from meshproof.compiler.patterns.segment_classes import SegmentLike, SegmentPartition
from meshproof.compiler.patterns.universe import Universe, header_values, host_names, normal_paths

Patterns = tuple[Pattern, ...]


def several(strategy: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Patterns]:
    return st.lists(strategy, min_size=1, max_size=6).map(tuple)


@given(patterns(), texts())
def test_a_pattern_matches_what_it_says(pattern: Pattern, text: str) -> None:
    assert matches(pattern, text) == is_matched(pattern, text)


@given(patterns(), texts())
def test_the_automaton_of_a_pattern_accepts_what_it_matches(pattern: Pattern, text: str) -> None:
    assert to_automaton(pattern).accepts(text) == is_matched(pattern, text)


def check_exact(chosen: Patterns, universe: Universe | None, drawn: list[str]) -> None:
    classes = string_classes(chosen, universe)
    signatures = [one.signature for one in classes]
    assert len(set(signatures)) == len(signatures)
    for one in classes:
        assert signature(chosen, one.witness) == one.signature
        assert universe is None or universe.language.accepts(one.witness)
    for text in drawn:
        if universe is None or universe.language.accepts(text):
            assert signature(chosen, text) in signatures


@given(several(patterns()), st.lists(paths(), max_size=20))
def test_classes_of_normal_paths_are_exact(chosen: Patterns, drawn: list[str]) -> None:
    check_exact(chosen, normal_paths(), drawn)


@given(several(segmental_patterns()), st.lists(paths(), max_size=20))
def test_classes_by_segments_are_exact(chosen: Patterns, drawn: list[str]) -> None:
    check_exact(chosen, normal_paths(), drawn)


@given(several(patterns()), st.lists(texts(), max_size=20))
def test_classes_of_any_text_are_exact(chosen: Patterns, drawn: list[str]) -> None:
    check_exact(chosen, None, drawn)


@given(several(patterns()), st.lists(texts(), max_size=20))
def test_classes_of_header_values_are_exact(chosen: Patterns, drawn: list[str]) -> None:
    check_exact(chosen, header_values(), drawn)


@given(several(patterns()), st.lists(texts(), max_size=20))
def test_classes_of_hosts_are_exact(chosen: Patterns, drawn: list[str]) -> None:
    check_exact(chosen, host_names(), drawn)


@given(several(segmental_patterns()))
def test_segments_and_automata_find_the_same_classes(chosen: Patterns) -> None:
    universe = normal_paths()
    assert universe.segment is not None
    masks: dict[Pattern, int] = {}
    for bit, pattern in enumerate(chosen):
        masks[pattern] = masks.get(pattern, 0) | 1 << bit
    segmental = [(pattern, mask) for pattern, mask in masks.items() if isinstance(pattern, SegmentLike)]
    assert len(segmental) == len(masks)
    fast = SegmentPartition(universe.segment, segmental, Limits())
    slow = product_partition(universe, masks)
    assert set(fast.witnesses) == set(slow.witnesses)
    for text in (*fast.witnesses.values(), *slow.witnesses.values()):
        assert fast.signature_of(text) == slow.signature_of(text)


@given(several(patterns()), st.lists(texts(), min_size=1, max_size=12))
def test_a_finite_universe_is_divided_as_by_hand(chosen: Patterns, members: list[str]) -> None:
    """Here classes are small enough that single values use them up."""
    found = string_classes(chosen, Regex("|".join(map(quote, members))))
    assert [one.signature for one in found] == sorted({signature(chosen, text) for text in members})
    assert all(one.witness in members for one in found)


@given(several(patterns()), st.lists(texts(), max_size=4))
def test_samples_are_preferred_and_the_answer_is_stable(chosen: Patterns, samples: list[str]) -> None:
    classes = string_classes(chosen, None, samples)
    assert classes == string_classes(chosen, None, samples)
    by_signature = {one.signature: one.witness for one in classes}
    for sample in reversed(samples):
        by_signature.pop(signature(chosen, sample), None)
    for sample in samples:
        first = next(text for text in samples if signature(chosen, text) == signature(chosen, sample))
        assert any(one.witness == first for one in classes)
    assert all(witness not in samples for witness in by_signature.values())
