"""The operations on automata against brute force over short texts, and the witness that reads best."""

from __future__ import annotations

from itertools import product as combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns import automaton as operations
from meshproof.compiler.patterns.automaton import Automaton, is_empty, shortest_witness
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.pattern import Prefix, Regex, expression_of, to_automaton
from meshproof.compiler.patterns.refusal import PatternTooLarge
from meshproof.compiler.patterns.regular import Alternate, BeginText, Chars, Concat, EndText, Node, Repeat

LETTERS = "abc"
WORDS = tuple("".join(word) for length in range(6) for word in combinations(LETTERS, repeat=length))


def nodes() -> st.SearchStrategy[Node]:
    chars = st.sampled_from(LETTERS).map(lambda char: Chars(((ord(char), ord(char)),)))
    leaves = st.one_of(chars, st.just(Chars(())), st.just(Chars(((97, 98),))), st.just(BeginText()), st.just(EndText()))

    def larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(inner, max_size=3).map(tuple)
        counts = st.sampled_from(((0, None), (1, None), (0, 1), (2, 2), (1, 3)))
        repeat = st.builds(lambda part, count: Repeat(part, *count), inner, counts)
        return st.one_of(several.map(Concat), several.map(Alternate), repeat)

    return st.recursive(leaves, larger, max_leaves=8)


def language(automaton: Automaton) -> set[str]:
    return {word for word in WORDS if automaton.accepts(word)}


def ends(node: Node, text: str, start: int) -> set[int]:
    """Where a match from `start` may end, by the definition of the operators."""
    match node:
        case Chars(charset):
            here = start < len(text) and any(low <= ord(text[start]) <= high for low, high in charset)
            return {start + 1} if here else set()
        case Concat(parts):
            places = {start}
            for part in parts:
                places = {end for place in places for end in ends(part, text, place)}
            return places
        case Alternate(parts):
            return {end for part in parts for end in ends(part, text, start)}
        case Repeat(part, least, most):
            reached: set[int] = set()
            places = {start}
            for count in range((len(text) + least + 1) if most is None else most + 1):
                if count >= least:
                    reached |= places
                places = {end for place in places for end in ends(part, text, place)}
            return reached
        case BeginText():
            return {start} if start == 0 else set()
        case EndText():
            return {start} if start == len(text) else set()


@given(nodes())
def test_an_expression_means_what_its_operators_say(node: Node) -> None:
    expected = {word for word in WORDS if len(word) < 5 and len(word) in ends(node, word, 0)}
    assert {word for word in language(automaton_of(node)) if len(word) < 5} == expected


@given(nodes(), nodes())
def test_products_are_sets(one: Node, other: Node) -> None:
    left, right = automaton_of(one), automaton_of(other)
    assert language(operations.intersection(left, right)) == language(left) & language(right)
    assert language(operations.union(left, right)) == language(left) | language(right)
    assert language(operations.difference(left, right)) == language(left) - language(right)
    assert language(operations.complement(left)) == set(WORDS) - language(left)


@given(nodes(), nodes())
def test_inclusion_and_equivalence_agree_with_the_canonical_form(one: Node, other: Node) -> None:
    left, right = automaton_of(one), automaton_of(other)
    both_ways = operations.includes(left, right) and operations.includes(right, left)
    assert operations.is_equivalent(left, right) == both_ways == (minimize(left) == minimize(right))
    if operations.includes(left, right):
        assert language(right) <= language(left)
    else:
        witness = shortest_witness(operations.difference(right, left))
        assert witness is not None
        assert right.accepts(witness)
        assert not left.accepts(witness)


@given(nodes())
def test_a_witness_is_accepted_and_none_is_shorter(node: Node) -> None:
    automaton = automaton_of(node)
    witness = shortest_witness(automaton)
    assert (witness is None) == is_empty(automaton)
    if witness is not None:
        assert automaton.accepts(witness)
        assert all(len(word) >= len(witness) for word in language(automaton))


@given(nodes())
def test_minimal_is_minimal(node: Node) -> None:
    """No two states of the minimal automaton accept the same texts, and all can be reached."""
    automaton = automaton_of(node)
    tails = [
        Automaton(automaton.alphabet, _started_at(automaton, state), _accepting_from(automaton, state))
        for state in range(len(automaton.rows))
    ]
    for number, tail in enumerate(tails):
        assert not any(operations.is_equivalent(tail, other) for other in tails[:number])


def _started_at(automaton: Automaton, state: int) -> tuple[tuple[int, ...], ...]:
    swap = {0: state, state: 0}
    rows = list(automaton.rows)
    rows[0], rows[state] = rows[state], rows[0]
    return tuple(tuple(swap.get(target, target) for target in row) for row in rows)


def _accepting_from(automaton: Automaton, state: int) -> tuple[bool, ...]:
    accepting = list(automaton.accepting)
    accepting[0], accepting[state] = accepting[state], accepting[0]
    return tuple(accepting)


def test_products_are_bounded() -> None:
    one = to_automaton(Regex("(aaaaaaa)*"))
    other = to_automaton(Regex("(aaaaaaaaaaa)*"))
    with pytest.raises(PatternTooLarge, match="more than 50 states"):
        operations.product(one, other, lambda left, right: left and right, max_states=50)
    assert shortest_witness(operations.product(one, other, lambda left, right: left and right)) == ""


@pytest.mark.parametrize(
    ("expression", "witness"),
    [
        ("[^a]", "b"),
        (r"[\x00-\x1fz]", "z"),
        ("[0-9A-Z]", "0"),
        (r"\n|zz", "zz"),
        ("/.*/x", "//x"),
        (r"[^\x00-\x7f]", "À"),
    ],
)
def test_witnesses_read_well(expression: str, witness: str) -> None:
    assert shortest_witness(to_automaton(Regex(expression))) == witness


@given(st.text(st.sampled_from("aA/é\x00\ud800\U0010ffff"), max_size=12))
def test_a_prefix_has_the_automaton_that_its_expression_has(prefix: str) -> None:
    assert to_automaton(Prefix(prefix)) == automaton_of(expression_of(Prefix(prefix)))


def test_a_prefix_that_is_very_long_meets_the_limits_of_expressions() -> None:
    with pytest.raises(PatternTooLarge):
        to_automaton(Prefix("x" * 20_000))
