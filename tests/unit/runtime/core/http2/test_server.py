"""The server codec, frame by frame: rules of streams and connections, flow control both ways, drain, and times."""

from __future__ import annotations

from math import inf

import pytest
from tests.unit.runtime.core.http2.ends import Serving, data, headers

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.frames import Code
from meshproof.runtime.core.http2.hpack import BlockReader, BlockWriter
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, RequestHead, ResponseHead, ServerStream

LINES = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
ASKED = BlockWriter().write(LINES)
TRAILERS = BlockWriter().write([(b"x-a", b"1")])
MALFORMED = BlockWriter().write([*LINES, (b"X-a", b"1")])
SHAKEN = f.PREFACE + f.write_settings(()) + f.write_frame(f.SETTINGS, f.ACK, 0)


def _kinds(serving: Serving) -> list[tuple[int, int]]:
    return [(kind, stream) for kind, _, stream, _ in serving.sent()]


def _codes(serving: Serving) -> list[tuple[int, int, int]]:
    """Resets and goodbyes: kind, stream, code."""
    return [
        (kind, stream, f.read_word(payload, 4 if kind == f.GOAWAY else 0))
        for kind, _, stream, payload in serving.sent()
        if kind in {f.GOAWAY, f.RST_STREAM}
    ]


def _answered(stream: ServerStream, head: RequestHead) -> None:
    del head
    stream.response(ResponseHead(200, [], 2))
    stream.data(b"ok", is_end=True)


def test_it_begins_with_its_settings() -> None:
    serving = Serving(is_open=False)
    serving.feed(SHAKEN)
    frames = serving.sent()

    assert [kind for kind, _, _, _ in frames] == [f.SETTINGS, f.WINDOW_UPDATE, f.SETTINGS]
    assert dict(f.read_settings(frames[0][3])) == {
        f.MAX_CONCURRENT_STREAMS: 100,
        f.INITIAL_WINDOW_SIZE: 65_535,
        f.MAX_HEADER_LIST_SIZE: 65_536,
        f.NO_RFC7540_PRIORITIES: 1,
    }
    assert frames[2][1] == f.ACK


def test_what_comes_in_one_turn_is_answered_in_one_write() -> None:
    serving = Serving()
    serving.answer = _answered
    before = serving.wire.writes
    serving.feed(headers(1, ASKED, is_end=True) + headers(3, ASKED, is_end=True))

    assert serving.wire.writes == before + 1
    assert _kinds(serving) == [(f.HEADERS, 1), (f.DATA, 1), (f.HEADERS, 3), (f.DATA, 3)]


@pytest.mark.parametrize(
    "start",
    [b"GET / HTTP/1.1\r\n\r\n", f.PREFACE[:-1] + b"\0", f.PREFACE + f.write_frame(f.PING, 0, 0, b"12345678"),
     f.PREFACE + f.write_frame(f.SETTINGS, f.ACK, 0), f.PREFACE + headers(1, ASKED)],
)  # fmt: skip
@pytest.mark.parametrize("step", [0, 1])
def test_who_does_not_begin_as_http2_does_is_cut(start: bytes, step: int) -> None:
    serving = Serving(is_open=False)
    serving.feed(start, step)

    assert _codes(serving) == [(f.GOAWAY, 0, Code.PROTOCOL_ERROR)]
    assert serving.wire.is_closed


