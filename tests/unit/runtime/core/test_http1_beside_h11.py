"""Beside h11, which is strict: what is taken here it takes too, and reads the same in it; pieces change nothing."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.http1_ends import Answering
from tests.unit.runtime.core.test_http1_server import BROKEN_BODIES, CHUNKED, REFUSED, TAKEN

_HOP = {b"host", b"connection", b"content-length", b"transfer-encoding", b"keep-alive", b"te", b"upgrade"}

METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH"])
TARGETS = st.sampled_from(
    [b"/", b"/a/b?x=1", b"/%2e%2e/", b"*", b"//a", b"/a;b", b"/a#b", b"", b"a", b"http://b/", b"/\x7f"]
)
NAMES = st.sampled_from(
    [
        b"x",
        b"X-A",
        b"x_a",
        b"",
        b"host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"a b",
        b"x\x00",
        b"TE",
    ]
)
VALUES = st.sampled_from(
    [
        b"y",
        b"",
        b"  y ",
        b"0",
        b"3",
        b"03",
        b"3,3",
        b"chunked",
        b"Chunked",
        b"gzip, chunked",
        b"close",
        b"a\x00",
        b"\xe4",
        b"\t3",
    ]
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n "])
BODIES = st.sampled_from(
    [
        b"",
        b"abc",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nx: y\r\n\r\n",
        b"3;a=b\r\nabc\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"g\r\n",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One that is nearly good."""
    first = draw(METHODS) + b" " + draw(TARGETS) + b" HTTP/1.1" + draw(ENDS)
    lines = draw(st.lists(st.tuples(NAMES, VALUES, ENDS), max_size=4))
    hosts = draw(st.sampled_from([b"host: shop\r\n", b"Host: shop:80\r\n", b""]))
    head = first + hosts + b"".join(name + b": " + value + end for name, value, end in lines) + b"\r\n"
    return head + draw(BODIES)


def _by_h11(data: bytes) -> list[tuple[object, ...]]:
    """The requests that it reads. It knows nothing of empty lines between them, which RFC 9112 (2.2) lets be there."""
    found: list[tuple[object, ...]] = []
    while data:
        while data.startswith(b"\r\n"):
            data = data[2:]
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=200_000)
        connection.receive_data(data)
        try:
            event = connection.next_event()
            if not isinstance(event, h11.Request):
                break
            found.append(_one(event, connection))
        except h11.RemoteProtocolError:
            break
        if connection.their_state is not h11.DONE:
            break
        data = connection.trailing_data[0]
    return found


def _one(head: h11.Request, connection: h11.Connection) -> tuple[object, ...]:
    fields = tuple((name, value) for name, value in head.headers if name not in _HOP)
    host = next((value for name, value in head.headers if name == b"host"), b"")
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += bytes(event.data)
    is_whole = isinstance(event, h11.EndOfMessage)
    trailers = tuple(event.headers) if isinstance(event, h11.EndOfMessage) else ()
    return head.method, head.target, host, fields, body, trailers, is_whole


def _meanings(found: Answering) -> list[tuple[object, ...]]:
    return [
        (
            one.head.method.encode(),
            one.head.target.encode(),
            one.head.authority.encode(),
            tuple((name, value) for name, value in one.head.fields if name not in _HOP),
            one.body,
            tuple(one.trailers_told or ()),
            one.is_whole,
        )
        for one in found.asked
    ]


def _compare(data: bytes) -> None:
    whole = Answering().feed(data)
    for step in (1, 3):
        pieces = Answering().feed(data, step)
        assert pieces.meanings == whole.meanings
        # Of a head with two faults, either may be met first.
        assert [min(one, 400) for one in pieces.statuses] == [min(one, 400) for one in whole.statuses]
        assert [one.failure for one in pieces.asked] == [one.failure for one in whole.asked]
    ours = [one for one in _meanings(whole) if one[-1]]
    theirs = _by_h11(data)
    assert ours == [one for one in theirs if one[-1]][: len(ours)]


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_is_taken_by_h11_too(name: str) -> None:
    sent, _ = TAKEN[name]
    _compare(sent * 2)
    assert len([one for one in _by_h11(sent * 2) if one[-1]]) == len(Answering().feed(sent * 2).asked) == 2


@pytest.mark.parametrize("name", [*REFUSED, *BROKEN_BODIES])
def test_what_is_refused_is_refused_in_pieces_too(name: str) -> None:
    data = REFUSED[name][0] if name in REFUSED else CHUNKED + BROKEN_BODIES[name]
    _compare(data + b"GET /b HTTP/1.1\r\nhost: shop\r\n\r\n")
    assert Answering().feed(data).statuses[-1] >= 400


@given(st.lists(requests(), min_size=1, max_size=3))
def test_whatever_comes_is_read_as_h11_reads_it_or_refused(some: list[bytes]) -> None:
    _compare(b"".join(some))


@given(requests(), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_byte_that_is_another_is_read_as_h11_reads_it_or_refused(one: bytes, place: int, other: bytes) -> None:
    place %= len(one)
    _compare(one[:place] + other + one[place + 1 :] + b"GET /b HTTP/1.1\r\nhost: shop\r\n\r\n")


@given(st.binary(max_size=300))
def test_noise_is_refused_or_waited_for(noise: bytes) -> None:
    found = Answering().feed(noise)
    assert all(one >= 400 for one in found.statuses) or found.asked
    found.codec.lost()
    assert found.codec.deadline == float("inf")
