"""What is asked of a host is asked of an authority as the interpreter makes the host of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns.authorities import as_sent, authorities
from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, Prefix, Regex, Suffix, matches
from meshproof.compiler.semantics.wellformed import normal_host

ASKED: tuple[Pattern, ...] = (
    AnyText(),
    Exact("a.b"),
    Exact("A.b", ignore_case=True),
    Exact("A.b"),
    Exact("a."),
    Exact("[::1]"),
    Prefix("a"),
    Prefix("a."),
    Prefix("A", ignore_case=True),
    Prefix("A"),
    Prefix("["),
    Suffix("b"),
    Suffix(".b"),
    Suffix("."),
    Suffix("80"),
    Suffix("B", ignore_case=True),
    Regex(".*"),
    Regex(".*80"),
    Regex("[^a]+"),
    Regex("[A-Z]+"),
    Regex("[:-_a]*"),
    Regex(r"a\.*"),
)
PIECES = st.sampled_from(("a", "A", "b", "B", ".", "..", "80", ":80", ":", ":8080", "[::1]", "[::1].", "[a.]"))
AUTHORITIES = st.lists(PIECES, min_size=1, max_size=5).map("".join)


@given(authority=AUTHORITIES, pattern=st.sampled_from(ASKED))
def test_an_authority_is_taken_if_its_host_is(authority: str, pattern: Pattern) -> None:
    if authorities().language.accepts(authority):
        found = as_sent(pattern)
        assert matches(found, authority) == matches(pattern, normal_host(authority))
        assert found.automaton.accepts(authority) == matches(found, authority)


def test_authorities_are_hosts_with_or_without_a_port() -> None:
    accepts = authorities().language.accepts
    assert all(map(accepts, ("a", "A.b", "a.", "..", ".a", "..a.", "a:80", "a:", "[::1]", "[::1]:80")))
    assert not any(map(accepts, ("", ".", ".:80", ":80", "a:b", "u@a", "a b", "[::1", "a:80:80")))
