from __future__ import annotations

import pytest

from meshproof.compiler.ir.entities import TokenPlace
from meshproof.runtime.tokens.places import header_of, looker, without_token

HEADER, QUERY, COOKIE = (TokenPlace(kind, "tok") for kind in ("header", "query", "cookie"))
Lines = tuple[tuple[bytes, bytes], ...]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (((b"Authorization", b"Bearer a.b.c"),), [b"a.b.c"]),
        (((b"AUTHORIZATION", b"bEARER   a.b.c "),), [b"a.b.c"]),
        (((b"authorization", b"Bearer\ta.b.c"),), [b"a.b.c"]),
        (((b"authorization", b"Bearer"),), [b""]),
        (((b"authorization", b" Bearer "),), [b""]),
        (((b"authorization", b"Bearer a.b.c, Basic x"),), [b"a.b.c, Basic x"]),
        (((b"authorization", b"Basic Bearer"),), []),
        (((b"authorization", b"Bearera.b.c"),), []),
        (((b"authorization", b""),), []),
        (((b"authorisation", b"Bearer a"),), []),
        (((b"authorization", b"Basic x"), (b"authorization", b"Digest y")), []),
        (((b"authorization", b"Basic x"), (b"Authorization", b"Bearer y")), [b"Basic x", b"Bearer y"]),
        (((b"authorization", b"Bearer x"), (b"authorization", b"Bearer x")), [b"Bearer x", b"Bearer x"]),
    ],
)
def test_bearer(lines: Lines, found: list[bytes]) -> None:
    assert looker(None)(lines, b"/?access_token=x") == found


def test_a_header_is_taken_whole() -> None:
    look = looker(HEADER)
    assert look(((b"Tok", b" a.b.c\t"), (b"token", b"x")), b"/") == [b"a.b.c"]
    assert look(((b"tok", b"Bearer a"), (b"TOK", b"")), b"/") == [b"Bearer a", b""]
    assert look(((b"authorization", b"Bearer a"),), b"/?tok=1") == []


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"/?tok=a.b.c", [b"a.b.c"]),
        (b"/x?a=1&tok=a.b.c&b", [b"a.b.c"]),
        (b"/?tok", [b""]),
        (b"/?tok=", [b""]),
        (b"/?tok=a=b", [b"a=b"]),
        (b"/?tok=a&tok=b", [b"a", b"b"]),
        (b"/?Tok=a&xtok=b&tokx=c&t%6fk=d", []),
        (b"/?a?tok=x", []),
        (b"/tok=a", []),
    ],
)
def test_a_parameter_is_taken_as_it_is(target: bytes, found: list[bytes]) -> None:
    assert looker(QUERY)(((b"tok", b"x"), (b"cookie", b"tok=x")), target) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (((b"Cookie", b"a=1; tok=a.b.c; d=2"),), [b"a.b.c"]),
        (((b"cookie", b"a=1"), (b"cookie", b"tok=a.b.c")), [b"a.b.c"]),
        (((b"cookie", b'tok="a.b.c"'),), [b"a.b.c"]),
        (((b"cookie", b"tok = a.b.c"),), [b"a.b.c"]),
        (((b"cookie", b'tok="'),), [b'"']),
        (((b"cookie", b"tok"),), [b""]),
        (((b"cookie", b"tok=a;tok=b"),), [b"a", b"b"]),
        (((b"cookie", b"Tok=a; xtok=b"),), []),
        (((b"tok", b"tok=a"),), []),
    ],
)
def test_a_cookie_is_one_of_all_lines(lines: Lines, found: list[bytes]) -> None:
    assert looker(COOKIE)(lines, b"/?tok=x") == found


def test_a_token_is_taken_out_where_it_stands_and_nowhere_else() -> None:
    lines = ((b"Authorization", b"Bearer a"), (b"Tok", b"b"), (b"Cookie", b"x=1;  tok=c ; y=2"), (b"cookie", b"tok=d"))
    target = b"/p?tok=e&a=1&tok"
    assert without_token(None, lines, target) == (lines[1:], target)
    assert without_token(HEADER, lines, target) == ((lines[0], *lines[2:]), target)
    assert without_token(COOKIE, lines, target) == ((*lines[:2], (b"Cookie", b"x=1; y=2")), target)
    assert without_token(QUERY, lines, target) == (lines, b"/p?a=1")
    assert without_token(QUERY, lines, b"/p?tok=e") == (lines, b"/p")
    assert without_token(QUERY, lines, b"/p") == (lines, b"/p")
    for place in (None, HEADER, QUERY, COOKIE):
        assert looker(place)(*without_token(place, lines, target)) == []


def test_which_header_a_proxy_must_show() -> None:
    assert [header_of(place) for place in (None, HEADER, QUERY, COOKIE)] == ["authorization", "tok", None, "cookie"]
