"""Our reading of RE2 expressions against RE2 itself: whoever is taken here is taken there and matches the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies.expressions import expressions, near, texts

from meshproof.compiler.patterns.automaton import shortest_witness
from meshproof.compiler.patterns.pattern import Regex, matches, to_automaton
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge

pytestmark = pytest.mark.oracle
re2 = pytest.importorskip("re2", reason="google-re2, of the extra `oracles`, is not installed")


def options(*, ignore_case: bool) -> object:
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.case_sensitive = not ignore_case
    return chosen


@settings(max_examples=settings().max_examples * 40)
@given(expressions(), st.booleans(), st.lists(texts(), max_size=8))
def test_expressions_mean_what_re2_says(expression: str, ignore_case: bool, drawn: list[str]) -> None:
    pattern = Regex(expression, ignore_case)
    try:
        automaton = to_automaton(pattern)
    except PatternRefused:
        return
    judge = re2.compile(expression, options(ignore_case=ignore_case))  # it takes what we take, or this raises
    witness = shortest_witness(automaton)
    for text in (*drawn, *(() if witness is None else near(witness))):
        expected = judge.fullmatch(text) is not None
        assert automaton.accepts(text) == expected, text
        assert matches(pattern, text) == expected, text


@pytest.mark.parametrize(
    "expression",
    [
        "[^a]{1000}",
        "(?s).{1000}",
        r"[\W\x{100}-\x{200}]{900}",
        "(?:[^a-cx-z0-9]{1,100}x){9}",
        r"[\x{81}-\x{10fffe}]{900}",
        r"[^\x00-\x1f]{200}[\x{1000}-\x{2000}]{300}",
        r"[\x{80}\x{100}\x{200}\x{800}\x{1000}\x{5000}\x{10000}-\x{50000}]{300}",
        "(?i)[k-s]{1000}",
        "(a|b)*a(a|b){12}",
        "(" * 99 + "a" + ")" * 99,
        "a|" * 2000 + "a",
        "(((a{10}){10}){10})",
        "((a{10}){10}){11}",
        "(a{1001}){0}",
        "(a?){1000}",
    ],
)
def test_large_expressions_are_taken_by_re2_too_or_refused_here(expression: str) -> None:
    try:
        to_automaton(Regex(expression))
        is_taken = True
    except (PatternRefused, PatternTooLarge):
        is_taken = False
    try:
        re2.compile(expression, options(ignore_case=False))
        is_taken_there = True
    except re2.error:
        is_taken_there = False
    assert is_taken_there or not is_taken
