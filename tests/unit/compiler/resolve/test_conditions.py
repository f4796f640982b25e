"""Conditions: each attribute and each test as a predicate."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.matchers import Cidr, Exact, Prefix, Present, Regex, Segments, Suffix
from meshproof.compiler.ir.predicate import (
    And,
    Claim,
    Header,
    Host,
    Method,
    Not,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    Sni,
    SourceIp,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.resolve.callers import ANY_IDENTITY, below, exactly

WORLD = """
service a { port http 80 }
issuer idp { url "https://idp" }
value team = "blue"
value number = 8080
"""
X = Test(Header("x"), Exact("1"))
Y = Test(Header("y"), Exact("2"))


def when_of(text: str) -> Predicate:
    (rule,) = mesh_of(WORLD + f"deny r: a -> a {{ when {text} }}").rules
    return rule.when


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('header["X"] == "1"', X),
        ('header["x"] != "1"', Not(X)),
        ('not header["x"] != "1"', X),
        ('header["x"] in ["1", "2", "1"]', Or((X, Test(Header("x"), Exact("2"))))),
        ('header["x"] == $team', Test(Header("x"), Exact("blue"))),
        ('query["Q"] startswith "a"', Test(Query("Q"), Prefix("a"))),
        ('query["q"] endswith "a"', Test(Query("q"), Suffix("a"))),
        ('claim["a"]["b"] matches re"x+"', Test(Claim(("a", "b")), Regex("x+"))),
        ('has claim["a"]', Test(Claim(("a",)), Present())),
        ("has token", Test(TokenIssuer(), Present())),
        ("token from idp", Test(TokenIssuer(), Exact("https://idp"))),
        ('token.issuer == "i"', Test(TokenIssuer(), Exact("i"))),
        ('token.subject == "s"', Test(TokenSubject(), Exact("s"))),
        ('token.audience == "u"', Test(TokenAudience(), Exact("u"))),
        ('token.presenter == "p"', Test(TokenPresenter(), Exact("p"))),
        ('method in ["GET", "M-SEARCH"]', Or((Test(Method(), Exact("GET")), Test(Method(), Exact("M-SEARCH"))))),
        ('path == "/a/"', Test(Path(), Exact("/a/"))),
        ("path in /a/{b}/**", Test(Path(), Segments("/a/*/**"))),
        ("path in /a", Test(Path(), Exact("/a"))),
        ('path startswith "/a"', Test(Path(), Prefix("/a"))),
        ('path endswith ".js"', Test(Path(), Suffix(".js"))),
        ('host == "A.Example."', Test(Host(), Exact("a.example", ignore_case=True))),
        ('host endswith ".Example"', Test(Host(), Suffix(".example", ignore_case=True))),
        ('host startswith "A"', Test(Host(), Prefix("a", ignore_case=True))),
        ('host matches re"[A-Z]+"', Test(Host(), Regex("(?i)[A-Z]+"))),
        ('sni == "A"', Test(Sni(), Exact("a", ignore_case=True))),
        ("port == 8080", Test(Port(), Exact("8080"))),
        ("port == $number", Test(Port(), Exact("8080"))),
        ('port in ["80", 81]', Or((Test(Port(), Exact("80")), Test(Port(), Exact("81"))))),
        ('source.ip in "10.0.0.0/8"', Test(SourceIp(), Cidr("10.0.0.0/8"))),
        ('source.ip == "10.0.0.1"', Test(SourceIp(), Cidr("10.0.0.1/32"))),
        ('source.ip in "2001:DB8::/32"', Test(SourceIp(), Cidr("2001:db8::/32"))),
        ('source.ip in ["10.0.0.1", "10.1.0.0/16"]',
         Or((Test(SourceIp(), Cidr("10.0.0.1/32")), Test(SourceIp(), Cidr("10.1.0.0/16"))))),
        ("source in a", exactly("spiffe://td/ns/app/sa/a")),
        ("source in namespace n", below("spiffe://td/ns/n/")),
        ("source in { plaintext }", Not(ANY_IDENTITY)),
        ('header["x"] == "1" and header["y"] == "2"', And((X, Y))),
        ('header["x"] == "1" or header["y"] == "2"', Or((X, Y))),
        ('not (header["x"] == "1" or header["y"] == "2")', Not(Or((X, Y)))),
    ],
)  # fmt: skip
def test_predicates(text: str, expected: Predicate) -> None:
    assert when_of(text) == expected
