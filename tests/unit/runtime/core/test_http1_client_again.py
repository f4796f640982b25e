"""The next request on a connection may begin in the moment in which the answer before it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from meshproof.runtime.core.codec import ClientCodec
from meshproof.runtime.core.http1_client import ClientRules, Http1Client
from meshproof.runtime.core.messages import (
    ClientStream,
    Failure,
    Fields,
    RequestHead,
    ResponseHead,
    ResponseListener,
)


@dataclass
class Wire:
    written: list[bytes] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        raise AssertionError

    def resume_reading(self) -> None:
        raise AssertionError

    def end_writing(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError

    def abort(self) -> None:
        raise AssertionError


class Keeper:
    def ready(self, codec: ClientCodec) -> None:
        assert codec.capacity == 1

    def again(self, head: RequestHead, listener: ResponseListener) -> ClientStream | None:
        raise AssertionError(head, listener)


class Asking:
    """Asks once more when it is answered."""

    def __init__(self, codec: Http1Client, times: int) -> None:
        self.heard: list[object] = []
        self.codec = codec
        self.times = times
        self.ask()

    def ask(self) -> None:
        self.times -= 1
        if self.times >= 0:
            self.codec.request(RequestHead("GET", "/", "d", []), self)

    def response(self, head: ResponseHead) -> None:
        self.heard += [head.status, head.body] if head.body else [head.status]
        if head.is_end:
            self.ask()

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self.heard.append(payload)
        if is_end:
            self.ask()

    def trailers(self, fields: Fields) -> None:
        self.heard.append(fields)
        self.ask()

    def reset(self, failure: Failure) -> None:
        self.heard.append(failure)

    def pause_request(self) -> None:
        raise AssertionError

    def resume_request(self) -> None:
        raise AssertionError


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", [200, b"ab"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [200]),
        (CHUNKED + b"\r\n", [200, b"ab"]),
        (CHUNKED + b"X: y\r\n\r\n", [200, b"ab", [(b"x", b"y")]]),
    ],
)
def test_the_end_of_an_answer_is_not_taken_for_that_of_the_next(answer: bytes, heard: list[object]) -> None:
    wire = Wire()
    codec = Http1Client(wire, ClientRules(lambda: 0.0), Keeper())
    asking = Asking(codec, 3)
    for count in (2, 3, 3):
        codec.receive(answer)
        assert len(wire.written) == count
    assert asking.heard == heard * 3
    assert codec.is_idle
