"""What the first bytes of a connection choose, and that it drains, expires and ends meanwhile too."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import pytest
from tests.unit.runtime.core.http1_ends import Answering
from tests.unit.runtime.core.http2.ends import Serving

from meshproof.runtime.core.codec import ServerCodec
from meshproof.runtime.core.codec_choice import FirstBytes
from meshproof.runtime.core.http2.frames import GOAWAY, PREFACE, write_settings
from meshproof.runtime.core.messages import ResponseHead

POST = b"POST /a HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n"
GREETING = PREFACE + write_settings(())


@dataclass
class Choice:
    """Both ends of a connection on which nothing was said yet."""

    http1: Answering = field(default_factory=Answering)
    http2: Serving = field(default_factory=lambda: Serving(is_open=False))
    chosen: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codec = FirstBytes(self.http1.wire, lambda: self.http1.now, 10.0, self._make)

    def _make(self, is_http2: bool) -> ServerCodec:
        self.chosen.append(is_http2)
        return self.http2.codec if is_http2 else self.http1.codec

    def feed(self, data: bytes) -> Choice:
        """Bytes, each for itself, and the answers to what is whole."""
        for at in range(len(data)):
            self.codec.receive(data[at : at + 1])
        for one in self.http1.asked:
            one.stream.response(ResponseHead(200, [], 0, is_end=True))
        return self


@pytest.mark.parametrize(
    ("data", "is_http2"), [(POST, False), (GREETING, True), (b"PRI * HTTP/2.1", False), (b"G", False)]
)
def test_the_first_bytes_choose(data: bytes, is_http2: bool) -> None:
    assert Choice().feed(data).chosen == [is_http2]


@pytest.mark.parametrize("count", range(1, 16))
def test_who_has_begun_to_say_what_it_speaks_when_it_drains_is_answered_and_is_the_last(count: int) -> None:
    asking = Choice().feed(POST[:1])
    asking.codec.drain()
    assert (asking.chosen, asking.http1.wire.states) == ([], [])
    asking.feed(POST[1:])
    assert (asking.http1.statuses, asking.http1.wire.states) == ([200], ["close"])
    assert b"connection: close" in asking.http1.wire.written
    greeting = Choice().feed(GREETING[:count])
    greeting.codec.drain()
    greeting.feed(GREETING[count:])
    assert greeting.http2.codec.is_draining
    assert GOAWAY in [frame[0] for frame in greeting.http2.sent()]


def test_who_has_said_nothing_when_it_drains_is_gone() -> None:
    silent = Choice()
    assert silent.codec.is_idle
    silent.codec.drain()
    assert silent.http1.wire.states == ["close"]
    silent.feed(POST)
    assert (silent.chosen, silent.codec.deadline) == ([], inf)


def test_half_a_preface_is_not_waited_for_without_end() -> None:
    slow = Choice().feed(PREFACE[:5])
    assert not slow.codec.is_idle
    slow.codec.drain()
    assert slow.codec.deadline == slow.http1.now + 10.0
    slow.codec.expire()
    assert (slow.chosen, slow.http1.wire.states) == ([], ["close"])
    ended = Choice().feed(PREFACE[:5])
    ended.codec.eof()
    assert ended.http1.wire.states == ["close"]
