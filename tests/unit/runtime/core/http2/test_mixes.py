"""All four mixes of HTTP/1.1 and HTTP/2 on the two sides of an exchange: what is asked and answered is the same."""

from __future__ import annotations

import pytest
from tests.unit.runtime.core.http2.ends import Taker
from tests.unit.runtime.core.http2.mixing import Mix

from meshproof.runtime.core.messages import Failure, RequestHead, ResponseHead

MIXES = pytest.mark.parametrize(("caller", "service"), [(1, 1), (1, 2), (2, 1), (2, 2)])
LARGE = 3_000_000


def _get() -> RequestHead:
    return RequestHead("GET", "/a?b=c", "catalog:8080", [(b"x-a", b"1"), (b"x-a", b""), (b"accept", b"*/*")])


def _post(length: int | None = None) -> RequestHead:
    return RequestHead("POST", "/a", "catalog", [(b"x-a", b"1")], length, is_end=False)


def _said(taker: Taker) -> list[tuple[object, ...]]:
    """What was said, with its body in one piece and without hints."""
    found: list[tuple[object, ...]] = []
    for call in taker.calls:
        if call[0] == "response":
            found.append(call[:3])
        elif call[0] in {"trailers", "reset"}:
            found.append(call)
    return [*found, ("body", taker.body)]


def _ends(taker: Taker) -> int:
    return sum(
        call[0] in {"trailers", "reset"} or (call[0] == "data" and call[2] is True) or call[-1:] == (True,)
        for call in taker.calls
    )


@MIXES
def test_a_request_without_a_body(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    _, taker = mix.ask(_get())
    mix.run()
    heard = mix.heard[0]
    assert (heard.head.method, heard.head.target, heard.head.authority) == ("GET", "/a?b=c", "catalog:8080")
    assert heard.head.fields == _get().fields
    assert heard.head.is_end
    heard.stream.response(ResponseHead(200, [(b"x-b", b"2"), (b"set-cookie", b"a"), (b"set-cookie", b"b")], 2))
    heard.stream.data(b"ok", is_end=True)
    mix.run()

    assert _said(taker) == [
        ("response", 200, [(b"x-b", b"2"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]),
        ("body", b"ok"),
    ]
    assert _ends(taker) == 1
    assert [(one.status, one.sent, one.flags) for one in mix.telemetry.records] == [(200, 2, "")]


@MIXES
@pytest.mark.parametrize("length", [None, 9])
def test_bodies_both_ways(caller: int, service: int, length: int | None) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post(length))
    stream.data(b"mess", is_end=False)
    mix.run()
    assert mix.heard[0].body == b"mess"
    stream.data(b"ages!", is_end=True)
    mix.run()
    heard = mix.heard[0]
    assert (heard.head.length, heard.body, _ends(heard)) == (length, b"messages!", 1)
    heard.stream.response(ResponseHead(201, [], length))
    heard.stream.data(b"first", is_end=False)
    mix.run()
    assert taker.body == b"first"
    heard.stream.data(b"last", is_end=True)
    mix.run()

    assert _said(taker) == [("response", 201, []), ("body", b"firstlast")]


@MIXES
def test_trailers_both_ways(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post())
    stream.data(b"m", is_end=False)
    stream.trailers([(b"x-sum", b"9")])
    mix.run()
    heard = mix.heard[0]
    assert _said(heard) == [("trailers", [(b"x-sum", b"9")]), ("body", b"m")]
    heard.stream.response(ResponseHead(200, []))
    heard.stream.data(b"m", is_end=False)
    heard.stream.trailers([(b"grpc-status", b"0")])
    mix.run()

    assert _said(taker) == [("response", 200, []), ("trailers", [(b"grpc-status", b"0")]), ("body", b"m")]
    assert mix.telemetry.records[0].trailers == [(b"grpc-status", b"0")]


@MIXES
def test_a_body_that_waits_to_be_asked_for(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    head = _post(4)
    head.fields.append((b"expect", b"100-continue"))
    stream, taker = mix.ask(head)
    mix.run()
    heard = mix.heard[0]
    assert (b"expect", b"100-continue") in heard.head.fields
    heard.stream.response(ResponseHead(100, []))
    mix.run()
    assert _said(taker) == [("response", 100, []), ("body", b"")]
    stream.data(b"body", is_end=True)
    mix.run()
    assert heard.body == b"body"
    heard.stream.response(ResponseHead(200, [], 0, is_end=True))
    mix.run()

    assert _said(taker)[1] == ("response", 200, [])


@MIXES
@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", ResponseHead(200, [], 5, is_end=True)),
        ("GET", ResponseHead(204, [], 0, is_end=True)),
        ("GET", ResponseHead(304, [(b"etag", b"x")], None, is_end=True)),
        ("GET", ResponseHead(200, [], 0, is_end=True)),
    ],
)
def test_answers_without_bodies(caller: int, service: int, method: str, head: ResponseHead) -> None:
    mix = Mix(caller, service)
    for _ in range(2):
        _, taker = mix.ask(RequestHead(method, "/", "a", []))
        mix.run()
        mix.heard[-1].stream.response(ResponseHead(head.status, list(head.fields), head.length, head.is_end))
        mix.run()
        assert _said(taker) == [("response", head.status, head.fields), ("body", b"")]
        assert _ends(taker) == 1


