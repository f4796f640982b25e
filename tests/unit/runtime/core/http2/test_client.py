"""The client codec, frame by frame: what it asks, what it is told, what a server may do, and how it ends."""

from __future__ import annotations

from math import inf

import pytest
from tests.unit.runtime.core.http2.ends import GET, POST, Asking, data, headers

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.frames import Code
from meshproof.runtime.core.http2.hpack import BlockReader, BlockWriter
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, Fields, RequestHead

TRAILERS = BlockWriter().write([(b"grpc-status", b"0")])


def _head(status: int, *more: tuple[bytes, bytes]) -> bytes:
    return BlockWriter().write([(b":status", b"%d" % status), *more])


def _get() -> RequestHead:
    return RequestHead(GET.method, GET.target, GET.authority, list(GET.fields))


def _post() -> RequestHead:
    return RequestHead(POST.method, POST.target, POST.authority, list(POST.fields), None, is_end=False)


def _codes(asking: Asking) -> list[tuple[int, int, int]]:
    return [
        (kind, stream, f.read_word(payload, 4 if kind == f.GOAWAY else 0))
        for kind, _, stream, payload in asking.sent()
        if kind in {f.GOAWAY, f.RST_STREAM}
    ]


def test_it_begins_with_its_preface_and_wants_no_pushes() -> None:
    asking = Asking(is_open=False)
    assert asking.wire.written.startswith(f.PREFACE)
    del asking.wire.written[: len(f.PREFACE)]
    frames = asking.sent()

    assert [kind for kind, _, _, _ in frames] == [f.SETTINGS, f.WINDOW_UPDATE]
    assert dict(f.read_settings(frames[0][3]))[f.ENABLE_PUSH] == 0


def test_requests_are_written_in_one_turn() -> None:
    asking = Asking()
    before = asking.wire.writes
    asking.ask(_get())
    stream, _ = asking.ask(_post())
    stream.data(b"message", is_end=True)
    frames = asking.sent()

    assert asking.wire.writes == before + 1
    assert [(kind, flags, number) for kind, flags, number, _ in frames] == [
        (f.HEADERS, f.END_HEADERS | f.END_STREAM, 1),
        (f.HEADERS, f.END_HEADERS, 3),
        (f.DATA, f.END_STREAM, 3),
    ]
    reader = BlockReader(9999)
    assert reader.read(frames[0][3]) == [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", b"catalog"),
        (b":path", b"/items?x=1"),
        (b"accept", b"*/*"),
    ]


