"""What a peer may do that costs us: a flood ends its connection, what is usual never does, time fills budgets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.runtime.core.http2.ends import Asking, Serving, data, headers

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.floods import Allowance, Budget, FloodLimits
from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.hpack import BlockWriter
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, RequestHead, ResponseHead, ServerStream

LINES = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
ASKED = BlockWriter().write(LINES)
BAD = BlockWriter().write([*LINES, (b"connection", b"close")])
FEW = Http2Limits(
    floods=FloodLimits(*(Allowance(10, 1.0) for _ in range(7))),
)


def _goaways(end: Serving | Asking) -> list[int]:
    return [f.read_word(payload, 4) for kind, _, _, payload in end.sent() if kind == f.GOAWAY]


def _rapid_reset(number: int) -> bytes:
    stream = 2 * number + 1
    return headers(stream, ASKED, is_end=True) + f.write_reset(stream, Code.CANCEL)


def _made_to_reset(number: int) -> bytes:
    """CVE-2025-8671: the peer breaks rules so that we reset what we have begun."""
    stream = 2 * number + 1
    return headers(stream, ASKED) + f.write_window_update(stream, 0)


FLOODS: dict[str, Callable[[int], bytes]] = {
    "rapid reset": _rapid_reset,
    "made to reset": _made_to_reset,
    "requests that are refused": lambda number: headers(2 * number + 1, BAD, is_end=True),
    "settings": lambda _: f.write_settings(((f.MAX_CONCURRENT_STREAMS, 1),)),
    "pings": lambda _: f.write_frame(f.PING, 0, 0, b"12345678"),
    "answers to pings": lambda _: f.write_frame(f.PING, f.ACK, 0, b"12345678"),
    "priorities": lambda _: f.write_frame(f.PRIORITY, 0, 1, b"\0\0\0\0\1"),
    "window updates": lambda _: f.write_window_update(0, 1),
    "unknown frames": lambda _: f.write_frame(77, 0, 0, b"x"),
    "goodbyes": lambda _: f.write_goaway(0, 0),
    "empty data": lambda number: (b"" if number else headers(1, ASKED)) + data(1, b""),
    "padding alone": lambda number: (
        (b"" if number else headers(1, ASKED)) + f.write_frame(f.DATA, f.PADDED, 1, b"\x03\0\0\0")
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_connection(name: str) -> None:
    serving = Serving(FEW)
    for number in range(30):
        serving.feed(FLOODS[name](number))
        if serving.wire.is_closed:
            break

    assert serving.wire.is_closed
    assert number < 20
    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]
    assert [what for what in serving.turn.faults if what.startswith("it sends too many")] != []


@pytest.mark.parametrize("name", FLOODS)
def test_as_much_in_time_is_no_flood(name: str) -> None:
    serving = Serving(FEW)
    for number in range(50):
        serving.turn.now += 1.5
        serving.feed(FLOODS[name](number))

    assert not serving.wire.is_closed


def test_an_empty_frame_after_another_is_counted_in_a_block_too() -> None:
    serving = Serving(Http2Limits(floods=FloodLimits(empties=Allowance(3, 0.0))))
    serving.feed(headers(1, b"", flags=0))
    serving.feed(f.write_frame(f.CONTINUATION, 0, 1) * 5)

    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]


def test_a_block_that_never_ends_is_not_gathered() -> None:
    """CVE-2024-27316."""
    serving = Serving()
    serving.feed(headers(1, b"\0", flags=0))
    for _ in range(4):
        serving.feed(f.write_frame(f.CONTINUATION, 0, 1, b"x" * 16_000))
    assert serving.sent() == []
    serving.feed(f.write_frame(f.CONTINUATION, 0, 1, b"x" * 1_536))

    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]
    assert serving.turn.faults == ["its headers are too large"]


def test_a_block_of_many_frames_is_not_gathered_either() -> None:
    serving = Serving()
    serving.feed(headers(1, b"\0", flags=0) + f.write_frame(f.CONTINUATION, 0, 1, b"x") * 100)

    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]


def test_too_many_settings_in_one_frame() -> None:
    serving = Serving()
    serving.feed(f.write_settings(((99, 1),) * 33))

    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]


def test_headers_that_are_small_on_the_wire_and_large_in_truth_are_told_so() -> None:
    serving = Serving()
    bomb = ASKED[1:] + b"\x40\x01a\x7f\x81\x17" + b"v" * 3072 + b"\xbe" * 4000
    serving.feed(headers(1, bomb, is_end=True) + headers(3, ASKED, is_end=True))

    assert [head.target for head in serving.heads] == ["/"]
    assert serving.turn.faults == ["its headers are too large"]
    assert serving.sent()[0][2] == 1
    assert not serving.wire.is_closed


def test_too_many_lines_are_told_so() -> None:
    serving = Serving()
    serving.feed(headers(1, BlockWriter().write(LINES + [(b"x-a", b"1")] * 125), is_end=True))

    assert serving.turn.faults == ["its headers are too large"]
    assert serving.heads == []


def test_requests_that_end_well_fill_the_budget_of_resets() -> None:
    serving = Serving(FEW)
    serving.answer = _answered
    for number in range(0, 100, 2):
        serving.feed(headers(2 * number + 1, ASKED, is_end=True))
        serving.answer = None
        serving.feed(_rapid_reset(number + 1))
        serving.answer = _answered

    assert not serving.wire.is_closed


def _answered(stream: ServerStream, head: RequestHead) -> None:
    del head
    stream.response(ResponseHead(200, [], 0, is_end=True))


def test_a_reader_of_much_data_may_give_much_credit() -> None:
    serving = Serving(FEW)
    serving.feed(headers(1, ASKED, is_end=True))
    serving.streams[0].response(ResponseHead(200, []))
    for _ in range(200):
        serving.streams[0].data(b"x" * 2000, is_end=False)
        serving.feed(f.write_window_update(1, 2000) + f.write_window_update(0, 2000))

    assert not serving.wire.is_closed


def test_who_takes_a_byte_at_a_time_earns_nothing() -> None:
    """CVE-2019-9511."""
    serving = Serving(FEW)
    serving.feed(f.write_settings(((f.INITIAL_WINDOW_SIZE, 0),)))
    serving.feed(headers(1, ASKED, is_end=True))
    serving.streams[0].response(ResponseHead(200, []))
    serving.streams[0].data(b"x" * 2000, is_end=True)
    for _ in range(30):
        if not serving.wire.is_closed:
            serving.feed(f.write_window_update(1, 1))

    assert _goaways(serving) == [Code.ENHANCE_YOUR_CALM]


def test_who_asks_and_does_not_read_is_refused() -> None:
    serving = Serving(Http2Limits(held_bytes=1000))
    serving.answer = lambda stream, _: stream.response(ResponseHead(204, [(b"x-a", b"v" * 100)], 0, is_end=True))
    serving.codec.pause_writing()
    for number in range(50):
        serving.feed(headers(2 * number + 1, ASKED, is_end=True))

    assert len(serving.heads) < 12
    serving.codec.resume_writing()
    serving.feed(headers(1001, ASKED, is_end=True))
    assert serving.heads[-1].target == "/"


def test_a_server_that_goes_on_before_its_answer_is_cut() -> None:
    asking = Asking(FEW)
    _, taker = asking.ask(RequestHead("GET", "/", "a", []))
    asking.feed(headers(1, BlockWriter().write([(b":status", b"103")])) * 30)

    assert asking.wire.is_closed
    assert taker.calls[-1] == ("reset", Failure.PROTOCOL)


def test_a_clock_that_jumps_back_fills_nothing() -> None:
    budget = Budget(Allowance(2, 1.0), "x", 100.0)
    budget.spend(100.0)
    budget.spend(50.0)
    with pytest.raises(ConnectionFault):
        budget.spend(60.0)
    budget.spend(101.0)
