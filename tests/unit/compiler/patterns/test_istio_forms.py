"""The strings of an AuthorizationPolicy, field by field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.patterns import istio_forms as forms
from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, Prefix, Regex, Suffix, matches, to_automaton

ID = "spiffe://td.x/ns/shop/sa/cart"


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("a", Exact("a")),
        ("a*", Prefix("a")),
        ("*a", Suffix("a")),
        ("*a*", Suffix("a*")),
        ("a*b", Exact("a*b")),
        ("**", Suffix("*")),
    ],
)
def test_one_star_at_an_end_is_special(value: str, pattern: Pattern) -> None:
    assert forms.string_pattern(value) == forms.present_pattern(value) == forms.path_pattern(value) == pattern


def test_a_star_alone_differs_by_field() -> None:
    assert not matches(forms.string_pattern("*"), "")
    assert matches(forms.string_pattern("*"), "a")
    assert forms.present_pattern("*") == forms.host_pattern("*") == AnyText()


def test_hosts_have_no_case_and_templates_are_paths() -> None:
    assert matches(forms.host_pattern("*.Example.com"), "a.eXample.COM")
    assert not matches(forms.host_pattern("example.com"), "example.com:8080")
    assert matches(forms.path_pattern("/a/{*}"), "/a/b")


@pytest.mark.parametrize(
    ("value", "taken", "refused"),
    [
        ("td.x/ns/shop/sa/cart", [ID], [ID + "2", "spiffe://tdyx/ns/shop/sa/cart"]),
        ("td.x/ns/shop/*", [ID], ["spiffe://td.x/ns/shop2/sa/cart"]),
        ("*/sa/cart", [ID, "spiffe://td.x/ns/a/sa/b/sa/cart"], ["/sa/cart", ID + "x"]),
        ("*", [ID, "x"], [""]),
        ("td.x/ns/*/sa/cart", [], [ID]),
    ],
)
def test_principals(value: str, taken: list[str], refused: list[str]) -> None:
    pattern = forms.principal_pattern(value)
    assert [text for text in (*taken, *refused) if matches(pattern, text)] == taken


@pytest.mark.parametrize(
    ("value", "taken", "refused"),
    [
        ("shop", [ID, "spiffe://a/ns/a/sa/b/ns/shop/x"], ["spiffe://td/ns/shop2/sa/a", "spiffe://td/ns/shop"]),
        ("s*p", [ID, "spiffe://td/ns/s/x/p/sa/a"], ["spiffe://td/ns/sh/sa/a"]),
        ("s.op", ["spiffe://td/ns/s.op/sa/a"], [ID]),
    ],
)
def test_namespaces(value: str, taken: list[str], refused: list[str]) -> None:
    pattern = forms.namespace_pattern(value)
    assert [text for text in (*taken, *refused) if matches(pattern, text)] == taken


@pytest.mark.parametrize(
    ("value", "taken", "refused"),
    [
        ("shop/cart", [ID, ID + "/x", "spiffe://t/ns/shop/x/sa/cart"], [ID + "s", "spiffe://t/ns/pay/sa/cart"]),
        ("cart", ["spiffe://t/ns/home/sa/cart"], [ID]),
        ("shop/c.rt", ["spiffe://t/ns/shop/sa/c.rt"], [ID]),
    ],
)
def test_service_accounts(value: str, taken: list[str], refused: list[str]) -> None:
    pattern = forms.service_account_pattern(value, "home")
    assert [text for text in (*taken, *refused) if matches(pattern, text)] == taken


@pytest.mark.parametrize(
    ("value", "taken", "refused"),
    [
        ("td.x", [ID], ["spiffe://td.xy/a", "spiffe://tdxx/a"]),
        ("*.x", [ID], ["spiffe://a.xy/b", "spiffe://a/b.x/c"]),
        ("td*", [ID, "spiffe://td/a"], ["spiffe://at/td/a"]),
        ("*", [ID, "spiffe://a/b"], [""]),
    ],
)
def test_trust_domains(value: str, taken: list[str], refused: list[str]) -> None:
    pattern = forms.trust_domain_pattern(value)
    assert [text for text in (*taken, *refused) if matches(pattern, text)] == taken


ANY = Regex(".+")


@pytest.mark.parametrize(
    ("value", "issuer", "subject"),
    [
        ("*", ANY, ANY),
        ("iss/sub", Exact("iss"), Exact("sub")),
        ("https://i/s", Exact("https://i"), Exact("s")),
        ("*/sub", ANY, Exact("sub")),
        ("*x/sub", Suffix("x"), Exact("sub")),
        ("iss/*", Exact("iss"), ANY),
        ("iss/p*", Exact("iss"), Prefix("p")),
        ("iss/*a*", Exact("iss"), Prefix("*a")),
        ("iss/**", Exact("iss"), Prefix("*")),
        ("*a*/sub", Suffix("a*"), Exact("sub")),
        ("*/*", ANY, Exact("*")),
        ("*sub", ANY, Suffix("sub")),
        ("iss*", Prefix("iss"), ANY),
        ("iss", Exact("iss"), Exact("")),
    ],
)
def test_request_principals(value: str, issuer: Pattern, subject: Pattern) -> None:
    assert forms.request_principal_patterns(value) == (issuer, subject)


@given(st.text(st.characters(codec="utf-8"), max_size=8), st.text(st.characters(codec="utf-8"), max_size=8))
def test_quoting_makes_text_of_anything(text: str, other: str) -> None:
    automaton = to_automaton(Regex(forms.quote(text)))
    assert automaton.accepts(text)
    assert automaton.accepts(other) == (text == other)