ANSWERS: dict[str, tuple[bytes, list[tuple[object, ...]]]] = {
    "whole": (
        headers(1, _head(200, (b"content-length", b"2"))) + data(1, b"ok", is_end=True),
        [("response", 200, [], 2, False), ("data", b"ok", True)],
    ),
    "with an empty end": (
        headers(1, _head(200)) + data(1, b"ok") + data(1, b"", is_end=True),
        [("response", 200, [], None, False), ("data", b"ok", False), ("data", b"", True)],
    ),
    "trailers alone": (
        headers(1, _head(200, (b"grpc-status", b"7")), is_end=True),
        [("response", 200, [(b"grpc-status", b"7")], 0, True)],
    ),
    "with trailers": (
        headers(1, _head(200)) + data(1, b"m") + headers(1, TRAILERS, is_end=True),
        [("response", 200, [], None, False), ("data", b"m", False), ("trailers", [(b"grpc-status", b"0")])],
    ),
    "not modified": (headers(1, _head(304), is_end=True), [("response", 304, [], None, True)]),
    "no content, ended later": (
        headers(1, _head(204)) + data(1, b"", is_end=True),
        [("response", 204, [], 0, False), ("data", b"", True)],
    ),
    "early hints": (
        headers(1, _head(103)) + headers(1, _head(200), is_end=True),
        [("response", 103, [], None, False), ("response", 200, [], 0, True)],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("step", [0, 1])
def test_answers_are_told(name: str, step: int) -> None:
    sent, told = ANSWERS[name]
    asking = Asking()
    _, taker = asking.ask(_get())
    asking.feed(sent, step)

    assert taker.calls == told
    assert asking.codec.is_idle
    assert _codes(asking) == []


def test_the_answer_to_head_ends_with_its_head() -> None:
    asking = Asking()
    _, taker = asking.ask(RequestHead("HEAD", "/", "a", []))
    asking.feed(headers(1, _head(200, (b"content-length", b"5"))) + data(1, b"", is_end=True))

    assert taker.calls == [("response", 200, [], 5, True)]
    assert asking.codec.is_idle


def test_an_end_that_never_comes_takes_its_place_for_a_while_alone() -> None:
    asking = Asking()
    _, taker = asking.ask(RequestHead("HEAD", "/", "a", []))
    asking.feed(headers(1, _head(200)))
    asking.turn.now += 301
    assert asking.codec.deadline <= asking.turn.now
    asking.codec.expire()

    assert (f.RST_STREAM, 1, Code.CANCEL) in _codes(asking)
    assert taker.calls == [("response", 200, [], None, True)]
    assert asking.codec.is_idle


BROKEN: dict[str, bytes] = {
    "no status": headers(1, BlockWriter().write([(b"x-a", b"1")])),
    "switching": headers(1, _head(101)),
    "data first": data(1, b"x"),
    "more than it says": headers(1, _head(200, (b"content-length", b"1"))) + data(1, b"xy"),
    "less than it says": headers(1, _head(200, (b"content-length", b"2"))) + data(1, b"x", is_end=True),
    "a body where there is none": headers(1, _head(204)) + data(1, b"x"),
    "trailers that are not the end": headers(1, _head(200)) + headers(1, TRAILERS),
    "a line end": headers(1, _head(200, (b"x-a", b"1\r\nset-cookie: b"))),
    "an end before its answer": headers(1, _head(100), is_end=True),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_breaks_a_rule_is_reset(name: str) -> None:
    asking = Asking()
    _, taker = asking.ask(_get())
    _, other = asking.ask(_get())
    asking.feed(BROKEN[name] + headers(3, _head(200), is_end=True))

    assert taker.calls[-1] == ("reset", Failure.PROTOCOL)
    assert [kind for kind, _, _ in _codes(asking)] == [f.RST_STREAM]
    assert other.calls == [("response", 200, [], 0, True)]


@pytest.mark.parametrize(
    "sent",
    [
        headers(3, _head(200)),
        headers(2, _head(200)),
        data(5, b"x"),
        f.write_frame(f.PUSH_PROMISE, f.END_HEADERS, 1, b"\0\0\0\2" + _head(200)),
        f.write_settings(((f.ENABLE_PUSH, 1), (f.ENABLE_PUSH, 2))),
    ],
)
def test_a_server_that_speaks_of_what_nobody_asked_is_cut(sent: bytes) -> None:
    asking = Asking()
    _, taker = asking.ask(_get())
    asking.feed(sent)

    assert asking.wire.is_closed
    assert taker.calls == [("reset", Failure.PROTOCOL)]
    assert asking.codec.capacity == 0


@pytest.mark.parametrize(
    ("code", "failure"),
    [(Code.REFUSED_STREAM, Failure.REFUSED), (Code.INTERNAL_ERROR, Failure.RESET), (99, Failure.RESET)],
)
def test_resets_are_told(code: int, failure: Failure) -> None:
    asking = Asking()
    _, taker = asking.ask(_post())
    asking.feed(f.write_reset(1, code))

    assert taker.calls == [("reset", failure)]
    assert not asking.wire.is_closed


def test_a_whole_answer_is_good_whatever_becomes_of_the_request() -> None:
    """A server that has answered may ask for no more of the request (RFC 9113, 8.1)."""
    asking = Asking()
    stream, taker = asking.ask(_post())
    asking.feed(headers(1, _head(413), is_end=True) + f.write_reset(1, Code.NO_ERROR))
    stream.data(b"late", is_end=True)

    assert taker.calls == [("response", 413, [], 0, True)]
    assert asking.codec.is_idle
    assert f.DATA not in [kind for kind, _, _, _ in asking.sent()]


def test_what_comes_after_the_end_of_an_answer_is_not_told() -> None:
    asking = Asking()
    _, taker = asking.ask(_post())
    asking.feed(headers(1, _head(200)) + data(1, b"x", is_end=True) + data(1, b"y"))

    assert taker.calls == [("response", 200, [], None, False), ("data", b"x", True)]
    assert _codes(asking) == [(f.RST_STREAM, 1, Code.STREAM_CLOSED)]


def test_what_a_server_that_goes_has_not_seen_may_be_sent_elsewhere() -> None:
    asking = Asking()
    takers = [asking.ask(_get())[1] for _ in range(3)]
    asking.feed(f.write_goaway(3, Code.NO_ERROR))
    assert [taker.calls for taker in takers] == [[], [], [("reset", Failure.REFUSED)]]
    assert asking.codec.capacity == 0
    asking.feed(headers(1, _head(200), is_end=True) + headers(3, _head(200), is_end=True))

    assert [taker.calls[-1][0] for taker in takers] == ["response", "response", "reset"]
    assert asking.wire.is_closed


def test_the_first_goodbye_of_a_drain_refuses_nothing() -> None:
    asking = Asking()
    _, taker = asking.ask(_get())
    asking.feed(f.write_goaway(f.MOST_WINDOW, Code.NO_ERROR) + headers(1, _head(200), is_end=True))

    assert taker.calls == [("response", 200, [], 0, True)]
    assert asking.wire.is_closed


def test_as_many_requests_as_the_server_takes() -> None:
    asking = Asking()
    assert asking.codec.capacity == 100
    asking.feed(f.write_settings(((f.MAX_CONCURRENT_STREAMS, 2),)))
    takers = [asking.ask(_get())[1] for _ in range(3)]
    asking.turn.run()

    assert asking.codec.capacity == 0
    assert takers[2].calls == [("reset", Failure.OVERFLOW)]
    asking.feed(headers(1, _head(200), is_end=True))
    assert asking.codec.capacity == 1


@pytest.mark.parametrize("is_given_up", [True, False])
def test_what_cannot_be_sent_is_told_later(is_given_up: bool) -> None:
    asking = Asking()
    stream, taker = asking.ask(RequestHead("GET", "/", "a", [], protocol="websocket"))
    stream.data(b"x", is_end=False)
    stream.trailers([])
    stream.pause()
    stream.resume()
    if is_given_up:
        stream.reset(Failure.CANCELLED)
    assert taker.calls == []
    asking.turn.run()

    assert taker.calls == ([] if is_given_up else [("reset", Failure.PROTOCOL)])
    assert asking.sent() == []


def test_a_request_that_nobody_wants_is_reset() -> None:
    asking = Asking()
    stream, taker = asking.ask(_post())
    stream.reset(Failure.CANCELLED)
    stream.data(b"x", is_end=True)
    assert _codes(asking) == [(f.RST_STREAM, 1, Code.CANCEL)]
    asking.feed(headers(1, _head(200)) + data(1, b"late") + headers(1, TRAILERS, is_end=True))

    assert taker.calls == []
    assert asking.turn.faults == []
    assert not asking.wire.is_closed


def test_a_request_waits_for_windows_and_its_source_for_it() -> None:
    asking = Asking()
    asking.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 5),)))
    stream, taker = asking.ask(_post())
    stream.data(b"0123456", is_end=False)
    assert taker.calls == [("pause",)]
    asking.sent()
    asking.feed(f.write_window_update(1, 5))

    assert asking.sent() == [(f.DATA, 0, 1, b"56")]
    assert taker.calls == [("pause",), ("resume",)]


