from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.http1 import Fault, Head, HeadLimits, RequestReader

ASKED = b"GET /catalog/items/7?x=1 HTTP/1.1\r\nHost: shop\r\ncontent-length: 0\r\nX-A:  one \r\n\r\n"
HEAD = Head("GET", "/catalog/items/7?x=1", (("host", "shop"), ("content-length", "0"), ("x-a", "one")))


def _read(data: bytes, step: int | None = None, limits: HeadLimits | None = None) -> tuple[list[Head], Fault | None]:
    reader = RequestReader(limits or HeadLimits())
    heads: list[Head] = []
    fault = None
    step = step or len(data) or 1
    for start in range(0, len(data), step):
        some, fault = reader.feed(data[start : start + step])
        heads += some
    return heads, fault


@pytest.mark.parametrize("step", [None, 1, 7])
def test_a_request_is_read_however_it_arrives(step: int | None) -> None:
    assert _read(ASKED * 3, step) == ([HEAD, HEAD, HEAD], None)


def test_a_connection_that_is_to_be_closed_says_so() -> None:
    heads, fault = _read(b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert fault is None
    assert [head.is_last for head in heads] == [True]


BROKEN = {
    "both lengths": (b"GET /a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n", 400),
    "chunked": (b"POST /a/b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    "other coding": (b"POST /a/b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", 413),
    "a body": (b"POST /a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", 413),
    "two lengths": (b"GET /a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n", 400),
    "a length with a sign": (b"GET /a/b HTTP/1.1\r\nhost: a\r\ncontent-length: +0\r\n\r\n", 400),
    "a length of noughts": (b"GET /a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 00\r\n\r\n", 413),
    "two hosts": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", 400),
    "no host": (b"GET /a/b HTTP/1.1\r\nx: a\r\n\r\n", 400),
    "a folded line": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", 400),
    "bare line feeds": (b"GET /a/b HTTP/1.1\nhost: a\n\n", 400),
    "a bare line feed": (b"GET /a/b HTTP/1.1\r\nhost: a\nx: b\r\n\r\n", 400),
    "a bare return": (b"GET /a/b HTTP/1.1\r\nhost: a\rx: b\r\n\r\n", 400),
    "a blank before the colon": (b"GET /a/b HTTP/1.1\r\nhost : a\r\n\r\n", 400),
    "no name": (b"GET /a/b HTTP/1.1\r\n: a\r\n\r\n", 400),
    "no colon": (b"GET /a/b HTTP/1.1\r\nhost\r\n\r\n", 400),
    "a control character": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nx: \x01\r\n\r\n", 400),
    "a nought": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n", 400),
    "another version": (b"GET /a/b HTTP/1.0\r\nhost: a\r\n\r\n", 505),
    "another language": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an upgrade": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", 400),
    "half an upgrade": (b"GET /a/b HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\n\r\n", 400),
    "a tunnel": (b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "an unknown method": (b"FOO /a/b HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "a blank in the path": (b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
}


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", BROKEN)
def test_what_may_be_read_in_two_ways_is_refused(name: str, step: int | None) -> None:
    data, status = BROKEN[name]
    heads, fault = _read(ASKED + data + ASKED, step)
    assert heads == [HEAD]
    assert fault is not None
    assert fault.status == status


def test_large_heads_are_refused_before_they_end() -> None:
    limits = HeadLimits(most_bytes=8192, most_headers=8)
    heads, fault = _read(b"GET /a/b HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 20_000, None, limits)
    assert (heads, fault) == ([], Fault(431, "its headers are too large"))
    lines = b"".join(b"x%d: y\r\n" % number for number in range(12))
    assert _read(b"GET /a/b HTTP/1.1\r\n" + lines, 3, limits)[1] == Fault(431, "it has too many headers")


def test_the_limit_is_of_one_request_and_not_of_a_connection() -> None:
    heads, fault = _read(ASKED * 500, None, HeadLimits(most_bytes=4096))
    assert (len(heads), fault) == (500, None)


def test_nothing_is_read_after_a_fault() -> None:
    reader = RequestReader(HeadLimits())
    fault = reader.feed(b"GET /a/b HTTP/1.0\r\nhost: a\r\n\r\n")[1]
    assert fault is not None
    assert reader.feed(ASKED) == ((), fault)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([ASKED, b"GET / HTTP/1.1\r\n", b"host: a\r\n", b"\r\n", b"\n", b"content-length: 5\r\n", b" x"]),
)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.integers(1, 60))
def test_any_bytes_are_requests_or_a_fault_whatever_the_pieces(data: bytes, step: int) -> None:
    whole, fault = _read(data)
    pieces, other = _read(data, step)
    assert whole == pieces
    assert (fault is None) == (other is None)