PING = f.write_frame(f.PING, 0, 0, b"12345678")
CONNECTION_FAULTS: dict[str, tuple[bytes, Code]] = {
    "headers for no stream": (headers(0, ASKED), Code.PROTOCOL_ERROR),
    "an even stream": (headers(2, ASKED), Code.PROTOCOL_ERROR),
    "a stream that is older": (headers(3, ASKED) + headers(1, ASKED), Code.STREAM_CLOSED),
    "data for no stream": (data(0, b"x"), Code.PROTOCOL_ERROR),
    "data for a stream to come": (data(1, b"x"), Code.PROTOCOL_ERROR),
    "credit for a stream to come": (f.write_window_update(1, 1), Code.PROTOCOL_ERROR),
    "a reset of a stream to come": (f.write_reset(1, 8), Code.PROTOCOL_ERROR),
    "a reset of nothing": (f.write_reset(0, 8), Code.PROTOCOL_ERROR),
    "a push": (f.write_frame(f.PUSH_PROMISE, f.END_HEADERS, 1, b"\0\0\0\2"), Code.PROTOCOL_ERROR),
    "something amid a block": (headers(1, ASKED, flags=0) + PING, Code.PROTOCOL_ERROR),
    "another stream amid a block": (
        headers(1, ASKED, flags=0) + f.write_frame(f.CONTINUATION, f.END_HEADERS, 3, b""),
        Code.PROTOCOL_ERROR,
    ),
    "a block that has not begun": (f.write_frame(f.CONTINUATION, f.END_HEADERS, 1, ASKED), Code.PROTOCOL_ERROR),
    "headers that cannot be read": (headers(1, b"\x80"), Code.COMPRESSION_ERROR),
    "no credit": (f.write_window_update(0, 0), Code.PROTOCOL_ERROR),
    "too much credit": (f.write_window_update(0, f.MOST_WINDOW), Code.FLOW_CONTROL_ERROR),
    "too much credit for a stream, by settings": (
        headers(1, ASKED)
        + f.write_window_update(1, f.MOST_WINDOW - 65_535)
        + f.write_settings(((f.INITIAL_WINDOW_SIZE, 65_536),)),
        Code.FLOW_CONTROL_ERROR,
    ),
    "a window that is too large": (f.write_settings(((f.INITIAL_WINDOW_SIZE, 2**31),)), Code.FLOW_CONTROL_ERROR),
    "frames that are too small": (f.write_settings(((f.MAX_FRAME_SIZE, 16_383),)), Code.PROTOCOL_ERROR),
    "frames that are too large": (f.write_settings(((f.MAX_FRAME_SIZE, 2**24),)), Code.PROTOCOL_ERROR),
    "a wish for pushes that is none": (f.write_settings(((f.ENABLE_PUSH, 2),)), Code.PROTOCOL_ERROR),
    "half a setting": (f.write_frame(f.SETTINGS, 0, 0, b"123"), Code.FRAME_SIZE_ERROR),
    "settings of a stream": (f.write_frame(f.SETTINGS, 0, 1), Code.PROTOCOL_ERROR),
    "settings in an answer": (f.write_frame(f.SETTINGS, f.ACK, 0, b"123456"), Code.FRAME_SIZE_ERROR),
    "an answer to no settings": (f.write_frame(f.SETTINGS, f.ACK, 0), Code.PROTOCOL_ERROR),
    "a short ping": (f.write_frame(f.PING, 0, 0, b"1234567"), Code.FRAME_SIZE_ERROR),
    "a ping of a stream": (f.write_frame(f.PING, 0, 1, b"12345678"), Code.FRAME_SIZE_ERROR),
    "a short credit": (f.write_frame(f.WINDOW_UPDATE, 0, 0, b"123"), Code.FRAME_SIZE_ERROR),
    "a short reset": (f.write_frame(f.RST_STREAM, 0, 1, b"123"), Code.FRAME_SIZE_ERROR),
    "a short priority": (f.write_frame(f.PRIORITY, 0, 1, b"123"), Code.FRAME_SIZE_ERROR),
    "a priority of nothing": (f.write_frame(f.PRIORITY, 0, 0, b"12345"), Code.PROTOCOL_ERROR),
    "a short goodbye": (f.write_frame(f.GOAWAY, 0, 0, b"1234567"), Code.FRAME_SIZE_ERROR),
    "a goodbye of a stream": (f.write_frame(f.GOAWAY, 0, 1, b"12345678"), Code.FRAME_SIZE_ERROR),
    "padding and nothing else": (headers(1, b"\x05abc", flags=f.END_HEADERS | f.PADDED), Code.PROTOCOL_ERROR),
    "no padding at all": (headers(1, b"", flags=f.END_HEADERS | f.PADDED), Code.PROTOCOL_ERROR),
    "half a priority": (headers(1, b"1234", flags=f.END_HEADERS | f.WITH_PRIORITY), Code.FRAME_SIZE_ERROR),
    "a frame that is too large": (f.write_frame(f.DATA, 0, 1, b"x" * 16_385), Code.FRAME_SIZE_ERROR),
    "headers after an end that we did not cut": (
        headers(1, ASKED, is_end=True) + headers(1, TRAILERS, is_end=True),
        Code.STREAM_CLOSED,
    ),
}


