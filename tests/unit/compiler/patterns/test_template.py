"""Istio's path templates, with the examples that Envoy was seen to take and refuse."""

from __future__ import annotations

import pytest

from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.template import is_template, parse_template


@pytest.mark.parametrize(
    ("template", "taken", "refused"),
    [
        (
            "/foo/{*}",
            ["/foo/a", "/foo/a%2fb", "/foo/a;b=c", "/foo/*"],
            ["/foo/", "/foo", "/foo/a/b", "/foo//a", '/foo/"', "/foo/[x]"],
        ),
        ("/foo/{**}", ["/foo/", "/foo//a", "/foo/a/b"], ["/foo", "/fooa"]),
        (
            "/store/{**}/cart",
            ["/store//cart", "/store/a/b/cart", "/store/cart/cart"],
            ["/store/cart", "/store/a/cart/"],
        ),
        ("/{*}/a/{*}", ["/x/a/y", "/a/a/a"], ["/a/a", "/x/y/a/z"]),
    ],
)
def test_what_a_template_takes(template: str, taken: list[str], refused: list[str]) -> None:
    parsed = parse_template(template)
    assert [path for path in (*taken, *refused) if parsed.matches(path)] == taken
    assert [path for path in (*taken, *refused) if to_automaton(parsed).accepts(path)] == taken


@pytest.mark.parametrize(
    ("template", "position"),
    [("foo/{*}", 0), ("/a/{**}/{*}", 8), ("/{**}/{**}", 6), ("/a{*}", 2), ("/{*}b", 1), ("/a*/{*}", 2), ("/a?/{*}", 2)],
)
def test_what_is_no_template(template: str, position: int) -> None:
    with pytest.raises(PatternRefused) as refusal:
        parse_template(template)
    assert refusal.value.position == position


def test_an_operator_makes_a_template() -> None:
    assert is_template("/a/{*}")
    assert is_template("/{**}")
    assert not is_template("/a/*")
