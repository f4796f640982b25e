"""Random frames, and conversations that were good until something changed them: taken or refused, never a traceback.

Whatever arrives, a codec keeps what it promises: the same in pieces as at once, no listener is told anything after an
end, no more streams than it says, nothing after it has ended, and at its end everybody knows.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.runtime.core.http2.ends import GET, POST, Asking, Serving, Taker, data, headers

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.hpack import BlockWriter
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, RequestHead, ResponseHead, ServerStream

ASKED = BlockWriter().write([(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")])
LONG = BlockWriter().write(
    [(b":method", b"PUT"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a"), (b"content-length", b"5")]
)
OK, TRAILERS = BlockWriter().write([(b":status", b"200")]), BlockWriter().write([(b"grpc-status", b"0")])
FIRST = BlockWriter().write([(b":status", b"100")])
INDEXED = b"\x82\x86\x84\x41\x01a\x40\x03x-a\x01b\xbe"

NUMBERS = st.sampled_from((0, 1, 1, 3, 3, 5, 2, 7, 2**31 - 1))
BLOCKS = st.sampled_from((ASKED, LONG, OK, TRAILERS, FIRST, INDEXED, b"", b"\x80")) | st.binary(max_size=12)
WORDS = st.sampled_from((0, 1, 5, 8, 100, 65_535, 2**31 - 1)).map(lambda word: word.to_bytes(4, "big"))
SETTINGS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from((0, 1, 2, 10, 16_384, 65_535, 2**31 - 1, 2**31))), max_size=3
)
FRAMES = st.one_of(
    st.builds(headers, NUMBERS, BLOCKS, is_end=st.booleans()),
    st.builds(headers, NUMBERS, BLOCKS, is_end=st.booleans()),
    st.builds(headers, NUMBERS, BLOCKS, is_end=st.booleans(), flags=st.sampled_from((0, 0x4, 0x8, 0xC, 0x24))),
    st.builds(data, NUMBERS, st.sampled_from((b"", b"x", b"hello", b"y" * 16_384)), is_end=st.booleans()),
    st.builds(data, NUMBERS, st.sampled_from((b"", b"x", b"hello", b"y" * 16_384)), is_end=st.booleans()),
    st.builds(f.write_frame, st.just(f.WINDOW_UPDATE), st.just(0), NUMBERS, WORDS),
    st.builds(f.write_frame, st.just(f.RST_STREAM), st.just(0), NUMBERS, WORDS),
    st.builds(f.write_settings, SETTINGS.map(tuple)),
    st.builds(f.write_frame, st.just(f.SETTINGS), st.just(f.ACK), NUMBERS),
    st.builds(f.write_frame, st.just(f.PING), st.integers(0, 1), st.just(0), st.just(b"draining")),
    st.builds(f.write_frame, st.just(f.GOAWAY), st.just(0), st.just(0), st.builds(bytes.__add__, WORDS, WORDS)),
    st.builds(f.write_frame, st.integers(0, 12), st.integers(0, 255), NUMBERS, st.binary(max_size=20)),
)
GOOD = st.sampled_from(
    (
        [headers(1, ASKED, is_end=True), headers(3, LONG), data(3, b"hello", is_end=True)],
        [headers(1, ASKED), data(1, b"x" * 9000), headers(1, TRAILERS, is_end=True), headers(3, INDEXED, is_end=True)],
        [headers(1, ASKED[:9], flags=0), f.write_frame(f.CONTINUATION, 4, 1, ASKED[9:]), data(1, b"", is_end=True)],
        [headers(1, OK), data(1, b"hello"), headers(1, TRAILERS, is_end=True), headers(3, OK, is_end=True)],
        [headers(3, FIRST), headers(3, OK), f.write_window_update(3, 5), data(3, b"x" * 5000, is_end=True)],
    )
)
SHAKEN = f.write_settings(()) + f.write_frame(f.SETTINGS, f.ACK, 0)
LIMITS = Http2Limits(streams=3, headers=20, body_bytes=50_000)
ACTS = st.lists(st.sampled_from(("pause", "resume", "answer", "send", "end", "reset", "drain", "hold", "go", "late")))


@st.composite
def _changed(draw: st.DrawFn) -> bytes:
    """A good conversation in which frames come twice, out of order or not at all, or a byte is another."""
    frames = list(draw(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(frames) - 1))
        frame = frames[at]
        change = draw(st.sampled_from(("drop", "twice", "swap", "byte", "cut", "insert")))
        if change == "drop" and len(frames) > 1:
            del frames[at]
        elif change == "twice":
            frames.insert(at, frame)
        elif change == "swap":
            frames[at], frames[-1] = frames[-1], frame
        elif change == "byte":
            place = draw(st.integers(0, min(len(frame), 60) - 1))
            frames[at] = frame[:place] + draw(st.binary(min_size=1, max_size=1)) + frame[place + 1 :]
        elif change == "cut":
            frames[at] = frame[: draw(st.integers(1, len(frame)))]
        else:
            frames.insert(at, draw(FRAMES))
    return SHAKEN + b"".join(frames)


CONVERSATIONS = (
    _changed()
    | st.lists(FRAMES, max_size=14).map(lambda frames: SHAKEN + b"".join(frames))
    | st.binary(max_size=120)
    | st.binary(max_size=60).map(SHAKEN.__add__)
)


def _keeps_promises(taker: Taker, *, is_asked: bool) -> None:
    """One end, and nothing after it, but that whoever has asked all of it is gone; one answer."""
    said = [call for call in taker.calls if call[0] not in {"pause", "resume"}]
    if is_asked and len(said) > 1 and said[-1][0] == "reset":
        said.pop()
    ends = [at for at, call in enumerate(said) if _is_end(call)]
    assert ends in ([], [len(said) - 1])
    statuses = [call[1] for call in said if call[0] == "response"]
    assert len([status for status in statuses if status != 100]) < 2


def _is_end(call: tuple[object, ...]) -> bool:
    if call[0] == "response":
        return call[4] is True
    return call[0] in {"reset", "trailers"} or (call[0] == "data" and call[2] is True)


def _has_end(taker: Taker) -> bool:
    return any(map(_is_end, taker.calls))


def _serve(sent: bytes, step: int) -> Serving:
    serving = Serving(LIMITS, is_open=False)
    serving.feed(f.PREFACE + sent, step)
    return serving


def _ask(sent: bytes, step: int) -> Asking:
    asking = Asking(LIMITS, is_open=False)
    for head in (POST, GET):
        asking.ask(RequestHead(head.method, head.target, head.authority, [], head.length, head.is_end))
    asking.feed(sent, step)
    return asking


def _said(takers: list[Taker]) -> list[tuple[bytes, list[object]]]:
    """What does not depend on how bytes arrived: bodies, and all but them in order."""
    return [(taker.body, [call for call in taker.calls if call[0] != "data" or call[2]]) for taker in takers]


@given(CONVERSATIONS, st.integers(1, 40))
@example(SHAKEN + headers(1, ASKED) + data(1, b"", is_end=True), 1)
def test_a_server_takes_or_refuses_in_pieces_what_it_does_at_once(sent: bytes, step: int) -> None:
    whole, parts = _serve(sent, 0), _serve(sent, step if len(sent) < 4000 else 997)

    assert whole.heads == parts.heads
    assert _said(whole.takers) == _said(parts.takers)
    assert whole.turn.faults == parts.turn.faults
    assert bytes(whole.wire.written) == bytes(parts.wire.written)
    for serving in (whole, parts):
        _promises(serving)


@given(CONVERSATIONS, st.integers(1, 40))
def test_a_client_takes_or_refuses_in_pieces_what_it_does_at_once(sent: bytes, step: int) -> None:
    whole, parts = _ask(sent, 0), _ask(sent, step if len(sent) < 4000 else 997)

    assert _said(whole.takers) == _said(parts.takers)
    assert whole.turn.faults == parts.turn.faults
    assert bytes(whole.wire.written) == bytes(parts.wire.written)
    for asking in (whole, parts):
        _promises(asking)


def _promises(end: Serving | Asking) -> None:
    assert len(end.codec._streams) <= LIMITS.streams
    assert end.wire.is_closed == end.codec.is_over
    end.codec.lost()
    end.turn.run()
    for taker in end.takers:
        _keeps_promises(taker, is_asked=isinstance(end, Serving))
        if isinstance(end, Asking):
            assert _has_end(taker)
    assert end.codec.is_idle


def _server_acts() -> dict[str, Callable[[Serving, ServerStream], None]]:
    return {
        "pause": lambda _, stream: stream.pause(),
        "resume": lambda _, stream: stream.resume(),
        "answer": lambda _, stream: stream.response(ResponseHead(200, [(b"x-a", b"b")])),
        "send": lambda _, stream: stream.data(b"z" * 30_000, is_end=False),
        "end": lambda _, stream: stream.data(b"", is_end=True),
        "reset": lambda _, stream: stream.reset(Failure.CANCELLED),
        "drain": lambda serving, _: serving.codec.drain(),
        "hold": lambda serving, _: serving.codec.pause_writing(),
        "go": lambda serving, _: serving.codec.resume_writing(),
        "late": _later,
    }


def _later(serving: Serving, stream: ServerStream) -> None:
    del stream
    serving.turn.now += 100
    serving.codec.expire()


@given(st.lists(FRAMES, max_size=12), ACTS)
def test_whatever_an_exchange_does_meanwhile(frames: list[bytes], acts: list[str]) -> None:
    serving, doing = Serving(LIMITS), _server_acts()
    answered: set[int] = set()
    for at in range(max(len(frames), len(acts))):
        if at < len(frames):
            serving.feed(frames[at])
        if at < len(acts) and serving.streams:
            number = at % len(serving.streams)
            if acts[at] in {"send", "end"} and number not in answered:
                continue
            if acts[at] == "answer":
                if number in answered:
                    continue
                answered.add(number)
            doing[acts[at]](serving, serving.streams[number])
            serving.turn.run()
    reader = f.FrameReader(f.MOST_FRAME_SIZE)
    read, fault = reader.feed(bytes(serving.wire.written))

    assert fault is None
    assert not reader.is_amid
    assert all(len(payload) <= 65_536 for _, _, _, payload in read)
    _promises(serving)