def test_a_slow_taker_holds_the_server_back() -> None:
    asking = Asking()
    stream, taker = asking.ask(_get())
    asking.feed(headers(1, _head(200)))
    stream.pause()
    asking.sent()
    asking.feed(data(1, b"x" * 16_384) * 3)
    assert asking.sent() == []
    stream.resume()

    assert taker.body == b"x" * 16_384 * 3
    assert [(kind, number, f.read_word(payload)) for kind, _, number, payload in asking.sent()] == [
        (f.WINDOW_UPDATE, 1, 3 * 16_384)
    ]


def test_no_credit_is_given_for_what_has_ended() -> None:
    asking = Asking()
    stream, taker = asking.ask(_get())
    asking.feed(headers(1, _head(200)))
    stream.pause()
    asking.sent()
    asking.feed(data(1, b"x" * 16_384) * 2 + data(1, b"x" * 16_384, is_end=True))
    stream.resume()

    assert taker.body == b"x" * 16_384 * 3
    assert asking.sent() == []


def test_a_drain_ends_with_the_last_answer() -> None:
    asking = Asking()
    _, taker = asking.ask(_get())
    asking.codec.drain()
    assert asking.codec.capacity == 0
    assert not asking.wire.is_closed
    asking.feed(headers(1, _head(200), is_end=True))

    assert taker.calls == [("response", 200, [], 0, True)]
    assert asking.wire.is_closed


