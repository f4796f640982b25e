"""One request between a client's codec and an upstream, as data: who was told what, and what telemetry saw of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.unit.runtime.core.traffic.scenes import Clock

from meshproof.runtime.core.exchange import Exchange, Surroundings, failed
from meshproof.runtime.core.messages import (
    Answer,
    ClientStream,
    ConnectionRecord,
    Failure,
    Fields,
    Forward,
    Record,
    RequestHead,
    Respond,
    ResponseHead,
    ResponseListener,
    Side,
)

Call = tuple[object, ...]


@dataclass
class Stream:
    """Either half of a request; `calls` are what it was told."""

    calls: list[Call] = field(default_factory=list)

    def response(self, head: ResponseHead) -> None:
        self.calls.append(("response", head.status, head.is_end and not head.body))
        if head.body:
            self.calls.append(("data", head.body, head.is_end))

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self.calls.append(("data", payload, is_end))

    def trailers(self, fields: Fields) -> None:
        self.calls.append(("trailers", *fields))

    def reset(self, failure: Failure) -> None:
        self.calls.append(("reset", failure))

    def pause(self) -> None:
        self.calls.append(("pause",))

    def resume(self) -> None:
        self.calls.append(("resume",))


class Scene:
    """A desk that answers as it is told to, an upstream that is there at once, and telemetry that keeps records."""

    def __init__(self, answer: Answer | None = None, timeout: float | None = None, **head: object) -> None:
        self.clock = Clock()
        self.client, self.server = Stream(), Stream()
        self.records: list[Record] = []
        self.later: Callable[[Answer], None] | None = None
        self.listener: ResponseListener | None = None
        self._answer = answer
        self._timeout = timeout
        self._is_late = False
        connection = ConnectionRecord(Side.INBOUND, "here", "catalog", 8080)
        self._around = Surroundings(connection, self, self, self.clock.time, self.clock.call_later)
        told = {"method": "GET", "target": "/a", "authority": "shop", "fields": [], **head}
        self.head = RequestHead(**told)  # type: ignore[arg-type]  # a table says which

    def begin(self, *, is_late: bool = False) -> Exchange:
        self._is_late = is_late
        self.exchange = self._around.open(self.client, self.head)
        assert isinstance(self.exchange, Exchange)
        return self.exchange

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer | None:
        assert record.head is head
        self.later = later
        return None if self._is_late else self.said

    @property
    def said(self) -> Answer:
        return self._answer or Forward(self, self.head, self._timeout)

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        assert head is self.head
        self.listener = listener
        return self.server

    @property
    def up(self) -> ResponseListener:
        assert self.listener is not None
        return self.listener

    def request(self, record: Record) -> None:
        self.records.append(record)

    def opened(self, connection: ConnectionRecord) -> None:
        raise AssertionError(connection)

    def closed(self, connection: ConnectionRecord) -> None:
        raise AssertionError(connection)

    def fault(self, what: str) -> None:
        raise AssertionError(what)


def test_an_answer_goes_through_with_all_that_is_counted_of_it() -> None:
    scene = Scene(method="POST", is_end=False, length=None)
    exchange = scene.begin()
    exchange.data(b"abc", is_end=False)
    exchange.trailers([(b"x", b"y")])
    assert scene.server.calls == [("data", b"abc", False), ("trailers", (b"x", b"y"))]
    scene.up.response(ResponseHead(103, []))
    scene.up.response(ResponseHead(200, []))
    scene.clock.now += 2.0
    scene.up.data(b"defg", is_end=True)
    assert scene.client.calls == [("response", 103, False), ("response", 200, False), ("data", b"defg", True)]
    (record,) = scene.records
    assert (record.status, record.received, record.sent, record.flags) == (200, 3, 4, "")
    assert record.ended - record.started == 2.0


def test_an_answer_that_came_whole_is_counted_with_its_body() -> None:
    scene = Scene(version="HTTP/2", fields=[(b"content-type", b"application/grpc")])
    scene.begin()
    message = b"\0\0\0\0\2ab"
    scene.up.response(ResponseHead(200, [], len(message), is_end=True, body=message))
    assert scene.client.calls == [("response", 200, False), ("data", message, True)]
    (record,) = scene.records
    assert (record.status, record.sent, record.messages_sent) == (200, 7, 1)


@pytest.mark.parametrize("is_late", [False, True])
def test_how_long_the_server_took_is_from_the_whole_request_to_the_head_of_the_answer(is_late: bool) -> None:
    scene = Scene(method="POST", is_end=False, length=None)
    exchange = scene.begin(is_late=is_late)
    scene.clock.now += 3.0
    exchange.data(b"abc", is_end=True)
    if is_late:
        scene.clock.now += 5.0
        assert scene.later is not None
        scene.later(scene.said)
    scene.clock.now += 2.0
    scene.up.response(ResponseHead(200, []))
    scene.clock.now += 4.0
    scene.up.data(b"defg", is_end=True)
    (record,) = scene.records
    assert (record.responded - record.asked, record.ended - record.responded) == (2.0, 4.0)


def test_without_a_body_it_took_as_long_as_the_whole_exchange() -> None:
    scene = Scene()
    scene.begin()
    scene.clock.now += 2.0
    scene.up.response(ResponseHead(204, [], None, is_end=True))
    (record,) = scene.records
    assert (record.asked, record.responded - record.started, record.ended) == (0.0, 2.0, record.responded)


def test_nothing_is_said_of_how_long_a_server_took_that_did_not_wait_or_did_not_answer() -> None:
    early, none = Scene(method="POST", is_end=False, length=None), Scene()
    exchange = early.begin()
    early.up.response(ResponseHead(200, []))
    exchange.data(b"late", is_end=True)
    early.up.data(b"", is_end=True)
    none.begin()
    none.up.reset(Failure.RESET)
    assert [one.responded for one in (*early.records, *none.records)] == [0.0, 0.0]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_desk_answers_itself_is_told_at_once(method: str) -> None:
    scene = Scene(failed(403, "UAEX", "forbidden"), method=method, is_end=True)
    scene.begin()
    body = b'{"error":"forbidden","status":403}'
    told = [("response", 403, False), ("data", body, True)] if method == "GET" else [("response", 403, True)]
    assert scene.client.calls == told
    assert [(one.status, one.flags) for one in scene.records] == [(403, "UAEX")]


FAILED = {
    Failure.CONNECT: (503, "UF"),
    Failure.REFUSED: (503, "UR"),
    Failure.RESET: (503, "UC"),
    Failure.OVERFLOW: (503, "UO"),
    Failure.TIMEOUT: (504, "UT"),
    Failure.PROTOCOL: (502, "UPE"),
}


@pytest.mark.parametrize("failure", FAILED)
def test_a_server_that_fails_before_it_answers_is_told_as_envoy_tells_it(failure: Failure) -> None:
    scene = Scene()
    scene.begin()
    scene.up.reset(failure)
    status, flags = FAILED[failure]
    assert scene.client.calls[0] == ("response", status, False)
    assert [(one.status, one.flags) for one in scene.records] == [(status, flags)]


def test_a_server_that_fails_in_the_middle_is_not_made_whole() -> None:
    scene = Scene()
    scene.begin()
    scene.up.response(ResponseHead(200, [], 9))
    scene.up.data(b"abc", is_end=False)
    scene.up.reset(Failure.RESET)
    assert scene.client.calls[-1] == ("reset", Failure.RESET)
    assert [(one.status, one.flags, one.sent) for one in scene.records] == [(200, "UC", 3)]


@pytest.mark.parametrize(
    ("failure", "flags"), [(Failure.CANCELLED, "DC"), (Failure.PROTOCOL, "DPE"), (Failure.TIMEOUT, "RT")]
)
def test_a_client_that_is_gone_ends_the_request_at_the_server_once(failure: Failure, flags: str) -> None:
    scene = Scene()
    exchange = scene.begin()
    exchange.reset(failure)
    exchange.reset(failure)
    exchange.data(b"late", is_end=True)
    assert scene.server.calls == [("reset", Failure.CANCELLED)]
    assert [(one.status, one.flags) for one in scene.records] == [(0, flags)]


def test_a_timeout_is_504_and_ends_the_request_at_the_server() -> None:
    scene = Scene(timeout=3.0)
    scene.begin()
    scene.clock.pass_by(2.9)
    assert scene.records == []
    scene.clock.pass_by(0.2)
    assert scene.server.calls == [("reset", Failure.TIMEOUT)]
    assert scene.client.calls[0] == ("response", 504, False)
    assert [(one.status, one.flags) for one in scene.records] == [(504, "UT")]


def test_a_timeout_is_over_when_the_answer_is() -> None:
    scene = Scene(timeout=3.0)
    scene.begin()
    scene.up.response(ResponseHead(204, [], None, is_end=True))
    scene.clock.pass_by(10.0)
    assert scene.server.calls == []
    assert [(one.status, one.flags) for one in scene.records] == [(204, "")]


def test_what_comes_before_the_desk_has_said_is_kept_in_order_and_the_client_is_held_back() -> None:
    scene = Scene(method="POST", is_end=False, length=None)
    exchange = scene.begin(is_late=True)
    assert scene.client.calls == [("pause",)]
    exchange.data(b"abc", is_end=False)
    exchange.trailers([(b"x", b"y")])
    assert scene.server.calls == []
    assert scene.later is not None
    scene.later(scene.said)
    assert scene.server.calls == [("data", b"abc", False), ("trailers", (b"x", b"y"))]
    assert scene.client.calls == [("pause",), ("resume",)]


def test_a_desk_that_says_something_after_the_client_has_gone_is_not_heard() -> None:
    scene = Scene()
    exchange = scene.begin(is_late=True)
    exchange.reset(Failure.CANCELLED)
    assert scene.later is not None
    scene.later(scene.said)
    assert scene.listener is None
    assert [one.flags for one in scene.records] == ["DC"]


def test_whoever_reads_slowly_holds_the_other_one_back() -> None:
    scene = Scene(method="POST", is_end=False, length=None)
    exchange = scene.begin()
    exchange.pause_answer()
    exchange.resume_answer()
    assert scene.server.calls == [("pause",), ("resume",)]
    scene.up.pause_request()
    scene.up.resume_request()
    assert scene.client.calls == [("pause",), ("resume",)]


def test_an_answer_before_the_end_of_the_request_ends_it_at_the_server() -> None:
    scene = Scene(method="POST", is_end=False, length=None)
    exchange = scene.begin()
    scene.up.response(ResponseHead(413, [], 0, is_end=True))
    exchange.data(b"late", is_end=True)
    assert scene.server.calls == [("reset", Failure.CANCELLED)]
    assert len(scene.records) == 1


def test_after_an_upgrade_the_end_of_one_side_is_that_of_the_other() -> None:
    scene = Scene(protocol="websocket")
    exchange = scene.begin()
    scene.up.response(ResponseHead(101, []))
    exchange.data(b"abc", is_end=False)
    scene.up.data(b"de", is_end=False)
    exchange.data(b"", is_end=True)
    assert scene.server.calls == [("data", b"abc", False), ("reset", Failure.CANCELLED)]
    assert scene.client.calls == [("response", 101, False), ("data", b"de", False), ("data", b"", True)]
    assert [(one.status, one.received, one.sent) for one in scene.records] == [(101, 3, 2)]


def test_what_is_refused_has_no_body_where_none_is_said() -> None:
    scene = Scene(Respond(403))
    scene.begin()
    assert scene.client.calls == [("response", 403, True)]