@pytest.mark.parametrize("name", CONNECTION_FAULTS)
def test_a_rule_of_the_connection_that_is_broken_ends_it(name: str) -> None:
    sent, code = CONNECTION_FAULTS[name]
    serving = Serving()
    serving.answer = _answered if "did not cut" in name else None
    serving.feed(sent)

    assert _codes(serving)[-1] == (f.GOAWAY, 0, code)
    assert serving.wire.is_closed
    assert serving.codec.is_over
    assert serving.codec.deadline == inf
    serving.feed(headers(99, ASKED))
    assert len(serving.heads) < 3


STREAM_FAULTS: dict[str, tuple[bytes, Code]] = {
    "a malformed head": (headers(1, MALFORMED), Code.PROTOCOL_ERROR),
    "data after the end": (headers(1, ASKED, is_end=True) + data(1, b"x"), Code.STREAM_CLOSED),
    "trailers after the end": (
        headers(1, ASKED, is_end=True) + headers(1, TRAILERS, is_end=True),
        Code.STREAM_CLOSED,
    ),
    "trailers that are not the end": (headers(1, ASKED) + headers(1, TRAILERS), Code.PROTOCOL_ERROR),
    "a head as trailers": (headers(1, ASKED) + headers(1, ASKED, is_end=True), Code.PROTOCOL_ERROR),
    "no credit": (headers(1, ASKED) + f.write_window_update(1, 0), Code.PROTOCOL_ERROR),
    "too much credit": (headers(1, ASKED) + f.write_window_update(1, f.MOST_WINDOW), Code.FLOW_CONTROL_ERROR),
    "more body than it says": (
        headers(1, BlockWriter().write([*LINES, (b"content-length", b"2")])) + data(1, b"abc"),
        Code.PROTOCOL_ERROR,
    ),
    "less body than it says": (
        headers(1, BlockWriter().write([*LINES, (b"content-length", b"2")])) + data(1, b"a", is_end=True),
        Code.PROTOCOL_ERROR,
    ),
    "less body than it says, then trailers": (
        headers(1, BlockWriter().write([*LINES, (b"content-length", b"2")]))
        + data(1, b"a")
        + headers(1, TRAILERS, is_end=True),
        Code.PROTOCOL_ERROR,
    ),
    "more than may be": (headers(1, ASKED) + data(1, b"x" * 11), Code.ENHANCE_YOUR_CALM),
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
@pytest.mark.parametrize("step", [0, 1])
def test_a_rule_of_a_stream_that_is_broken_ends_the_stream_alone(name: str, step: int) -> None:
    sent, code = STREAM_FAULTS[name]
    serving = Serving(Http2Limits(body_bytes=10))
    serving.feed(sent, step)

    assert _codes(serving) == [(f.RST_STREAM, 1, code)]
    assert serving.codec.is_idle
    assert len(serving.turn.faults) == 1
    if serving.takers:
        assert serving.takers[0].calls[-1] == ("reset", Failure.PROTOCOL)
    serving.answer = _answered
    serving.feed(headers(3, ASKED, is_end=True))
    assert _kinds(serving) == [(f.HEADERS, 3), (f.DATA, 3)]


def test_what_is_refused_without_an_exchange_is_answered() -> None:
    serving = Serving()
    serving.feed(headers(1, BlockWriter().write([(b":method", b"CONNECT"), (b":authority", b"a:1")])))
    frames = serving.sent()

    assert BlockReader(9999).read(frames[0][3]) == [(b":status", b"405"), (b"content-length", b"0")]
    assert [(kind, stream) for kind, _, stream, _ in frames] == [(f.HEADERS, 1), (f.RST_STREAM, 1)]
    assert serving.heads == []


def test_too_many_streams_are_refused_so_that_they_may_come_again() -> None:
    serving = Serving(Http2Limits(streams=2))
    serving.feed(b"".join(headers(number, ASKED) for number in (1, 3, 5)))

    assert len(serving.heads) == 2
    assert _codes(serving) == [(f.RST_STREAM, 5, Code.REFUSED_STREAM)]


def test_a_stream_may_hold_its_window_and_no_more() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED))
    serving.streams[0].pause()
    for _ in range(3):
        serving.feed(data(1, b"x" * 16_384))
    serving.feed(data(1, b"x" * 16_383))
    assert serving.takers[0].calls == []
    assert _kinds(serving) == []
    serving.feed(data(1, b"x"))

    assert _codes(serving) == [(f.RST_STREAM, 1, Code.FLOW_CONTROL_ERROR)]


