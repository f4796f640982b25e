"""What servers send, whole and in pieces, and what whoever asked is told. Each line of the tables is a case."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.unit.runtime.core.http1_ends import Wire

from meshproof.runtime.core.codec import ClientCodec
from meshproof.runtime.core.http1_client import ClientRules, Http1Client
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseHead, ResponseListener

OK = b"HTTP/1.1 200 OK\r\n"
Call = tuple[object, ...]


@dataclass
class Asking:
    """A client codec, its owner, and a listener that keeps what it is told: data in one piece."""

    now: float = 1000.0
    wire: Wire = field(default_factory=Wire)
    told: list[Call] = field(default_factory=list)
    ready_told: int = 0
    repeated: list[RequestHead] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codec = Http1Client(self.wire, ClientRules(lambda: self.now), self)

    def ready(self, codec: ClientCodec) -> None:
        assert codec is self.codec
        self.ready_told += 1

    def again(self, head: RequestHead, listener: ResponseListener) -> ClientStream | None:
        assert listener is self
        self.repeated.append(head)
        return None

    def ask(self, method: str = "GET", **more: object) -> Asking:
        head = RequestHead(method, "/a", "shop", [(b"x", b"y")], **more)  # type: ignore[arg-type]  # a test says which
        self.stream = self.codec.request(head, self)
        return self

    def feed(self, data: bytes, step: int | None = None) -> Asking:
        size = step or max(len(data), 1)
        for start in range(0, len(data), size):
            self.codec.receive(memoryview(data)[start : start + size])
        return self

    def response(self, head: ResponseHead) -> None:
        self.told.append(("response", head.status, tuple(head.fields)))
        if head.body:
            self.told.append(("data", head.body))
        if head.is_end:
            self.told.append(("end",))

    def data(self, payload: bytes, *, is_end: bool) -> None:
        if payload:
            before = self.told.pop()[1] if self.told[-1][0] == "data" else b""
            assert isinstance(before, bytes)
            self.told.append(("data", before + payload))
        if is_end:
            self.told.append(("end",))

    def trailers(self, fields: Fields) -> None:
        self.told.append(("trailers", *fields))

    def reset(self, failure: Failure) -> None:
        self.told.append(("reset", failure))

    def pause_request(self) -> None:
        self.told.append(("pause",))

    def resume_request(self) -> None:
        self.told.append(("resume",))


TAKEN: dict[str, tuple[bytes, list[Call], bool]] = {
    "a length": (OK + b"content-length: 3\r\n\r\nabc", [("response", 200, ()), ("data", b"abc"), ("end",)], True),
    "no body": (OK + b"content-length: 0\r\n\r\n", [("response", 200, ()), ("end",)], True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", [("response", 204, ()), ("end",)], True),
    "not modified": (
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
        [("response", 304, ()), ("end",)],
        True,
    ),
    "chunks": (
        OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        [("response", 200, ()), ("data", b"abc"), ("end",)],
        True,
    ),
    "trailers": (
        OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx: y\r\n\r\n",
        [("response", 200, ()), ("data", b"ab"), ("trailers", (b"x", b"y"))],
        True,
    ),
    "hints before it": (
        b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
        [("response", 103, ((b"link", b"a"),)), ("response", 200, ()), ("end",)],
        True,
    ),
    "the last one": (
        OK + b"connection: close\r\ncontent-length: 1\r\n\r\na",
        [("response", 200, ()), ("data", b"a"), ("end",)],
        False,
    ),
}
REFUSED = {
    "both lengths": OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "another coding": OK + b"transfer-encoding: gzip\r\n\r\n",
    "a folded line": OK + b"x: a\r\n b\r\ncontent-length: 0\r\n\r\n",
    "a line that ends in LF": OK + b"x: a\ncontent-length: 0\r\n\r\n",
    "a status that is none": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "a change of protocol that nobody asked for": b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: b\r\n\r\n",
    "no answer at all": b"SSH-2.0-OpenSSH\r\n",
    "headers without an end": OK + b"x: " + b"y" * 70_000,
}


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", TAKEN)
def test_an_answer_is_told_and_its_connection_is_used_again_if_it_may_be(name: str, step: int | None) -> None:
    sent, told, is_kept = TAKEN[name]
    found = Asking().ask().feed(sent, step)
    assert found.told == told
    assert found.ready_told == int(is_kept)
    assert found.codec.capacity == int(is_kept)
    assert found.wire.is_over is not is_kept


@pytest.mark.parametrize("step", [None, 1, 1000])
@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_read_in_two_ways_is_no_answer(name: str, step: int | None) -> None:
    found = Asking().ask().feed(REFUSED[name], step)
    assert found.told == [("reset", Failure.PROTOCOL)]
    assert found.codec.capacity == 0
    assert found.wire.is_over


def test_an_answer_to_head_has_no_body_whatever_it_says() -> None:
    found = Asking().ask("HEAD").feed(OK + b"content-length: 9\r\n\r\n")
    assert found.told == [("response", 200, ()), ("end",)]
    assert found.codec.capacity == 1


def test_what_comes_after_an_answer_belongs_to_nobody() -> None:
    found = Asking().ask().feed(OK + b"content-length: 0\r\n\r\n" + OK + b"content-length: 1\r\n\r\nx")
    assert found.told == [("response", 200, ()), ("end",)]
    assert found.codec.capacity == 0


def test_what_comes_unasked_ends_the_connection() -> None:
    for unasked in (OK + b"content-length: 1\r\n\r\nx", b"H", b"\r\n"):
        found = Asking().ask().feed(OK + b"content-length: 0\r\n\r\n")
        assert found.codec.capacity == 1
        found.feed(unasked)
        assert found.codec.capacity == 0
        assert found.wire.is_over
        assert found.told == [("response", 200, ()), ("end",)]


def test_a_body_that_ends_with_the_connection_is_whole_and_one_that_ends_before_its_length_is_not() -> None:
    found = Asking().ask().feed(OK + b"\r\nabc")
    found.codec.eof()
    assert found.told == [("response", 200, ()), ("data", b"abc"), ("end",)]
    found = Asking().ask().feed(OK + b"content-length: 4\r\n\r\nabc")
    found.codec.eof()
    assert found.told == [("response", 200, ()), ("data", b"abc"), ("reset", Failure.RESET)]


def test_a_request_is_written_as_it_is_framed() -> None:
    found = Asking().ask("POST", length=None, is_end=False)
    found.stream.data(b"abc", is_end=False)
    found.stream.trailers([(b"t", b"u")])
    assert bytes(found.wire.written) == (
        b"POST /a HTTP/1.1\r\nhost: shop\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nt: u\r\n\r\n"
    )
    found = Asking().ask("POST", length=3, is_end=False, is_followed=True)
    found.stream.data(b"abc", is_end=True)
    assert found.wire.writes == 1
    assert found.wire.written.endswith(b"content-length: 3\r\n\r\nabc")


@pytest.mark.parametrize("payload", [b"ab", b"abcd"])
def test_a_body_that_is_not_as_long_as_it_says_is_never_sent_whole(payload: bytes) -> None:
    found = Asking().ask("POST", length=3, is_end=False)
    found.stream.data(payload, is_end=True)
    assert found.told == [("reset", Failure.PROTOCOL)]
    assert payload not in found.wire.written
    assert found.wire.is_over


@pytest.mark.parametrize(("method", "is_repeated"), [("GET", True), ("DELETE", True), ("POST", False)])
def test_a_kept_connection_that_ended_is_no_failure_for_what_may_be_repeated(method: str, *, is_repeated: bool) -> None:
    found = Asking().ask().feed(OK + b"content-length: 0\r\n\r\n")
    found.told.clear()
    found.ask(method).codec.lost()
    assert [one.method for one in found.repeated] == ([method] if is_repeated else [])
    assert found.told == [("reset", Failure.RESET)]  # the owner of this test has no other connection


def test_a_new_connection_that_ended_is_a_failure() -> None:
    found = Asking().ask()
    found.codec.lost()
    assert found.repeated == []
    assert found.told == [("reset", Failure.RESET)]


def test_a_server_that_says_nothing_is_given_up() -> None:
    found = Asking().ask()
    found.now += 301.0
    assert found.codec.deadline <= found.now
    found.codec.expire()
    assert found.told == [("reset", Failure.TIMEOUT)]


def test_an_answer_that_nobody_takes_is_not_read() -> None:
    found = Asking().ask().feed(OK + b"content-length: 6\r\n\r\nabc")
    found.stream.pause()
    found.feed(b"def")
    assert found.told[-1] == ("data", b"abc")
    assert not found.wire.is_reading
    found.stream.resume()
    assert found.told[-2:] == [("data", b"abcdef"), ("end",)]
    assert found.wire.is_reading


def test_an_answer_that_comes_whole_while_nobody_takes_it_waits() -> None:
    found = Asking().ask()
    found.stream.pause()
    found.feed(OK + b"content-length: 3\r\n\r\nabc")
    assert found.told == []
    found.stream.resume()
    assert found.told == [("response", 200, ()), ("data", b"abc"), ("end",)]


def test_a_request_that_nobody_wants_any_more_ends_its_connection() -> None:
    found = Asking().ask()
    found.stream.reset(Failure.CANCELLED)
    found.feed(OK + b"content-length: 0\r\n\r\n")
    assert found.told == []
    assert found.wire.is_over
