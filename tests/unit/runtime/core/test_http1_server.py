"""What clients send, whole and in pieces, and what comes of it. Each line of the tables is a case."""

from __future__ import annotations

import pytest
from tests.unit.runtime.core.http1_ends import Answering

from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.messages import Failure, ResponseHead

GET = b"GET /a HTTP/1.1\r\nhost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nhost: shop\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
SMALL = Http1Limits(head_bytes=1024, headers=4, body_bytes=10)

REFUSED = {
    "both lengths": (POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "both lengths, the other way round": (POST + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n", 400),
    "two lengths that differ": (POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
    "two lengths that do not": (POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc", 400),
    "a list of lengths": (POST + b"content-length: 3, 3\r\n\r\nabc", 400),
    "a length with a sign": (POST + b"content-length: +3\r\n\r\nabc", 400),
    "a length below nothing": (POST + b"content-length: -3\r\n\r\nabc", 400),
    "a length in another base": (POST + b"content-length: 0x3\r\n\r\nabc", 400),
    "a length of other digits": (POST + "content-length: ٣\r\n\r\nabc".encode(), 400),
    "no length": (POST + b"content-length:\r\n\r\n", 400),
    "a length beyond all": (POST + b"content-length: 99999999999999999999\r\n\r\n", 400),
    "another coding": (POST + b"transfer-encoding: gzip\r\n\r\n", 501),
    "two codings": (POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked and another": (POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "a coding that is like chunked": (POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "a coding after a tab that is none": (POST + b"transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "identity": (POST + b"transfer-encoding: identity\r\n\r\n", 501),
    "a folded line": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx: a\r\n b\r\n\r\n", 400),
    "a folded coding": (POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "lines that end in LF": (b"GET /a HTTP/1.1\nhost: shop\n\n", 400),
    "one line that ends in LF": (b"GET /a HTTP/1.1\r\nhost: shop\nx: y\r\n\r\n", 400),
    "a CR in a value": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx: a\rb: c\r\n\r\n", 400),
    "a NUL in a value": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx: a\x00b\r\n\r\n", 400),
    "two hosts": (b"GET /a HTTP/1.1\r\nhost: shop\r\nhost: bank\r\n\r\n", 400),
    "two hosts that are one": (b"GET /a HTTP/1.1\r\nhost: shop\r\nHost: shop\r\n\r\n", 400),
    "no host": (b"GET /a HTTP/1.1\r\nx: y\r\n\r\n", 400),
    "an empty host": (b"GET /a HTTP/1.1\r\nhost:\r\n\r\n", 400),
    "a host with a path": (b"GET /a HTTP/1.1\r\nhost: shop/b\r\n\r\n", 400),
    "a host with a user": (b"GET /a HTTP/1.1\r\nhost: me@shop\r\n\r\n", 400),
    "a list of hosts": (b"GET /a HTTP/1.1\r\nhost: shop bank\r\n\r\n", 400),
    "an absolute target": (b"GET http://bank/a HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "a target that is an authority": (b"GET shop:80 HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "a tunnel": (b"CONNECT shop:80 HTTP/1.1\r\nhost: shop:80\r\n\r\n", 405),
    "a target with a blank": (b"GET /a b HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "a target beyond ASCII": ("GET /ä HTTP/1.1\r\nhost: shop\r\n\r\n".encode(), 400),
    "a target with a control": (b"GET /\x01 HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "a blank before the colon": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx : y\r\n\r\n", 400),
    "a blank before a name": (b"GET /a HTTP/1.1\r\n host: shop\r\n\r\n", 400),
    "a name of nothing": (b"GET /a HTTP/1.1\r\nhost: shop\r\n: y\r\n\r\n", 400),
    "a name with an underscore": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx_forwarded_client_cert: y\r\n\r\n", 400),
    "a name that is none": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx(y): z\r\n\r\n", 400),
    "a line without a colon": (b"GET /a HTTP/1.1\r\nhost: shop\r\nxy\r\n\r\n", 400),
    "a connection that names the host": (b"GET /a HTTP/1.1\r\nhost: shop\r\nconnection: host\r\n\r\n", 400),
    "a connection that names a cookie": (b"GET /a HTTP/1.1\r\nhost: shop\r\nconnection: cookie\r\n\r\n", 400),
    "a connection that is no list": (b"GET /a HTTP/1.1\r\nhost: shop\r\nconnection: a b\r\n\r\n", 400),
    "version 1.0": (b"GET /a HTTP/1.0\r\nhost: shop\r\n\r\n", 505),
    "version 2.0": (b"GET /a HTTP/2.0\r\nhost: shop\r\n\r\n", 505),
    "no version": (b"GET /a\r\n\r\n", 505),
    "no method that is known": (b"FROB /a HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "a method in small letters": (b"get /a HTTP/1.1\r\nhost: shop\r\n\r\n", 400),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a websocket with a body": (
        b"GET /a HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 1\r\n\r\nx",
        400,
    ),
}
BROKEN_BODIES = {
    "a size that is none": b"x\r\nabc\r\n0\r\n\r\n",
    "a size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size in front of which is 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a size beyond all": b"fffffffffffffffff\r\nabc\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a size that ends in LF": b"3\nabc\r\n0\r\n\r\n",
    "a chunk that ends in LF": b"3\r\nabc\n0\r\n\r\n",
    "a chunk that is longer": b"3\r\nabcd\r\n0\r\n\r\n",
    "a blank after the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "a trailer that is a length": b"3\r\nabc\r\n0\r\ncontent-length: 3\r\n\r\n",
    "a trailer that is a coding": b"3\r\nabc\r\n0\r\ntransfer-encoding: chunked\r\n\r\n",
    "a trailer that is a host": b"3\r\nabc\r\n0\r\nhost: bank\r\n\r\n",
    "a trailer with an underscore": b"3\r\nabc\r\n0\r\nx_a: bank\r\n\r\n",
}
TAKEN = {
    "plain": (GET, b""),
    "with a body": (POST + b"content-length: 3\r\n\r\nabc", b"abc"),
    "a body of nothing": (POST + b"content-length: 0\r\n\r\n", b""),
    "chunks": (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    "chunks of nothing": (CHUNKED + b"0\r\n\r\n", b""),
    "a size with zeros": (CHUNKED + b"003\r\nabc\r\n0\r\n\r\n", b"abc"),
    "an extension": (CHUNKED + b"3;a=b\r\nabc\r\n0\r\n\r\n", b"abc"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nx: y\r\n\r\n", b"abc"),
    "a coding in capitals": (POST + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", b""),
    "a length with zeros": (POST + b"content-length: 003\r\n\r\nabc", b"abc"),
    "an empty line before": (b"\r\n" + GET, b""),
}


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_read_in_two_ways_is_refused(name: str, step: int | None) -> None:
    sent, status = REFUSED[name]
    found = Answering().feed(sent + GET, step)
    assert found.statuses == [status]
    assert found.asked == []
    assert len(found.faults) == 1
    assert found.codec.is_idle is False or found.wire.is_over


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_body_that_is_broken_ends_its_request_and_nothing_comes_after_it(name: str, step: int | None) -> None:
    found = Answering().feed(CHUNKED + BROKEN_BODIES[name] + GET, step)
    assert [one.failure for one in found.asked] == [Failure.PROTOCOL]
    assert not found.asked[0].is_whole
    assert found.statuses == [400]
    assert len(found.faults) == 1


@pytest.mark.parametrize("step", [None, 1, 7])
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_good_is_taken_and_so_is_what_comes_after_it(name: str, step: int | None) -> None:
    sent, body = TAKEN[name]
    found = Answering().feed(sent + GET, step)
    assert [one.body for one in found.asked] == [body, b""]
    assert [one.is_whole for one in found.asked] == [True, True]
    assert found.statuses == [200, 200]
    assert found.faults == []


@pytest.mark.parametrize("step", [None, 1])
def test_headers_of_the_hop_go_no_further(step: int | None) -> None:
    sent = (
        b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\n"
        b"Proxy-Authorization: x\r\nX-Yours:  2 \r\n\r\n"
    )
    found = Answering().feed(sent, step)
    assert found.asked[0].head.fields == [(b"x-yours", b"2")]
    assert found.wire.states[-1:] == ["close"]


LIMITED = {
    "headers": (b"GET /a HTTP/1.1\r\nhost: shop\r\n" + b"x: y\r\n" * 5 + b"\r\n", 431),
    "bytes of headers": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx: " + b"y" * 2000 + b"\r\n\r\n", 431),
    "bytes of a target": (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nhost: shop\r\n\r\n", 431),
    "bytes of a head without an end": (b"GET /a HTTP/1.1\r\nhost: shop\r\nx: " + b"y" * 2000, 431),
    "a length": (POST + b"content-length: 11\r\n\r\n", 413),
}


@pytest.mark.parametrize("step", [None, 1, 100])
@pytest.mark.parametrize("name", LIMITED)
def test_limits_are_kept(name: str, step: int | None) -> None:
    sent, status = LIMITED[name]
    found = Answering(limits=SMALL).feed(sent, step)
    assert found.statuses == [status]
    assert found.asked == []


@pytest.mark.parametrize("step", [None, 1])
def test_chunks_are_limited_too(step: int | None) -> None:
    found = Answering(limits=SMALL).feed(CHUNKED + b"6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n", step)
    assert [one.failure for one in found.asked] == [Failure.PROTOCOL]
    assert found.statuses == [413]


def test_trailers_are_limited_too() -> None:
    found = Answering(limits=SMALL).feed(CHUNKED + b"1\r\na\r\n0\r\n" + b"x: y\r\n" * 5 + b"\r\n")
    assert [one.is_whole for one in found.asked] == [False]
    assert found.statuses == [431]


def test_extensions_of_chunks_that_hold_nothing_are_refused() -> None:
    found = Answering().feed(CHUNKED + (b"1;" + b"x" * 60_000 + b"\r\na\r\n") * 10, 4096)
    assert [one.failure for one in found.asked] == [Failure.PROTOCOL]
    assert found.statuses == [400]


def test_a_head_that_does_not_end_in_time_is_refused() -> None:
    found = Answering().feed(b"GET /a HTTP/1.1\r\nhost:").wait(9.0)
    assert found.statuses == []
    found.feed(b" shop\r\nx:").wait(2.0)
    assert found.statuses == [408]
    assert "close" in found.wire.states or found.wait(3.0).wire.is_over


@pytest.mark.parametrize("count", [1, 5, len(GET) - 1])
def test_a_head_that_has_begun_when_it_drains_is_answered_and_is_the_last(count: int) -> None:
    for before in (b"", GET):
        found = Answering().feed(before + GET[:count])
        found.codec.drain()
        found.codec.drain()
        assert not found.wire.is_over
        found.feed(GET[count:] + GET)
        assert len(found.asked) == len(before + GET) // len(GET)
        assert found.wire.written.count(b"connection: close") == 1
        assert found.wire.states[-1] == "close"
    slow = Answering().feed(GET[:count])
    slow.codec.drain()
    assert slow.wait(11.0).statuses == [408]


def test_a_head_after_a_request_that_is_not_answered_yet_comes_too_late_when_it_drains() -> None:
    found = Answering(is_prompt=False).feed(GET + GET[:5])
    found.codec.drain()
    found.asked[0].stream.response(ResponseHead(200, [], 0, is_end=True))
    found.feed(GET[5:])
    assert len(found.asked) == 1
    assert b"connection: close" in found.wire.written
    assert found.wire.states[-1] == "close"


def test_a_body_that_nobody_wants_ends_its_connection_when_it_drains() -> None:
    found = Answering(is_prompt=False).feed(POST + b"content-length: 9\r\n\r\nabc")
    found.asked[0].stream.response(ResponseHead(403, [], 0, is_end=True))
    found.codec.drain()
    assert not found.wire.is_over
    found.feed(b"defghi")
    assert found.wire.states == ["close"]


def test_whoever_is_refused_hears_the_end_at_once_and_may_say_its_own() -> None:
    """The answer ends our half, so a client that reads to the end does not wait; what it still sends is read."""
    refused = b"GET /a HTTP/1.1\r\nhost : shop\r\n\r\n"
    found = Answering().feed(refused)
    assert (found.statuses, found.wire.states) == ([400], ["end"])
    found.feed(b"more of it")
    found.codec.eof()
    assert found.wire.states == ["end", "close"]
    assert Answering().feed(refused).wait(3.0).wire.states == ["end", "abort"]  # nor do we wait for it


def test_a_connection_that_says_nothing_ends() -> None:
    assert Answering().wait(11.0).wire.is_over
    assert Answering().feed(GET).wait(3599.0).wire.is_over is False
    assert Answering().feed(GET).wait(3601.0).wire.is_over


def test_a_body_that_stalls_is_refused_and_its_exchange_hears_of_it() -> None:
    found = Answering().feed(POST + b"content-length: 9\r\n\r\nabc").wait(299.0)
    assert [one.failure for one in found.asked] == [None]
    found.wait(2.0)
    assert [one.failure for one in found.asked] == [Failure.TIMEOUT]
    assert found.statuses == [408]


def test_whoever_reads_nothing_is_cut_off() -> None:
    found = Answering(is_prompt=False).feed(GET)
    found.asked[0].stream.response(ResponseHead(200, [], 10_000_000))
    found.codec.pause_writing()
    assert found.asked[0].holds == ["pause"]
    found.wait(301.0)
    assert found.wire.states[-1] == "abort"
    assert found.asked[0].failure is Failure.TIMEOUT


def test_one_request_is_answered_before_the_next_is_told_and_the_client_is_held_back_meanwhile() -> None:
    found = Answering(is_prompt=False).feed(GET * 3)
    assert len(found.asked) == 1
    assert not found.wire.is_reading
    for _ in range(3):
        found.asked[-1].stream.response(ResponseHead(200, [], 0, is_end=True))
    assert found.statuses == [200, 200, 200]
    assert found.wire.is_reading


def test_a_paused_body_is_not_told_and_bytes_are_not_read() -> None:
    found = Answering(is_prompt=False).feed(POST + b"content-length: 6\r\n\r\n")
    one = found.asked[0]
    one.stream.pause()
    found.feed(b"abc")
    assert one.body == b""
    assert not found.wire.is_reading
    one.stream.resume()
    assert one.body == b"abc"
    assert found.wire.is_reading


def test_an_answer_that_is_not_as_long_as_it_says_is_cut() -> None:
    for payload in (b"ab", b"abcd"):
        found = Answering(is_prompt=False).feed(GET)
        stream = found.asked[0].stream
        stream.response(ResponseHead(200, [], 3))
        stream.data(payload, is_end=True)
        assert found.wire.states[-1] == "abort"
        assert b"abcd" not in found.wire.written


def test_an_answer_before_the_end_of_a_large_request_is_the_last_one() -> None:
    found = Answering(is_prompt=False).feed(POST + b"content-length: 999999\r\n\r\nabc")
    found.asked[0].stream.response(ResponseHead(403, [], 0, is_end=True))
    assert b"connection: close" in found.wire.written
    found.feed(b"x" * 70_000)
    assert found.wire.states[-1] == "abort"


def test_an_answer_without_a_length_comes_in_chunks_with_its_trailers() -> None:
    found = Answering(is_prompt=False).feed(GET)
    stream = found.asked[0].stream
    stream.response(ResponseHead(200, [(b"a", b"b")]))
    stream.data(b"abc", is_end=False)
    stream.data(b"", is_end=False)
    stream.trailers([(b"x", b"y")])
    assert bytes(found.wire.written) == (
        b"HTTP/1.1 200 OK\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n"
    )
    assert found.codec.is_idle


def test_head_and_body_that_come_together_are_one_write() -> None:
    found = Answering(is_prompt=False).feed(GET)
    stream = found.asked[0].stream
    stream.response(ResponseHead(200, [], 3, is_followed=True))
    stream.data(b"abc", is_end=True)
    assert found.wire.writes == 1
    assert bytes(found.wire.written) == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"


def test_an_answer_to_head_has_the_length_and_no_body() -> None:
    found = Answering(is_prompt=False).feed(b"HEAD /a HTTP/1.1\r\nhost: shop\r\n\r\n")
    found.asked[0].stream.response(ResponseHead(200, [], 30, is_end=True))
    assert bytes(found.wire.written) == b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n"
    assert found.codec.is_idle


WEBSOCKET = b"GET /a HTTP/1.1\r\nhost: shop\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\nx: y\r\n\r\n"


@pytest.mark.parametrize("step", [None, 1])
def test_after_an_upgrade_bytes_are_opaque_both_ways(step: int | None) -> None:
    found = Answering(is_prompt=False).feed(WEBSOCKET, step)
    one = found.asked[0]
    assert one.head.protocol == "websocket"
    one.stream.response(ResponseHead(101, [(b"sec-websocket-accept", b"z")]))
    found.feed(GET, step)
    assert one.body == GET
    one.stream.data(b"\x81\x00", is_end=False)
    assert bytes(found.wire.written) == (
        b"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: z\r\nconnection: upgrade\r\n"
        b"upgrade: websocket\r\n\r\n\x81\x00"
    )
    assert len(found.asked) == 1


def test_bytes_before_the_answer_to_an_upgrade_are_no_request() -> None:
    found = Answering(is_prompt=False).feed(WEBSOCKET + GET)
    found.asked[0].stream.response(ResponseHead(403, [], 0, is_end=True))
    assert len(found.asked) == 1
    assert found.statuses == [403]
    assert b"connection: close" in found.wire.written


def test_an_upgrade_to_what_nobody_knows_is_not_heard() -> None:
    sent = b"POST /a HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 3\r\n\r\nabc"
    for step in (None, 1):
        found = Answering().feed(sent + GET, step)
        assert [one.body for one in found.asked] == [b"abc", b""]
        assert [one.head.protocol for one in found.asked] == ["", ""]


def test_draining_lets_what_has_begun_end() -> None:
    assert Answering().wait(1.0).codec.is_idle
    idle = Answering()
    idle.codec.drain()
    assert idle.wire.states == ["close"]
    found = Answering(is_prompt=False).feed(GET + GET)
    found.codec.drain()
    assert not found.wire.is_over
    found.asked[0].stream.response(ResponseHead(200, [], 0, is_end=True))
    assert found.wire.states[-1] == "close"
    assert b"connection: close" in found.wire.written
    assert len(found.asked) == 1


def test_a_client_that_is_gone_is_told_to_the_exchange_once() -> None:
    found = Answering(is_prompt=False).feed(GET)
    found.codec.lost()
    found.codec.lost()
    assert found.asked[0].failure is Failure.CANCELLED


def test_a_client_that_ends_its_half_gets_its_answer() -> None:
    found = Answering(is_prompt=False).feed(GET)
    found.codec.eof()
    assert not found.wire.is_over
    found.asked[0].stream.response(ResponseHead(200, [], 0, is_end=True))
    assert found.statuses == [200]
    assert found.wire.states[-1] == "close"


def test_a_client_that_ends_in_the_middle_of_a_body_is_gone() -> None:
    found = Answering().feed(POST + b"content-length: 9\r\n\r\nabc")
    found.codec.eof()
    assert found.asked[0].failure is Failure.CANCELLED


@pytest.mark.parametrize("last", [b"", b"host:\r\n", b"host: shop/b\r\n"])
def test_requests_of_one_connection_have_their_own_hosts(last: bytes) -> None:
    named = b"".join(b"GET /a HTTP/1.1\r\nhost: %b\r\n\r\n" % host for host in (b"shop", b"shop", b"bank", b"shop"))
    found = Answering().feed(named + b"GET /a HTTP/1.1\r\n" + last + b"\r\n")
    assert [one.head.authority for one in found.asked] == ["shop", "shop", "bank", "shop"]
    assert found.statuses == [200, 200, 200, 200, 400]
