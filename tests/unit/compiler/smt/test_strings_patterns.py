"""The second encoding's patterns and domains say of a known string what the interpreter says."""

from __future__ import annotations

import pytest

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.patterns import universe
from meshproof.compiler.patterns.universe import Universe
from meshproof.compiler.semantics.matching import matches
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.smt.strings_patterns import (
    NotCovered,
    is_header_value,
    is_host,
    is_identity,
    is_method,
    is_normal_path,
    is_query_value,
    passes,
    quoted,
)

MATCHERS: tuple[Matcher, ...] = (
    Present(),
    Exact("/a/b"),
    Exact("Shop.Example", ignore_case=True),
    Prefix("/a/"),
    Prefix("SHOP", ignore_case=True),
    Suffix("/b"),
    Suffix(".EXAMPLE", ignore_case=True),
    Segments("/"),
    Segments("/**"),
    Segments("/a/**"),
    Segments("/a/*"),
    Segments("/a/{id}/b"),
    Segments("/a/"),
    Regex("/a/[0-9]+"),
    Regex("(?i)shop.*"),
    Regex("/(?:a|bb){1,2}/?"),
)
TEXTS = (
    "",
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/7",
    "/a/7/b",
    "/a//b",
    "/bb/",
    "/abb",
    "shop.example",
    "SHOP.eXample",
    'say "hi" \\ é',
    "/a\n",
)


def _is_true(term: str) -> bool:
    found = engines()["z3 strings"](f"(assert {term})", 5_000)
    assert found is not None
    return found


@pytest.mark.parametrize("matcher", MATCHERS, ids=repr)
def test_a_matcher_takes_the_strings_that_it_should(matcher: Matcher) -> None:
    for text in TEXTS:
        assert _is_true(passes(matcher, quoted(text))) == matches(matcher, text), text


@pytest.mark.parametrize("matcher", [Template("/a/{*}"), Cidr("10.0.0.0/8"), Regex("a|^b")], ids=repr)
def test_what_it_has_no_words_for_is_said(matcher: Matcher) -> None:
    with pytest.raises(NotCovered):
        passes(matcher, "x")


PATHS = (
    "/",
    "/a",
    "/a/",
    "/a/b.c",
    "/a/..b",
    "/.a",
    "/%20",
    "/%2d",
    "/%2F",
    "/%5c",
    "/%00",
    "/%zz",
    "/a/.",
    "/a/..",
    "/a/../b",
    "/./a",
    "//a",
    "/a//b",
    "/a?b",
    "/a#b",
    "/a\\b",
    "/é",
    "/a;b",
    "a",
)


@pytest.mark.parametrize(
    ("term", "known", "texts"),
    [
        (is_normal_path, universe.normal_paths(), (*PATHS, "", "/a b", "/~", "/%7e", "/%40", "/%E2%82")),
        (is_method, universe.method_tokens(), ("GET", "get", "", "A B", "X-Y", "G/T")),
        (is_host, universe.host_names(), ("a.example", "A.example", "", "[::1]", "a:80", "*.x")),
        (is_header_value, universe.header_values(), ("", "a", " a", "a ", "a b", "a\tb", "\t", "é", "a\x00b", "\x7f")),
        (is_query_value, universe.query_values(), ("", "a=b", "a&b", "a#b", "a b", "é", "%20")),
    ],
)
def test_a_domain_has_the_members_that_it_should(term: object, known: Universe, texts: tuple[str, ...]) -> None:
    assert callable(term)
    members = 0
    for text in texts:
        is_member = known.language.accepts(text)
        expected = is_member and not (term is is_method and text == "CONNECT")
        assert _is_true(term(quoted(text))) == expected, text
        members += expected
    assert members


@pytest.mark.parametrize(
    ("uri", "is_member"),
    [
        ("spiffe://cluster.local/ns/a/sa/b", True),
        ("spiffe://partner.example/x", True),
        ("spiffe://other.example/x", False),
        ("spiffe://cluster.local", False),
        ("spiffe://cluster.local/", False),
        ("spiffe://cluster.local/a/../b", False),
        ("spiffe://cluster.local/a/b/", False),
        ("spiffe://cluster.local/a b", False),
    ],
)
def test_an_identity_is_one_of_a_trusted_domain(uri: str, is_member: bool) -> None:
    domains = ("cluster.local", "partner.example")
    assert universe.spiffe_ids(domains).language.accepts(uri) == is_member
    assert _is_true(is_identity(quoted(uri), domains)) == is_member
