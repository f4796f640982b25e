"""The universes hold what can be and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns.alphabet import from_keys
from meshproof.compiler.patterns.automaton import Automaton, is_equivalent
from meshproof.compiler.patterns.charset import SURROGATES, of
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.normal_form import segment_fault
from meshproof.compiler.patterns.regular import ANY_TEXT
from meshproof.compiler.patterns.universe import (
    Universe,
    any_text,
    header_values,
    host_names,
    is_uninhabited,
    method_tokens,
    normal_paths,
    query_values,
    server_names,
    spiffe_ids,
)
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize

ALL = (
    *(any_text(), normal_paths(), method_tokens(), host_names(), server_names()),
    *(header_values(), query_values(), spiffe_ids()),
)
RAW = st.lists(
    st.sampled_from(
        ("/", "/", "a", ".", "..", "%2e", "%2F", "%5C", "%00", "%20", "%", "%c3", "\\", "#", "?", " ", "~", "é", ";")
    ),
    max_size=7,
).map(lambda pieces: "/" + "".join(pieces))


@pytest.mark.parametrize("universe", ALL, ids=lambda universe: universe.name)
def test_examples_are_members(universe: Universe) -> None:
    assert all(map(universe.language.accepts, universe.examples))
    assert not is_uninhabited(universe)
    assert universe.is_without(SURROGATES)


@given(RAW)
def test_a_path_is_normal_exactly_if_it_is_its_own_normal_form(raw: str) -> None:
    is_normal = "?" not in raw and normalize(raw) == NormalPath(raw)
    assert normal_paths().language.accepts(raw) == is_normal


@given(RAW)
def test_segments_are_what_stands_between_slashes(raw: str) -> None:
    segment = normal_paths().segment
    assert segment is not None
    pieces = raw[1:].split("/")
    by_segments = all(map(segment.accepts, pieces[:-1])) and (not pieces[-1] or segment.accepts(pieces[-1]))
    assert normal_paths().language.accepts(raw) == by_segments
    for piece in pieces:
        assert segment.accepts(piece) == (segment_fault(piece) is None)


def test_paths_are_slashes_and_segments_for_all_lengths() -> None:
    """The law that lets paths be divided segment by segment, as an equality of languages."""
    universe = normal_paths()
    assert universe.segment is not None
    assert is_equivalent(_joined_by_slashes(universe.segment), universe.language)


def _joined_by_slashes(segment: Automaton) -> Automaton:
    """`/` and segments joined by `/`, the last of which may be empty: a slash leads from any end to a new start."""
    cuts = sorted({*segment.alphabet.cuts, ord("/"), ord("/") + 1})
    alphabet, symbols = from_keys(cuts, [(segment.alphabet.symbol(cut), cut == ord("/")) for cut in cuts])
    start, dead = 0, len(segment.rows) + 1  # the segment's own states are shifted by one

    def after(state: int, symbol: int, *, is_slash: bool) -> int:
        if is_slash:
            return 1 if state == start or (state != dead and segment.accepting[state - 1]) else dead
        return dead if state in {start, dead} else segment.rows[state - 1][symbol] + 1

    rows = tuple(
        tuple(after(state, symbol, is_slash=is_slash) for symbol, is_slash in symbols) for state in range(dead + 1)
    )
    return Automaton(alphabet, rows, (False, True, *segment.accepting[1:], False))


@pytest.mark.parametrize(
    ("universe", "members", "others"),
    [
        (method_tokens(), ["GET", "get", "M-SEARCH", "!"], ["", "A B", "A/B", "É"]),
        (server_names(), ["a", "a.b", "*", "a:80", "é", "\t"], ["", "A", "a\n", "a\rb"]),
        (host_names(), ["a", "a.b-c.d", "10.0.0.1", "[::1]", "_x", "a%20"], ["", "A", "a:80", "a/b", "a b", "[::1"]),
        (
            header_values(),
            ["", "a", "a b", "a\tb", "é", "a,b"],
            [" a", "a ", "\t", "a\nb", "a\rb", "\0", "\x7f", "\udc80"],
        ),
        (header_values(has_stray_bytes=True), ["\udc80", "a\udcff", ""], ["\ud800", "\udc7f", "a\n"]),
        (query_values(), ["", "a=b", "%20", "a+b"], ["a&b", "a#b", "a b", "é"]),
        (
            spiffe_ids(),
            ["spiffe://a.b/ns/x", "spiffe://a/b", "spiffe://a_-/B.c"],
            [
                "spiffe://a",
                "spiffe://a/",
                "spiffe://A/b",
                "spiffe://a/b/",
                "spiffe://a//b",
                "spiffe://a/../b",
                "http://a/b",
            ],
        ),
        (
            spiffe_ids(("a.b", "c")),
            ["spiffe://a.b/x", "spiffe://c/.x"],
            ["spiffe://axb/x", "spiffe://a/x", "spiffe://c/."],
        ),
        (any_text(), ["", "\n", "\U0010ffff"], ["\ud800"]),
    ],
    ids=lambda value: value.name if isinstance(value, Universe) else None,
)
def test_members(universe: Universe, members: list[str], others: list[str]) -> None:
    assert [text for text in (*members, *others) if universe.language.accepts(text)] == members


def test_no_trust_domain_has_no_identities() -> None:
    assert is_uninhabited(spiffe_ids(()))
    assert is_uninhabited(spiffe_ids(("UPPER",)))
    assert is_equivalent(spiffe_ids(("a",)).language, minimize(spiffe_ids(("a", "a")).language))


def test_absence_of_characters_is_seen() -> None:
    assert host_names().is_without(((ord("A"), ord("Z")),))
    assert not header_values().is_without(((ord("A"), ord("Z")),))
    assert header_values().is_without(of("\n"))
    assert not Universe("all", automaton_of(ANY_TEXT)).is_without(SURROGATES)