@MIXES
def test_an_answer_before_the_request_has_ended(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post())
    stream.data(b"some", is_end=False)
    mix.run()
    mix.heard[0].stream.response(ResponseHead(403, [], 2))
    mix.heard[0].stream.data(b"no", is_end=True)
    mix.run()

    assert _said(taker)[0] == ("response", 403, [])
    assert taker.body == b"no"
    assert [one.status for one in mix.telemetry.records] == [403]


@MIXES
def test_a_caller_that_gives_up(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post())
    stream.data(b"some", is_end=False)
    mix.run()
    stream.reset(Failure.CANCELLED)
    mix.run()

    assert mix.heard[0].calls[-1][0] == "reset"
    assert [one.flags for one in mix.telemetry.records] == ["DC"]
    assert taker.calls == []


@MIXES
def test_a_service_that_gives_up_before_its_answer(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    _, taker = mix.ask(_get())
    mix.run()
    mix.heard[0].stream.reset(Failure.RESET)
    mix.run()

    assert taker.calls[0][:2] == ("response", 503)
    assert [one.flags for one in mix.telemetry.records] == ["UC"]


@MIXES
def test_a_service_that_gives_up_amid_its_answer(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    _, taker = mix.ask(_get())
    mix.run()
    mix.heard[0].stream.response(ResponseHead(200, [], 100))
    mix.heard[0].stream.data(b"half", is_end=False)
    mix.run()
    mix.heard[0].stream.reset(Failure.RESET)
    mix.run()

    assert taker.calls[-1] == ("reset", Failure.RESET)
    assert _ends(taker) == 1


@MIXES
def test_large_bodies_both_ways(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post(LARGE))
    for _ in range(30):
        stream.data(b"x" * (LARGE // 30), is_end=False)
    stream.data(b"", is_end=True)
    mix.run()
    heard = mix.heard[0]
    assert len(heard.body) == LARGE
    heard.stream.response(ResponseHead(200, []))
    for _ in range(30):
        heard.stream.data(b"y" * (LARGE // 30), is_end=False)
    heard.stream.data(b"", is_end=True)
    mix.run()

    assert len(taker.body) == LARGE
    assert _ends(taker) == 1


@MIXES
def test_a_slow_caller_holds_the_service_back(caller: int, service: int) -> None:
    """What is kept in between is bounded by windows, and by what fits into pipes."""
    mix = Mix(caller, service)
    stream, taker = mix.ask(_get())
    mix.run()
    heard = mix.heard[0]
    heard.stream.response(ResponseHead(200, []))
    stream.pause()
    sent = 0
    while ("pause",) not in heard.calls:
        heard.stream.data(b"y" * 10_000, is_end=False)
        sent += 10_000
        mix.run()
        assert sent < 1_000_000
    kept = len(taker.body)
    stream.resume()
    mix.run()

    assert kept <= 70_000
    assert ("resume",) in heard.calls
    assert len(taker.body) == sent


@MIXES
def test_a_slow_service_holds_the_caller_back(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    stream, taker = mix.ask(_post())
    mix.run()
    heard = mix.heard[0]
    heard.stream.pause()
    sent = 0
    while ("pause",) not in taker.calls:
        stream.data(b"y" * 10_000, is_end=False)
        sent += 10_000
        mix.run()
        assert sent < 1_000_000
    heard.stream.resume()
    mix.run()

    assert ("resume",) in taker.calls
    assert len(heard.body) == sent


@MIXES
def test_many_requests_one_after_another(caller: int, service: int) -> None:
    mix = Mix(caller, service)
    for number in range(20):
        stream, taker = mix.ask(_post() if number % 2 else _get())
        if number % 2:
            stream.data(b"%d" % number, is_end=True)
        mix.run()
        mix.heard[-1].stream.response(ResponseHead(200, [], 2))
        mix.heard[-1].stream.data(b"ok", is_end=True)
        mix.run()
        assert _said(taker) == [("response", 200, []), ("body", b"ok")]

    assert len(mix.heard) == 20


@pytest.mark.parametrize("service", [1, 2])
def test_messages_of_grpc_are_counted(service: int) -> None:
    mix = Mix(2, service)
    head = _post()
    head.fields.append((b"content-type", b"application/grpc+proto"))
    stream, _ = mix.ask(head)
    stream.data(b"\0\0\0\0\1a\0\0\0\0\2b", is_end=False)
    stream.data(b"b", is_end=True)
    mix.run()
    mix.heard[0].stream.response(ResponseHead(200, []))
    mix.heard[0].stream.data(b"\0\0\0\0\0" * 3, is_end=False)
    mix.heard[0].stream.trailers([(b"grpc-status", b"0")])
    mix.run()

    assert [(one.messages_received, one.messages_sent) for one in mix.telemetry.records] == [(2, 3)]


def test_cookies_are_one_line_behind_http2() -> None:
    mix = Mix(2, 1)
    mix.ask(RequestHead("GET", "/", "a", [(b"cookie", b"a=1"), (b"x-a", b"1"), (b"cookie", b"b=2")]))
    mix.run()

    assert mix.heard[0].head.fields == [(b"x-a", b"1"), (b"cookie", b"a=1; b=2")]


@pytest.mark.parametrize(
    "field",
    [
        (b"x-a", b"1\r\ntransfer-encoding: chunked"),
        (b"x-a", b"1\r\n\r\nGET /admin HTTP/1.1\r\nhost: a"),
        (b"x-a", b"1\nx-b: 2"),
        (b"x-a", b"\0"),
        (b"x-a\r\nx-b", b"1"),
        (b"x-a: 1\r\nx-b", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"content-length", b"3"),
        (b"content-length", b"4, 4"),
        (b"connection", b"content-length"),
        (b"host", b"other"),
        (b"Host", b"other"),
    ],
)
def test_nothing_is_smuggled_into_http_1_1(field: tuple[bytes, bytes]) -> None:
    """Bytes of HTTP/2 that would be another message of HTTP/1.1 reach no service, and nobody is answered by it."""
    mix = Mix(2, 1)
    head = _post()
    head.fields.append(field)
    stream, taker = mix.ask(head)
    stream.data(b"abcd", is_end=True)
    mix.run()
    mix.run()

    assert [one for one in mix.heard if not one.calls or one.calls[-1][0] != "reset"] == []
    assert taker.calls[-1][0] == "reset"
    assert b"admin" not in mix.to_service.all
    assert mix.to_service.all.count(b"HTTP/1.1\r\n") <= 1


def test_a_body_that_is_longer_than_it_says_becomes_no_second_request() -> None:
    mix = Mix(2, 1)
    head = _post()
    head.fields.append((b"content-length", b"4"))
    stream, taker = mix.ask(head)
    stream.data(b"abcdGET /admin HTTP/1.1\r\nhost: a\r\n\r\n", is_end=True)
    mix.run()

    assert b"admin" not in mix.to_service.all
    assert taker.calls[-1][0] == "reset"
    assert mix.heard == [] or mix.heard[0].calls[-1][0] == "reset"
