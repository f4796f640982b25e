"""Texts that a reader takes for one thing and a careless grammar for another."""

from __future__ import annotations

import pytest

from meshproof.dsl.ast.document import Statement
from meshproof.dsl.format import format_document
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

REFUSED = {
    "a token after or is no test": ("deny d: anyone -> all { unless source in shop or token }", "MP101"),
    "words run together": ("deny d: anyone -> all { unlesssource innamespace sre }", "MP121"),
    "not runs into token": ("allow d: anyone -> all { when nottoken }", "MP121"),
    "a clause runs into a date": ('allow a->b{ because"x"owner"y"until2027-01-01 }', "MP121"),
    "exceptional is not except": ("allow a exceptional -> b", "MP121"),
    "a service called all": ("service all { port http 80 }\nallow x -> all", "MP104"),
    "a service called internet": ("service internet { port http 80 }\nallow internet -> x", "MP104"),
    "a destination called no": (
        "service token { port http 80 }\nallow token -> route:http\nallow x: test -> no",
        "MP104",
    ),
    "a rule called all": ("allow all: a -> b", "MP104"),
    "a rule called namespace": ("allow namespace: a -> b", "MP104"),
    "a zone called namespace": ("zone namespace = { a }", "MP104"),
    "methods without bars": ("allow a -> b { GET HEAD POST /x }", "MP114"),
    "a method and a star": ("allow a -> b { GET * /x }", "MP114"),
    "a clause that seems to be of one operation": (
        'allow a -> b { GET /public/**\n POST /admin/** when claim["role"] == "admin" }',
        "MP116",
    ),
    "an address without quotes": ("allow a -> b { when source.ip in 10.0.0.0/8 POST /x }", "MP119"),
    "a token before or is no test": ('allow a -> b { when token or header["a"] == "b" and path == "/" }', "MP101"),
    "a token after a negated test": ('allow a -> b { when not claim["a"] == "b" or token }', "MP101"),
    "operators of sets mixed": ("zone z = a or b except c and d", "MP117"),
    "a rule of two arrows": ("allow b -> c:80 -> d", "MP101"),
    "has twice": ('prove "x" { every request to b has has claim["x"]\n a can reach c }', "MP101"),
    "a set that goes on after or in a claim": (
        'prove "x" { only a reaches b when source in z or y\n c can reach d }',
        "MP121",
    ),
    "methods without bars in a claim": ('prove "x" { only a reaches b GET POST /x\n c can reach d }', "MP114"),
    "a method in lower case": ("allow a -> b { get /x }", "MP115"),
    "a namespace that begins with a digit": ("allow namespace 3scale -> b", "MP105"),
    "an account with an underscore": ("service a { account my_sa port http 80 }", "MP105"),
    "a label key with dots": ('service a { labels { app.kubernetes.io/name: "x" } }', "MP105"),
    "OPTIONS * is no path": ("allow a -> b { OPTIONS * }", "MP114"),
    "a date of few digits": ("allow a -> b { until 2027-6-30 }", "MP112"),
    "a number that runs into a word": ("service a { port http 80 -> 8080accepts x }", "MP110"),
    "a namespace called all": ("allow namespace all -> b", "MP104"),
    # The language forbids these; the first grammar let them pass.
    "a rest in the middle": ("allow a -> b { GET /**/x }", "MP113"),
    "a day that does not exist": ("allow a -> b { until 2027-02-31 }", "MP112"),
    "and meets or": ('allow a -> b { when has token or header["a"] == "b" and path == "/" }', "MP117"),
}

# The words of each that the finding points at.
AT = {
    "a token after or is no test": "token",
    "words run together": "unlesssource",
    "not runs into token": "nottoken",
    "a clause runs into a date": "until2027-01-01",
    "exceptional is not except": "exceptional",
    "a service called all": "all",
    "a service called internet": "internet",
    "a destination called no": "no",
    "a rule called all": "all",
    "a rule called namespace": "namespace",
    "a zone called namespace": "namespace",
    "methods without bars": "GET HEAD POST",
    "a method and a star": "GET",
    "a clause that seems to be of one operation": 'when claim["role"] == "admin"',
    "an address without quotes": "10.0.0.0/8",
    "a token before or is no test": "token",
    "a token after a negated test": "token",
    "operators of sets mixed": "except",
    "a rule of two arrows": "->",
    "has twice": "has",
    "a set that goes on after or in a claim": "y",
    "methods without bars in a claim": "GET POST",
    "a method in lower case": "get",
    "a namespace that begins with a digit": "3scale",
    "an account with an underscore": "my_sa",
    "a label key with dots": "app.kubernetes.io/name",
    "OPTIONS * is no path": "OPTIONS",
    "a date of few digits": "2027-6-30",
    "a number that runs into a word": "8080accepts",
    "a namespace called all": "all",
    "a rest in the middle": "/**/x",
    "a day that does not exist": "2027-02-31",
    "and meets or": "and",
}

