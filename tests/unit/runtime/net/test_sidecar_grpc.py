"""gRPC through two real sidecars: grpcio asks and answers, mutual TLS and the policy are in between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from queue import SimpleQueue

import grpc
import pytest
from tests.unit.runtime.net.grpc_scenes import LARGE, SECONDS, Scene, serving


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with serving() as made:
        yield made


def test_a_call_and_all_that_comes_with_it(scene: Scene) -> None:
    answer, call = scene.channel.unary_unary("/shop.Catalog/Echo").with_call(
        b"message", metadata=(("x-asked", "this"),), timeout=SECONDS
    )

    assert answer == b"message"
    assert ("x-told", "this") in call.initial_metadata()
    assert dict(call.trailing_metadata())["x-last-bin"] == b"\0\xff"
    assert call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("size", [0, 1, 100_000, LARGE])
def test_messages_of_any_size(scene: Scene, size: int) -> None:
    assert scene.call("Echo", b"x" * size) == b"x" * size


def test_more_calls_at_once_than_a_connection_takes(scene: Scene) -> None:
    call = scene.channel.unary_unary("/shop.Catalog/Echo")
    futures = [call.future(b"%d" % number, timeout=SECONDS) for number in range(250)]

    assert [future.result() for future in futures] == [b"%d" % number for number in range(250)]


def test_streams_of_answers(scene: Scene) -> None:
    answers = scene.channel.unary_stream("/shop.Catalog/Many")(b"3000", timeout=SECONDS)
    assert list(answers) == [b"%d" % number for number in range(3000)]


def test_streams_of_questions(scene: Scene) -> None:
    asked = [b"%d" % number for number in range(3000)]
    assert scene.channel.stream_unary("/shop.Catalog/Gather")(iter(asked), timeout=SECONDS) == b",".join(asked)


def test_a_conversation_goes_back_and_forth(scene: Scene) -> None:
    questions: SimpleQueue[bytes] = SimpleQueue()
    answers = scene.channel.stream_stream("/shop.Catalog/Talk")(iter(questions.get, b""), timeout=SECONDS)
    heard = []
    for question in (b"a", b"b", b"c"):
        questions.put(question)
        heard.append(next(answers))  # the next question is asked when it has come
    questions.put(b"")

    assert heard == [b"to a", b"to b", b"to c"]
    assert list(answers) == []


def test_a_deadline_reaches_the_service(scene: Scene) -> None:
    scene.service.gone.clear()
    with pytest.raises(grpc.RpcError) as error:
        scene.call("Wait", b"", timeout=0.3)

    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert scene.service.gone.wait(SECONDS)


def test_a_call_that_is_given_up_is_given_up_at_the_service(scene: Scene) -> None:
    scene.service.gone.clear()
    scene.service.waits.clear()
    future = scene.channel.unary_unary("/shop.Catalog/Wait").future(b"", timeout=SECONDS)
    assert scene.service.waits.wait(SECONDS)
    assert not scene.service.gone.is_set()
    future.cancel()

    assert scene.service.gone.wait(SECONDS)


def test_an_error_of_the_service_is_told(scene: Scene) -> None:
    with pytest.raises(grpc.RpcError) as error:
        scene.call("Fail", b"ready")
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not ready % é")


def test_an_error_before_all_was_asked(scene: Scene) -> None:
    """The service answers with an error while its client still sends."""
    endless = chain.from_iterable(iter(lambda: (b"x" * 10_000,), None))
    with pytest.raises(grpc.RpcError) as error:
        scene.channel.stream_unary("/shop.Catalog/Fail")(endless, timeout=SECONDS)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not xxxxx % é")


def test_what_the_policy_refuses_is_permission_denied(scene: Scene) -> None:
    with pytest.raises(grpc.RpcError) as error:
        scene.channel.unary_unary("/shop.Stock/Take")(b"", timeout=SECONDS)

    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "forbidden" in error.value.details()


def test_an_unknown_method_is_told_by_the_service(scene: Scene) -> None:
    with pytest.raises(grpc.RpcError) as error:
        scene.call("Nothing", b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with serving() as alone:
        alone.stop()
        with pytest.raises(grpc.RpcError) as error:
            alone.call("Echo", b"")
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_call_that_has_begun_ends_though_its_sidecar_does() -> None:
    with serving() as leaving:
        questions: SimpleQueue[bytes] = SimpleQueue()
        answers = leaving.channel.stream_stream("/shop.Catalog/Talk")(iter(questions.get, b""), timeout=SECONDS)
        questions.put(b"a")
        heard = [next(answers)]
        drained = leaving.drain()
        questions.put(b"b")
        heard.append(next(answers))
        questions.put(b"")

        assert heard == [b"to a", b"to b"]
        assert list(answers) == []
        drained.result(SECONDS)