def test_credit_comes_when_data_was_taken() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED))
    serving.streams[0].pause()
    serving.feed(data(1, b"a" * 16_384) + data(1, b"b" * 16_384) + data(1, b"", is_end=False))
    assert serving.sent() == []
    serving.streams[0].resume()

    assert serving.takers[0].body == b"a" * 16_384 + b"b" * 16_384
    assert [(kind, stream, f.read_word(payload)) for kind, _, stream, payload in serving.sent()] == [
        (f.WINDOW_UPDATE, 1, 32_768)
    ]
    serving.streams[0].pause()
    serving.feed(data(1, b"c") + headers(1, TRAILERS, is_end=True))
    serving.streams[0].resume()
    assert serving.takers[0].calls[-2:] == [("data", b"c", False), ("trailers", [(b"x-a", b"1")])]


def test_the_window_of_the_connection_is_held_too() -> None:
    serving = Serving(Http2Limits(connection_window=70_000))
    serving.feed(headers(1, ASKED) + headers(3, ASKED))
    for stream in serving.streams:
        stream.pause()
    for number in (1, 3, 1, 3):
        serving.feed(data(number, b"x" * 16_384))
    serving.feed(data(1, b"x" * 4_464))
    assert not serving.wire.is_closed
    serving.feed(data(1, b"x"))

    assert _codes(serving) == [(f.GOAWAY, 0, Code.FLOW_CONTROL_ERROR)]


def test_data_that_is_for_nobody_gives_its_credit_back() -> None:
    serving = Serving(Http2Limits(connection_window=80_000))
    for number in range(1, 21, 2):
        serving.feed(headers(number, ASKED))
        serving.streams[-1].pause()
        serving.feed(data(number, b"x" * 16_000))
        serving.streams[-1].reset(Failure.CANCELLED)
        serving.feed(data(number, b"x" * 16_000))

    assert not serving.wire.is_closed


def test_data_that_breaks_a_rule_gives_its_credit_back() -> None:
    serving = Serving(Http2Limits(connection_window=80_000))
    short = BlockWriter().write([*LINES, (b"content-length", b"2")])
    for number in range(1, 21, 2):
        serving.feed(headers(number, short) + data(number, b"x" * 16_000))

    assert not serving.wire.is_closed
    assert len(serving.takers) == 10


def test_an_answer_waits_for_windows_and_its_source_for_it() -> None:
    serving = Serving()
    serving.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 10),)) + headers(1, ASKED, is_end=True))
    stream, taker = serving.streams[0], serving.takers[0]
    stream.response(ResponseHead(200, []))
    stream.data(b"0123456789", is_end=False)
    assert taker.calls == []
    stream.data(b"abc", is_end=False)
    assert taker.calls == [("pause",)]
    stream.data(b"def", is_end=False)
    stream.trailers([(b"grpc-status", b"0")])
    serving.sent()
    serving.feed(f.write_window_update(1, 4))
    assert serving.sent() == [(f.DATA, 0, 1, b"abcd")]
    assert taker.calls == [("pause",)]
    serving.feed(f.write_window_update(1, 4))

    assert [(kind, flags) for kind, flags, _, _ in serving.sent()] == [
        (f.DATA, 0),
        (f.HEADERS, f.END_HEADERS | f.END_STREAM),
    ]
    assert serving.codec.is_idle