# What is read, as the formatter writes it.
READ = {
    "or goes on with a test, not with a set": (
        'deny d: anyone -> all { unless source in shop or path == "/x" }',
        'deny d: anyone -> all { unless source in shop or path == "/x" }',
    ),
    "and goes on with a test, not with a set": (
        "allow d: anyone -> all { when source in shop and has token }",
        "allow d: anyone -> all { when source in shop and has token }",
    ),
    "a port called as its protocol": ("service a { port http http 80 }", "service a { port http http 80 }"),
    "a port called grpc-web": ("service a { port grpc-web http 80 }", "service a { port grpc-web http 80 }"),
    "a port called http-metrics": (
        "service a { port http-metrics http 90 }",
        "service a { port http-metrics http 90 }",
    ),
    "a path ends at a brace that it did not open": ("allow a -> b { GET /x}", "allow a -> b { GET /x }"),
    "a path holds a brace that it opened": ("allow a -> b { GET /cart/{item}}", "allow a -> b { GET /cart/{item} }"),
    "a path holds a comma": ("allow a -> b { GET /a,b }", "allow a -> b { GET /a,b }"),
    "a path ends at a comment": ("allow a -> b { GET /a#x\n }", "allow a -> b {\n    GET /a  # x\n}"),
    "a rest ends at a comment": ("allow a -> b { GET /**# all\n }", "allow a -> b {\n    GET /**  # all\n}"),
    "a port binds to the one name before it": ("deny a -> all except b:http", "deny a -> all except b:http"),
    "a port binds before except": ("deny a -> all:http except b", "deny a -> all:http except b"),
    "a port binds to braces": ("deny a -> { b, c }:http", "deny a -> { b, c }:http"),
    "except in braces": ("allow { a, b except c } -> d", "allow { a, b except c } -> d"),
    "a number, then a statement": (
        "service a { port http 80 }\nallow b -> c:80\nallow d -> e",
        "service a { port http 80 }\nallow b -> c:80\nallow d -> e",
    ),
    "a condition, then a claim": (
        'prove "x" { only a reaches b when source in z\n c can reach d }',
        'prove "x" { only a reaches b when source in z  c can reach d }',
    ),
    "a method with a hyphen": ("allow a -> b { M-SEARCH /x }", "allow a -> b { M-SEARCH /x }"),
    "versions called like settings": (
        "route a:http { otherwise => timeout 95%, mirror 5% }",
        "route a:http { otherwise => timeout 95%, mirror 5% }",
    ),
    "not takes the one test after it": (
        'allow a -> b { when not claim["a"] == "b" or has token }',
        'allow a -> b { when not claim["a"] == "b" or has token }',
    ),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(text: str, code: str) -> None:
    assert [diagnostic.code for diagnostic in parse(SourceFile("x.mesh", text)).diagnostics] == [code]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_said_where_and_what_would_be_right(name: str) -> None:
    text = REFUSED[name][0]
    (found,) = parse(SourceFile("x.mesh", text)).diagnostics

    assert found.primary is not None
    assert text[found.primary.start : found.primary.end] == AT[name]
    assert found.help


@pytest.mark.parametrize(("text", "written"), READ.values(), ids=READ)
def test_it_is_read_as_it_looks(text: str, written: str) -> None:
    source = SourceFile("x.mesh", text)
    parsed = parse(source)

    assert parsed.diagnostics == ()
    assert format_document(parsed.document, source) == f"{written}\n"


def statement(text: str) -> Statement:
    (only,) = parse(SourceFile("x.mesh", text)).document.statements
    return only


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ('deny d: anyone -> all { unless source in shop or path == "/x" }',
         'deny d: anyone -> all { unless (source in shop) or (path == "/x") }'),
        ('allow a -> b { when not claim["a"] == "b" or has token }',
         'allow a -> b { when (not (claim["a"] == "b")) or has token }'),
        ("deny a -> all except b:http", "deny a -> all except b : http"),
        ("allow a -> b { GET /x }", "allow a->b{GET /x}"),
    ],
)  # fmt: skip
def test_two_ways_to_write_one_thing(shorter: str, longer: str) -> None:
    assert statement(shorter) == statement(longer)
