"""The rules of RFC 9113, 8.2 and 8.3, as tables: what is taken, as what, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.http2.frames import Code
from meshproof.runtime.core.http2.heads import Refusal, StreamFault, request_head, response_head, trailer_fields
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Field, Fields

LIMITS = Http2Limits()
PSEUDO: Fields = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/a?b=c"), (b":authority", b"shop:8080")]


def _without(name: bytes, *more: Field) -> Fields:
    return [*(field for field in PSEUDO if field[0] != name), *more]


def _with(*more: Field) -> Fields:
    return PSEUDO + list(more)


def test_a_request_is_taken_apart() -> None:
    head = request_head(
        _with(
            (b"cookie", b"a=1"),
            (b"x-a", b"1"),
            (b"te", b"trailers"),
            (b"content-length", b"7"),
            (b"x-a", b""),
            (b"cookie", b"b=2"),
            (b"proxy-authorization", b"Basic x"),
            (b"http2-settings", b"x"),
            (b"host", b"SHOP:8080"),
        ),
        LIMITS,
        is_end=False,
    )

    assert (head.method, head.target, head.authority, head.version) == ("GET", "/a?b=c", "shop:8080", "HTTP/2")
    assert head.fields == [(b"x-a", b"1"), (b"te", b"trailers"), (b"x-a", b""), (b"cookie", b"a=1; b=2")]
    assert (head.length, head.is_end, head.protocol) == (7, False, "")


@pytest.mark.parametrize(
    "lines",
    [
        _without(b":authority", (b"host", b"shop")),
        [(b":method", b"OPTIONS"), (b":scheme", b"http"), (b":path", b"*"), (b":authority", b"[::1]:80")],
        _with((b"x-a", b"\xe9\t b")),
    ],
)
def test_what_is_well_formed_is_taken(lines: Fields) -> None:
    assert request_head(lines, LIMITS, is_end=True).is_end


MALFORMED = {
    "no method": _without(b":method"),
    "no scheme": _without(b":scheme"),
    "no path": _without(b":path"),
    "no host": _without(b":authority"),
    "an empty path": _without(b":path", (b":path", b"")),
    "a path of its own kind": _without(b":path", (b":path", b"a/b")),
    "an absolute path": _without(b":path", (b":path", b"http://other/a")),
    "a star for a method that has none": _without(b":path", (b":path", b"*")),
    "a fragment": _without(b":path", (b":path", b"/a#b")),
    "a blank in its path": _without(b":path", (b":path", b"/a b")),
    "a line end in its path": _without(b":path", (b":path", b"/a HTTP/1.1\r\nx: y")),
    "a high byte in its path": _without(b":path", (b":path", b"/\xc3\xa9")),
    "another scheme": _without(b":scheme", (b":scheme", b"ftp")),
    "a method that is no token": _without(b":method", (b":method", b"GET /x HTTP/1.1\r\n")),
    "an empty method": _without(b":method", (b":method", b"")),
    "two methods": [(b":method", b"GET"), *PSEUDO],
    "two paths": [(b":path", b"/b"), *PSEUDO],
    "two authorities": [(b":authority", b"shop:8080"), *PSEUDO],
    "an unknown pseudo header": [(b":x", b"y"), *PSEUDO],
    "a pseudo header of answers": [(b":status", b"200"), *PSEUDO],
    "an extended connect": [(b":protocol", b"websocket"), *PSEUDO],
    "a pseudo header after others": [*_without(b":path"), (b"x-a", b"1"), (b":path", b"/a")],
    "another host": _with((b"host", b"other")),
    "two hosts": _without(b":authority", (b"host", b"a"), (b"host", b"a")),
    "an empty host": _without(b":authority", (b":authority", b"")),
    "a user in its host": _without(b":authority", (b":authority", b"user@shop")),
    "a path in its host": _without(b":authority", (b":authority", b"shop/a")),
    "a line end in its host": _without(b":authority", (b":authority", b"shop\r\nx: y")),
    "a capital": _with((b"X-a", b"1")),
    "an empty name": _with((b"", b"1")),
    "a blank in a name": _with((b"x a", b"1")),
    "a colon in a name": _with((b"x:a", b"1")),
    "a line end in a name": _with((b"x-a\r\nb", b"1")),
    "a bare newline in a name": _with((b"x-a\nb", b"1")),
    "only a newline as a name": _with((b"\n", b"1")),
    "a high byte in a name": _with((b"x\x80", b"1")),
    "CR in a value": _with((b"x-a", b"1\rb")),
    "LF in a value": _with((b"x-a", b"1\nb: c")),
    "CR and LF in a value": _with((b"x-a", b"1\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n")),
    "only LF as a value": _with((b"x-a", b"\n")),
    "NUL in a value": _with((b"x-a", b"1\0b")),
    "DEL in a value": _with((b"x-a", b"\x7f")),
    "a blank before a value": _with((b"x-a", b" 1")),
    "a tab after a value": _with((b"x-a", b"1\t")),
    "connection": _with((b"connection", b"close")),
    "transfer-encoding": _with((b"transfer-encoding", b"chunked")),
    "keep-alive": _with((b"keep-alive", b"5")),
    "upgrade": _with((b"upgrade", b"h2c")),
    "proxy-connection": _with((b"proxy-connection", b"close")),
    "te of another kind": _with((b"te", b"trailers, deflate")),
    "two lengths": _with((b"content-length", b"0"), (b"content-length", b"0")),
    "a length in a list": _with((b"content-length", b"0, 0")),
    "a length with a sign": _with((b"content-length", b"+0")),
    "a length that is none": _with((b"content-length", b"")),
    "a length without a body": _with((b"content-length", b"5")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused(name: str) -> None:
    with pytest.raises(StreamFault) as fault:
        request_head(MALFORMED[name], LIMITS, is_end=True)
    assert fault.value.code == Code.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([(b":method", b"CONNECT"), (b":authority", b"a:1")], 405),
        (_with((b"content-length", b"11")), 413),
        (_with((b"x_a", b"1")), 400),
    ],
)
def test_what_is_not_served_is_told(lines: Fields, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        request_head(lines, Http2Limits(body_bytes=10), is_end=False)
    assert refusal.value.status == status


def test_underscores_are_taken_where_they_may_be() -> None:
    head = request_head(_with((b"x_a", b"1")), Http2Limits(takes_underscores=True), is_end=True)
    assert head.fields == [(b"x_a", b"1")]


@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6)), max_size=4))
def test_whatever_is_taken_can_be_written_as_http_1_1(lines: Fields) -> None:
    """No line of a head that was taken can begin another line, another head, or a body, whoever reads it."""
    try:
        head = request_head(PSEUDO + lines, LIMITS, is_end=True)
    except (StreamFault, Refusal):
        return
    for name, value in head.fields:
        assert name.lower() == name
        assert name not in {b"host", b"content-length", b"transfer-encoding", b"connection"}
        assert not set(name) & set(b"\r\n\0: ")
        assert not set(value) & set(b"\r\n\0")
        assert value.strip() == value


ANSWERS: list[tuple[Fields, bool, bool, tuple[int, int | None, bool]]] = [
    ([(b":status", b"200")], False, False, (200, None, False)),
    ([(b":status", b"200")], True, False, (200, 0, True)),
    ([(b":status", b"200"), (b"content-length", b"5")], False, False, (200, 5, False)),
    ([(b":status", b"200"), (b"content-length", b"5")], True, True, (200, 5, True)),
    ([(b":status", b"304"), (b"content-length", b"5")], True, False, (304, 5, True)),
    ([(b":status", b"204")], False, False, (204, 0, False)),
    ([(b":status", b"103")], False, False, (103, None, False)),
]


@pytest.mark.parametrize(("lines", "is_end", "is_of_head", "expected"), ANSWERS)
def test_an_answer_is_taken_apart(
    lines: Fields, is_end: bool, is_of_head: bool, expected: tuple[int, int | None, bool]
) -> None:  # fmt: skip
    head = response_head(lines, is_end=is_end, is_of_head=is_of_head)
    assert (head.status, head.length, head.is_end) == expected
    assert head.fields == []


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(b":status", b"20")],
        [(b":status", b"2000")],
        [(b":status", b"600")],
        [(b":status", b"099")],
        [(b":status", b"101")],
        [(b":status", b"200"), (b":status", b"200")],
        [(b":status", b"200"), (b":path", b"/")],
        [(b"x-a", b"1"), (b":status", b"200")],
        [(b":status", b"200"), (b"connection", b"close")],
        [(b":status", b"200"), (b"transfer-encoding", b"chunked")],
        [(b":status", b"200"), (b"set-cookie", b"a\r\nb: c")],
        [(b":status", b"200"), (b"content-length", b"5")],
        [(b":status", b"100")],
    ],
)
def test_what_is_no_answer_is_refused(lines: Fields) -> None:
    with pytest.raises(StreamFault):
        response_head(lines, is_end=True, is_of_head=False)


@pytest.mark.parametrize(
    "name",
    [b":path", b":status", b"host", b"content-length", b"transfer-encoding", b"connection", b"te", b"authorization",
     b"cookie", b"X-a", b"x-\n"],
)  # fmt: skip
def test_trailers_hold_nothing_of_a_head(name: bytes) -> None:
    with pytest.raises(StreamFault):
        trailer_fields([(b"grpc-status", b"0"), (name, b"1")])


def test_trailers_are_taken() -> None:
    lines: Fields = [(b"grpc-status", b"0"), (b"grpc-message", b""), (b"x-bin", b"AAE=")]
    assert trailer_fields(lines) == lines