def test_a_source_goes_on_when_all_is_sent() -> None:
    serving = Serving()
    serving.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 0),)) + headers(1, ASKED, is_end=True))
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"abc", is_end=False)
    serving.feed(f.write_window_update(1, 100))

    assert serving.takers[0].calls == [("pause",), ("resume",)]


def test_a_window_that_became_less_than_nothing_takes_an_end() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED, is_end=True))
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"x" * 100, is_end=False)
    serving.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 0),)))
    serving.sent()
    serving.streams[0].data(b"", is_end=True)

    assert serving.sent() == [(f.DATA, f.END_STREAM, 1, b"")]
    assert serving.codec.is_idle


def test_streams_share_a_window_frame_by_frame() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED, is_end=True) + headers(3, ASKED, is_end=True))
    for stream in serving.streams:
        stream.response(ResponseHead(200, []))
        stream.data(b"x" * 60_000, is_end=True)
    serving.sent()
    serving.feed(f.write_window_update(0, 40_000))
    numbers = [stream for kind, _, stream, _ in serving.sent() if kind == f.DATA]

    assert numbers == [3, 3, 3]
    serving.feed(f.write_window_update(0, 2**20))
    assert serving.codec.is_idle


def test_a_wire_that_takes_nothing_holds_data_back() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED, is_end=True))
    serving.codec.pause_writing()
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"abc", is_end=False)
    assert serving.takers[0].calls == [("pause",)]
    assert [kind for kind, _, _, _ in serving.sent()] == [f.HEADERS]
    serving.codec.resume_writing()

    assert [kind for kind, _, _, _ in serving.sent()] == [f.DATA]
    assert serving.takers[0].calls == [("pause",), ("resume",)]


def test_an_answer_before_the_end_of_its_request_asks_for_no_more() -> None:
    serving = Serving()
    serving.answer = _answered
    serving.feed(headers(1, ASKED) + data(1, b"late"))

    assert _codes(serving) == [(f.RST_STREAM, 1, Code.NO_ERROR)]
    assert serving.takers[0].calls == []
    assert serving.codec.is_idle


@pytest.mark.parametrize(
    ("code", "failure"), [(Code.CANCEL, Failure.RESET), (Code.REFUSED_STREAM, Failure.REFUSED)]
)  # fmt: skip
def test_a_client_that_gives_up_is_told_of(code: Code, failure: Failure) -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED) + f.write_reset(1, code))
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"late", is_end=True)

    assert serving.takers[0].calls == [("reset", failure)]
    assert serving.sent() == []


def test_a_drain_lets_what_was_on_its_way_begin_and_all_end() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED, is_end=True))
    serving.codec.drain()
    serving.codec.drain()
    assert [(kind, payload[:4]) for kind, _, _, payload in serving.sent()] == [
        (f.GOAWAY, b"\x7f\xff\xff\xff"),
        (f.PING, b"drai"),
    ]
    serving.feed(headers(3, ASKED, is_end=True) + f.write_frame(f.PING, f.ACK, 0, f.DRAIN_PING))
    assert [(kind, f.read_word(payload)) for kind, _, _, payload in serving.sent()] == [(f.GOAWAY, 3)]
    serving.feed(headers(5, ASKED, is_end=True))
    assert len(serving.heads) == 2
    for stream in serving.streams:
        assert not serving.wire.is_closed
        stream.response(ResponseHead(200, [], 0, is_end=True))
        serving.turn.run()

    assert serving.wire.is_closed
    assert [kind for kind, _, _, _ in serving.sent()] == [f.HEADERS, f.HEADERS]


def test_a_drain_waits_for_no_answer_to_its_ping() -> None:
    serving = Serving()
    serving.codec.drain()
    serving.turn.now += 1.1
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert serving.wire.is_closed