def test_a_server_that_owes_an_answer_is_asked_whether_it_is_there() -> None:
    asking = Asking()
    _, taker = asking.ask(_get())
    asking.sent()
    asking.turn.now += 310
    assert asking.codec.deadline <= asking.turn.now
    asking.codec.expire()
    assert [kind for kind, _, _, _ in asking.sent()] == [f.PING]
    asking.feed(f.write_frame(f.PING, f.ACK, 0, b"is alive"))
    asking.turn.now += 30
    asking.codec.expire()
    assert taker.calls == []
    asking.turn.now += 311
    asking.codec.expire()
    asking.turn.now += 20
    assert asking.codec.deadline <= asking.turn.now
    asking.codec.expire()

    assert asking.wire.is_closed
    assert taker.calls == [("reset", Failure.RESET)]


def test_a_connection_without_requests_ends_in_time() -> None:
    asking = Asking(Http2Limits(idle_seconds=60))
    asking.turn.now += 10
    asking.codec.expire()
    _, taker = asking.ask(_get())
    asking.turn.now += 100
    asking.codec.expire()
    asking.feed(headers(1, _head(200), is_end=True))
    assert taker.calls != []
    asking.turn.now += 59
    asking.codec.expire()
    assert asking.codec.capacity == 100
    asking.turn.now += 2
    assert asking.codec.deadline <= asking.turn.now
    asking.codec.expire()

    assert asking.wire.is_closed
    assert asking.codec.deadline == inf


def test_the_numbers_of_streams_come_to_an_end() -> None:
    asking = Asking()
    asking.codec._next = f.MOST_WINDOW
    asking.ask(_get())
    assert asking.codec.capacity == 0


def test_fields_are_written_as_they_are() -> None:
    asking = Asking()
    fields: Fields = [(b"x-a", b""), (b"x-a", b"\xff"), (b"cookie", b"a=b; c=d"), (b"x-long", b"v" * 20_000)]
    asking.ask(RequestHead("PUT", "*", "a", list(fields), 5, is_end=False))
    frames = asking.sent()

    assert [(kind, flags) for kind, flags, _, _ in frames] == [(f.HEADERS, 0), (f.CONTINUATION, f.END_HEADERS)]
    read = BlockReader(99_999).read(b"".join(payload for _, _, _, payload in frames))
    assert read is not None
    assert read[4:] == [(b"content-length", b"5"), *fields]
