"""Sets of characters and the symbols they make, against sets of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns import charset
from meshproof.compiler.patterns.alphabet import common_refinement, of_charsets
from meshproof.compiler.patterns.charset import LAST, CharSet
from meshproof.compiler.patterns.readability import best_character, cost_of

EDGE = 40
CODES = (*range(EDGE), LAST)


def charsets() -> st.SearchStrategy[CharSet]:
    ranges = st.tuples(st.integers(0, EDGE), st.one_of(st.integers(0, 9), st.just(LAST)))
    return st.lists(ranges.map(lambda drawn: (drawn[0], min(LAST, sum(drawn)))), max_size=4).map(charset.union)


def codes(chars: CharSet) -> set[int]:
    return {code for code in CODES if any(low <= code <= high for low, high in chars)}


@given(charsets(), charsets())
def test_sets_of_characters_are_sets(one: CharSet, other: CharSet) -> None:
    assert codes(charset.union((*one, *other))) == codes(one) | codes(other)
    assert codes(charset.intersection(one, other)) == codes(one) & codes(other)
    assert codes(charset.difference(one, other)) == codes(one) - codes(other)
    assert codes(charset.complement(one)) == set(CODES) - codes(one)
    assert charset.complement(charset.complement(one)) == one


@given(st.lists(charsets(), max_size=4))
def test_symbols_tell_the_sets_apart_and_nothing_else(chosen: list[CharSet]) -> None:
    alphabet, members = of_charsets(chosen)
    for chars, symbols in zip(chosen, members, strict=True):
        assert charset.union(part for symbol in symbols for part in alphabet.charset(symbol)) == chars
    views = {alphabet.symbol(code): tuple(code in codes(chars) for chars in chosen) for code in CODES}
    assert len(set(views.values())) == len(views)
    assert charset.union(part for s in range(alphabet.size) for part in alphabet.charset(s)) == charset.EVERY
    assert alphabet.charsets() == tuple(alphabet.charset(symbol) for symbol in range(alphabet.size))


@given(charsets(), charsets())
def test_a_refinement_keeps_both_views(one: CharSet, other: CharSet) -> None:
    parts = (of_charsets([one])[0], of_charsets([other])[0])
    alphabet, maps = common_refinement(parts)
    for code in CODES:
        symbol = alphabet.symbol(code)
        assert [symbols[symbol] for symbols in maps] == [part.symbol(code) for part in parts]


def test_letters_read_best() -> None:
    assert best_character(charset.EVERY) == (10, "a")
    assert best_character(charset.of("Z9"), avoid="9") == (13, "Z")
    assert best_character(charset.of("a"), avoid="a") is None
    assert cost_of("aa") < cost_of("\n") < cost_of("\ud800")
    assert cost_of("é") > cost_of("/")


def test_only_ascii_letters_lose_their_case() -> None:
    assert charset.fold_ascii(charset.of("kÉ1")) == charset.of("kKÉ1")