def test_a_drain_ends_with_a_stream_that_its_client_resets() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED))
    serving.codec.drain()
    serving.feed(f.write_frame(f.PING, f.ACK, 0, f.DRAIN_PING))
    serving.feed(f.write_reset(1, Code.CANCEL))

    assert serving.wire.is_closed


TIMES = {
    "no settings": (b"", False, 10.0, Code.SETTINGS_TIMEOUT),
    "half a frame": (headers(1, ASKED)[:-1], True, 20.0, Code.ENHANCE_YOUR_CALM),
    "half a block": (headers(1, ASKED, flags=0), True, 20.0, Code.ENHANCE_YOUR_CALM),
}


@pytest.mark.parametrize("name", TIMES)
def test_what_takes_too_long_ends(name: str) -> None:
    sent, is_open, seconds, code = TIMES[name]
    serving = Serving(is_open=is_open)
    serving.feed(sent)
    serving.turn.now += seconds - 0.1
    serving.codec.expire()
    assert _codes(serving) == []
    serving.turn.now += 0.2
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert _codes(serving) == [(f.GOAWAY, 0, code)]
    assert serving.wire.is_closed


def test_a_frame_in_drops_has_as_long_as_any() -> None:
    serving = Serving()
    for byte in headers(1, ASKED)[:20]:
        serving.turn.now += 1.5
        serving.codec.expire()
        serving.feed(bytes((byte,)))

    assert serving.wire.is_closed


def test_who_does_not_take_an_answer_loses_it() -> None:
    serving = Serving()
    serving.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 0),)) + headers(1, ASKED, is_end=True))
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"x", is_end=True)
    serving.sent()
    serving.turn.now += 301
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert _codes(serving) == [(f.RST_STREAM, 1, Code.CANCEL)]
    assert serving.takers[0].calls[-1] == ("reset", Failure.TIMEOUT)
    assert not serving.wire.is_closed


def test_who_reads_nothing_is_cut() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED, is_end=True))
    serving.codec.pause_writing()
    serving.turn.now += 301
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert serving.wire.is_closed
    assert serving.takers[0].calls == [("reset", Failure.PROTOCOL)]


def test_who_asks_for_nothing_is_told_to_go() -> None:
    serving = Serving(Http2Limits(idle_seconds=60))
    serving.turn.now += 30
    serving.codec.expire()
    serving.feed(PING)
    serving.sent()
    serving.turn.now += 40
    serving.codec.expire()
    assert serving.sent() == []
    serving.turn.now += 21
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()
    assert _codes(serving) == [(f.GOAWAY, 0, Code.NO_ERROR)]
    serving.turn.now += 2
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert serving.wire.is_closed


def test_who_says_nothing_amid_a_request_is_asked_whether_it_is_there() -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED))
    serving.turn.now += 310
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()
    assert [kind for kind, _, _, _ in serving.sent()] == [f.PING]
    serving.feed(f.write_frame(f.PING, f.ACK, 0, b"is alive"))
    serving.turn.now += 30
    serving.codec.expire()
    assert serving.takers[0].calls == []
    serving.turn.now += 311
    serving.codec.expire()
    serving.turn.now += 20
    assert serving.codec.deadline <= serving.turn.now
    serving.codec.expire()

    assert serving.takers[0].calls == [("reset", Failure.RESET)]
    assert serving.wire.is_closed


@pytest.mark.parametrize("way", ["eof", "lost"])
def test_the_end_of_the_connection_ends_its_streams(way: str) -> None:
    serving = Serving()
    serving.feed(headers(1, ASKED) + headers(3, ASKED, is_end=True))
    getattr(serving.codec, way)()

    assert [taker.calls for taker in serving.takers] == [[("reset", Failure.RESET)]] * 2
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].pause()
    serving.streams[0].resume()
    serving.streams[0].reset(Failure.CANCELLED)
    serving.turn.run()
    assert serving.codec.deadline == inf


def test_windows_that_are_too_small_to_begin_with_are_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        Http2Limits(stream_window=65_534)
