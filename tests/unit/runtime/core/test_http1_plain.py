"""What is read in one go is what httptools reads of it: beside the same bytes in two pieces, which it always reads."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.runtime.core.http1_ends import Answering, answered
from tests.unit.runtime.core.test_http1_beside_h11 import ENDS, NAMES, VALUES, requests

from meshproof.runtime.core import http1_plain
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_plain import host_line, plain_request, plain_response
from meshproof.runtime.core.http1_requests import RequestEvent, RequestParser
from meshproof.runtime.core.http1_responses import ResponseEvent, ResponseParser
from meshproof.runtime.core.messages import ResponseHead

LIMITS = Http1Limits(headers=4)
FIRST = b"GET /first HTTP/1.1\r\nhost: shop\r\nx: y\r\n\r\n"
BLOCK = b"accept: */*\r\nUser-Agent: a b\r\n"
PLAIN = b"DELETE /a/b?c#d HTTP/1.1\r\n" + BLOCK + b"host: shop\r\nx:\t\xe4 \r\n\r\n"
ODD = (
    b"host: shop\r\nGET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nhost: shop\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx: y\r\n\r\nGET / HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\nhost: shop\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\n x: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx: a\nb: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx : y\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx:\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nx_a: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nContent-Length: 3\r\n\r\n\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\nte: trailers\r\n\r\n",
    b"GET / HTTP/1.0\r\nhost: shop\r\n\r\n",
    b"GET  / HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"GET /\x7f HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"GET /\xe4 HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"GET a HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"get / HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"CONNECT / HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: shop\r\n" + b"x: y\r\n" * 5 + b"\r\n",
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nabc"


def _asked(parser: RequestParser, data: bytes) -> list[RequestEvent]:
    """As whoever serves reads it: in one go, if it is plain."""
    whole = parser.whole(memoryview(data))
    return parser.feed(memoryview(data)) if whole is None else [whole]


def _requests(pieces: list[bytes]) -> tuple[list[RequestEvent], tuple[bool, ...], list[RequestEvent]]:
    """What these bring after a first request, how the parser stands then, and what another request brings."""
    parser = RequestParser(LIMITS)
    assert len(parser.feed(FIRST)) == 1
    events = [event for piece in pieces for event in _asked(parser, piece)]
    stands = (parser.is_ended, parser.is_last, parser.is_in_head)
    return events, stands, _asked(parser, FIRST)


def _responses(pieces: list[bytes], *, is_head: bool) -> tuple[list[ResponseEvent], tuple[bool, ...]]:
    parser = ResponseParser(LIMITS)
    parser.expect(is_head=is_head)
    events = [event for piece in pieces for event in answered(parser, piece)]
    stands: tuple[bool, ...] = (parser.is_ended, parser.is_reusable, parser.is_raw)
    parser.expect(is_head=False)
    return [*events, *answered(parser, ANSWER)], (*stands, parser.is_reusable)


def _is_read_alike(data: bytes) -> bool:
    return _requests([data]) == _requests([data[:1], data[1:]])


@pytest.mark.parametrize("data", ODD)
def test_what_is_odd_is_read_by_httptools(data: bytes) -> None:
    assert plain_request(data, b"host: shop", LIMITS.headers) is None
    assert _is_read_alike(data)


@given(requests().filter(bool))
@example(PLAIN)
def test_requests_are_read_as_by_httptools(data: bytes) -> None:
    assert _is_read_alike(data)


@given(st.lists(st.sampled_from([*PLAIN.splitlines(keepends=True), b"\r\n", b" ", b"\n", b"x: y\r\n"]), min_size=1))
def test_lines_in_any_order_are_read_as_by_httptools(lines: list[bytes]) -> None:
    assert _is_read_alike(b"".join(lines))


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_any_byte_changed_is_read_as_by_httptools(place: int, byte: int) -> None:
    assert _is_read_alike(PLAIN[:place] + bytes([byte]) + PLAIN[place + 1 :])


def test_what_is_plain_is_read_in_one_go() -> None:
    found = plain_request(PLAIN, b"host: shop", LIMITS.headers)
    fields = [(b"accept", b"*/*"), (b"user-agent", b"a b"), (b"x", b"\xe4")]
    assert found == ("DELETE", "/a/b?c#d", fields)
    assert plain_response(ANSWER, LIMITS.headers) == ResponseHead(
        200, [(b"content-type", b"a/b")], 3, is_end=True, body=b"abc"
    )


def test_the_line_of_a_host_is_known_where_there_is_one() -> None:
    assert host_line(PLAIN) == b"host: shop"
    assert host_line(b"GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n") == b""


def test_another_host_is_read_anew() -> None:
    parser = RequestParser(LIMITS)
    told = [_asked(parser, b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % name)[0] for name in (b"a", b"a", b"b", b"b", b"a")]
    assert [one.authority for one in told if not isinstance(one, bytes | list | None)] == ["a", "a", "b", "b", "a"]  # type: ignore[union-attr]


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    first = draw(
        st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 204 a", b"HTTP/1.1 304 b"])
        | st.sampled_from(
            [b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 100 c", b"HTTP/1.1 101 d", b"HTTP/1.1 600 e"]
        )
        | st.sampled_from([b"HTTP/1.1  200 OK", b"http/1.1 200 OK", b"HTTP/1.1 2000 f", b"HTTP/1.1 200 \x00", b""])
    )
    lines = draw(st.lists(st.tuples(NAMES, VALUES, ENDS), max_size=3))
    length = draw(st.sampled_from([b"content-length: 3\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b""]))
    head = first + draw(ENDS) + length + b"".join(name + b": " + value + end for name, value, end in lines)
    return head + b"\r\n" + draw(st.sampled_from([b"", b"abc", b"ab", b"abcd", b"\r\n\r\n", b"0\r\n\r\n"]))


@given(data=responses(), is_head=st.booleans())
@example(data=ANSWER, is_head=False)
@example(data=ANSWER, is_head=True)
def test_responses_are_read_as_by_httptools(data: bytes, is_head: bool) -> None:
    assert _responses([data], is_head=is_head) == _responses([data[:1], data[1:]], is_head=is_head)


def test_what_goes_on_is_not_read_as_if_it_began() -> None:
    """Bytes that look like a message, in the middle of another one, are a part of it."""
    asked = RequestParser(LIMITS)
    assert len(asked.feed(FIRST)) == 1
    [head] = asked.feed(b"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: %d\r\n\r\n" % len(FIRST))
    assert not head.is_end  # type: ignore[union-attr]  # it is a head
    assert asked.whole(FIRST) is None
    assert asked.feed(FIRST) == [FIRST, None]

    answer = ResponseParser(LIMITS)
    answer.expect(is_head=False)
    assert answer.feed(b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: %d\r\n" % len(ANSWER)) == []
    assert answer.whole(ANSWER) is None


def test_a_request_waits_for_the_answer_to_the_one_before_it() -> None:
    end = Answering(is_prompt=False).feed(FIRST)
    end.asked[0].stream.response(ResponseHead(204, [], is_end=True))
    for path in (b"second", b"third"):
        end.feed(FIRST.replace(b"first", path))
    assert [one.head.target for one in end.asked] == ["/first", "/second"]
    end.asked[1].stream.response(ResponseHead(204, [], is_end=True))
    assert [one.head.target for one in end.asked] == ["/first", "/second", "/third"]


@pytest.mark.parametrize("body", [b"abc", b"ab", b"abcd", b"", b"abcHTTP/1.1 200 OK\r\n\r\n"])
def test_a_head_that_came_before_is_read_as_the_first_time(body: bytes) -> None:
    first = plain_response(ANSWER, LIMITS.headers)
    assert first is not None
    first.fields.append((b"x", b"of its own"))
    again = ANSWER[:-3] + body
    assert _responses([again], is_head=False) == _responses([again[:1], again[1:]], is_head=False)
    assert plain_response(ANSWER, 1) is None


def test_heads_with_secrets_and_long_ones_are_not_kept() -> None:
    before = set(http1_plain._HEADS)
    for line in (b"set-cookie: a=secret", b"location: /?secret", b"x-a: %b" % (b"secret" * 100)):
        data = b"HTTP/1.1 200 OK\r\n%b\r\ncontent-length: 1\r\n\r\na" % line
        assert _responses([data[:1], data[1:]], is_head=False) == _responses([data], is_head=False)
    assert not any(b"secret" in head for head in http1_plain._HEADS)
    day = b"HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 20:41:50 GMT\r\ncontent-length: 1\r\n\r\na"
    assert plain_response(day, LIMITS.headers) is not None
    assert set(http1_plain._HEADS) - before >= {day[:-5]}
