from __future__ import annotations

import pytest
from tests.unit.runtime.core.traffic.scenes import (
    Caller,
    Clock,
    Stream,
    cluster,
    draws,
    endpoint,
    head,
    record,
    retry,
    streams,
    upstream,
)

from meshproof.compiler.ir.routing import Balance, BalanceKind, Ejection, Limits
from meshproof.runtime.core.messages import ClientStream, Failure, Record, RequestHead
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.endpoints import Endpoint
from meshproof.runtime.core.traffic.plans import PortPlan
from meshproof.runtime.core.traffic.sending import Order, Sending

ROUND = Balance(BalanceKind.ROUND_ROBIN)


class Scene:
    """One request to a cluster."""

    def __init__(self, order: Order, of: RequestHead, *endpoints: Endpoint, plan: PortPlan | None = None) -> None:
        self.clock = Clock()
        self.caller = Caller()
        self.cluster: Cluster = cluster(plan or PortPlan("d", balance=ROUND), *endpoints)
        self.record: Record = record(of)
        self.sending = Sending(self.cluster, order, self.record, self.clock, draws(0.5))
        self.stream: ClientStream = self.sending.open(of, self.caller)

    @property
    def streams(self) -> list[Stream]:
        return streams(self.cluster)

    @property
    def is_settled(self) -> bool:
        """Whether all is given back that was counted for the request."""
        return (
            self.cluster.breaker.requests.count == 0
            and (self.cluster.budget.active, self.cluster.budget.retries) == (0, 0)
            and all(one.active == 0 for one in self.cluster.endpoints)
            and not self.clock.waiting
        )


def two() -> tuple[Endpoint, Endpoint]:
    return endpoint(1), endpoint(2)


def test_an_answer_goes_to_the_caller_as_it_comes() -> None:
    scene = Scene(Order(None), head("POST", is_end=False))
    scene.stream.data(b"abc", is_end=False)
    scene.stream.data(b"", is_end=True)
    [sent] = scene.streams
    assert sent.said == [(b"abc", False), (b"", True)]
    sent.listener.pause_request()
    sent.listener.resume_request()
    sent.answer(100)
    sent.answer(200, length=None)
    sent.listener.data(b"xyz", is_end=False)
    assert not scene.is_settled
    sent.listener.trailers([(b"t", b"1")])
    assert scene.caller.heard == ["pause", "resume", 100, 200, (b"xyz", False), [(b"t", b"1")]]
    assert (scene.record.upstream, scene.record.attempts, scene.record.flags) == ("192.0.2.1:1", 1, "")
    assert scene.is_settled


def test_an_attempt_that_fails_is_made_again_elsewhere_with_all_of_the_body() -> None:
    scene = Scene(Order(None, retry=retry(2, "reset")), head("PUT", is_end=False), *two())
    scene.stream.data(b"one", is_end=False)
    first = upstream(scene.cluster.endpoints[0]).streams[0]
    first.listener.reset(Failure.RESET)
    assert scene.caller.heard == ["pause"]
    scene.stream.data(b"two", is_end=True)  # what was read before the pause
    scene.clock.pass_by(1)
    [second] = upstream(scene.cluster.endpoints[1]).streams
    assert second.said == [(b"one", False), (b"two", True)]
    assert scene.caller.heard == ["pause", "resume"]
    second.answer(201)
    assert scene.caller.told == [201]
    assert (scene.record.attempts, scene.record.upstream) == (2, "192.0.2.1:2")
    assert scene.is_settled


def test_each_attempt_has_a_head_of_its_own() -> None:
    scene = Scene(Order(None, retry=retry(1, "reset")), head("GET", "/", (b"a", b"1")), *two())
    first = scene.streams[0]
    first.head.fields.append((b"written", b"by the codec"))
    first.listener.reset(Failure.RESET)
    scene.clock.pass_by(1)
    assert scene.streams[1].head.fields == [(b"a", b"1")]


@pytest.mark.parametrize("failure", [Failure.RESET, Failure.TIMEOUT, Failure.PROTOCOL])
def test_a_post_is_never_repeated_once_it_may_have_been_seen(failure: Failure) -> None:
    order = Order(None, retry=retry(5, "reset", "5xx", "gateway-error", "connect-failure", "refused", "503"))
    scene = Scene(order, head("POST"), *two())
    scene.streams[0].listener.reset(failure)
    assert scene.caller.told == [failure]
    assert scene.is_settled
    answered = Scene(order, head("POST"), *two())
    answered.streams[0].answer(503)
    assert answered.caller.told == [503]


@pytest.mark.parametrize("failure", [Failure.CONNECT, Failure.REFUSED])
def test_a_post_that_nobody_saw_is_sent_again(failure: Failure) -> None:
    scene = Scene(Order(None, retry=retry(1, "reset")), head("POST"), *two())
    scene.streams[0].listener.reset(failure)
    scene.clock.pass_by(1)
    scene.streams[1].answer(200)
    assert scene.caller.told == [200]


def test_after_the_last_attempt_its_failure_is_told_and_why() -> None:
    scene = Scene(Order(None, retry=retry(2, "connect-failure")), head())
    for number in range(3):
        scene.streams[number].listener.reset(Failure.CONNECT)
        scene.clock.pass_by(1)
    assert len(scene.streams) == 3
    assert scene.caller.told == [Failure.CONNECT]
    assert (scene.record.flags, scene.record.attempts) == ("URX", 3)
    assert scene.is_settled


def test_an_answer_that_is_asked_again_is_never_seen() -> None:
    scene = Scene(Order(None, retry=retry(1, "5xx")), head(), *two())
    scene.streams[0].answer(503)
    scene.clock.pass_by(1)
    scene.streams[1].answer(500)
    assert scene.caller.told == [500]
    assert scene.record.flags == "URX"
    assert scene.is_settled


def test_grpc_that_was_unavailable_is_asked_again_while_no_message_was_answered() -> None:
    scene = Scene(Order(None, retry=retry(1, "unavailable")), head("POST"), *two())
    scene.streams[0].answer(200, (b"grpc-status", b"14"))
    scene.clock.pass_by(1)
    scene.streams[1].answer(200, (b"grpc-status", b"14"), length=None)
    assert scene.caller.told == [200]


def test_nothing_is_repeated_after_the_answer_has_begun() -> None:
    scene = Scene(Order(None, retry=retry(3, "reset")), head(), *two())
    scene.streams[0].answer(200, length=10)
    scene.streams[0].listener.reset(Failure.RESET)
    assert scene.caller.told == [200, Failure.RESET]
    assert len(scene.streams) == 1
    assert scene.is_settled


def test_an_attempt_has_its_own_time() -> None:
    scene = Scene(Order(None, retry=retry(1, "reset", within_ms=500)), head(), *two())
    scene.clock.pass_by(0.499)
    assert scene.streams[0].said == []
    scene.clock.pass_by(0.1)
    assert scene.streams[0].said == [Failure.TIMEOUT]
    scene.streams[1].answer(200, length=None)
    scene.clock.pass_by(60)
    assert scene.streams[1].said == []
    scene.streams[1].listener.data(b"", is_end=True)
    assert scene.is_settled


def test_a_large_body_is_sent_once() -> None:
    scene = Scene(Order(None, retry=retry(3, "reset")), head("PUT", is_end=False), *two())
    scene.stream.data(b"x" * 65_536, is_end=False)
    scene.stream.data(b"y", is_end=False)
    scene.streams[0].listener.reset(Failure.RESET)
    assert scene.caller.told == [Failure.RESET]
    assert scene.is_settled


def test_a_body_that_grows_between_attempts_is_sent_whole() -> None:
    scene = Scene(Order(None, retry=retry(3, "reset")), head("PUT", is_end=False), *two())
    scene.stream.data(b"x" * 65_536, is_end=False)
    scene.streams[0].listener.reset(Failure.RESET)
    scene.stream.data(b"y", is_end=True)
    scene.clock.pass_by(1)
    assert scene.streams[1].said == [(b"x" * 65_536, False), (b"y", True)]
    scene.streams[1].listener.reset(Failure.RESET)
    assert scene.caller.told == [Failure.RESET]


def test_trailers_of_a_request_are_repeated_too() -> None:
    scene = Scene(Order(None, retry=retry(1, "reset")), head("PUT", is_end=False), *two())
    scene.stream.data(b"x", is_end=False)
    scene.stream.trailers([(b"t", b"1")])
    scene.streams[0].listener.reset(Failure.RESET)
    scene.clock.pass_by(1)
    assert scene.streams[1].said == scene.streams[0].said == [(b"x", False), [(b"t", b"1")]]


def test_a_small_answer_that_nobody_wants_is_read_over_for_a_moment() -> None:
    scene = Scene(Order(None, retry=retry(1, "503")), head(), *two())
    scene.streams[0].answer(503, length=10)
    scene.streams[0].listener.data(b"0123456789", is_end=True)
    scene.clock.pass_by(5)
    assert scene.streams[0].said == []
    slow = Scene(Order(None, retry=retry(1, "503")), head(), *two())
    slow.streams[0].answer(503, length=10)
    slow.clock.pass_by(5)
    assert slow.streams[0].said == [Failure.CANCELLED]
    large = Scene(Order(None, retry=retry(1, "503")), head(), *two())
    large.streams[0].answer(503, length=None)
    assert large.streams[0].said == [Failure.CANCELLED]
    assert [one.caller.told for one in (scene, slow, large)] == [[], [], []]


def test_who_leaves_ends_what_is_on_its_way() -> None:
    scene = Scene(Order(None, retry=retry(1, "reset")), head())
    scene.stream.reset(Failure.CANCELLED)
    assert scene.streams[0].said == [Failure.CANCELLED]
    assert scene.is_settled
    waiting = Scene(Order(None, retry=retry(1, "reset")), head())
    waiting.streams[0].listener.reset(Failure.RESET)
    waiting.stream.reset(Failure.CANCELLED)
    waiting.clock.pass_by(5)
    assert len(waiting.streams) == 1
    assert waiting.is_settled


def test_a_slow_reader_holds_each_attempt_back() -> None:
    scene = Scene(Order(None, retry=retry(1, "reset")), head(), *two())
    scene.stream.pause()
    scene.streams[0].listener.reset(Failure.RESET)
    scene.clock.pass_by(1)
    scene.stream.resume()
    assert scene.streams[1].said == ["pause", "resume"]


def test_a_breaker_that_is_full_lets_nobody_in() -> None:
    plan = PortPlan("d", Limits(requests=1))
    scene = Scene(Order(None), head(), plan=plan)
    late = Caller()
    other = Sending(scene.cluster, Order(None), record(head()), scene.clock, draws(0.5))
    other.open(head(), late).data(b"", is_end=True)
    assert late.heard == []
    scene.clock.pass_by(0)
    assert late.heard == [Failure.OVERFLOW]
    assert len(scene.streams) == 1
    assert scene.cluster.breaker.requests.count == 1
    scene.streams[0].answer(200)
    assert scene.is_settled


def test_with_nobody_left_it_is_told_so_a_moment_later() -> None:
    scene = Scene(Order("v2"), head(), endpoint(1, "v1"))
    assert scene.caller.heard == []
    scene.clock.pass_by(0)
    assert scene.caller.heard == [Failure.CONNECT]
    assert scene.record.flags == "UH"
    assert scene.is_settled


def test_errors_in_a_row_leave_an_endpoint_out_and_it_returns() -> None:
    plan = PortPlan("d", ejection=Ejection(2, 30_000, 50), balance=ROUND)
    one, other = two()
    scene = Scene(Order(None), head(), one, other, plan=plan)
    scene.streams[0].answer(500)

    def ask(status: int) -> Endpoint:
        """Whom the next request went to."""
        sending = Sending(scene.cluster, Order(None), record(head()), scene.clock, draws(0.5))
        before = len(upstream(one).streams)
        sending.open(head(), Caller())
        taken = one if len(upstream(one).streams) > before else other
        upstream(taken).streams[-1].answer(status)
        return taken

    assert [ask(200), ask(503)] == [other, one]
    assert scene.cluster.ejected == (one,)
    assert [ask(200) for _ in range(4)] == [other] * 4
    scene.clock.pass_by(30)
    assert set(map(id, [ask(200), ask(200)])) == {id(one), id(other)}


def test_what_a_request_took_too_long_for_is_an_error_of_its_endpoint() -> None:
    plan = PortPlan("d", ejection=Ejection(1, 30_000, 100))
    scene = Scene(Order(None), head(), plan=plan)
    scene.stream.reset(Failure.TIMEOUT)
    assert scene.cluster.ejected == scene.cluster.endpoints
    left = Scene(Order(None), head(), plan=plan)
    left.stream.reset(Failure.CANCELLED)
    assert left.cluster.ejected == ()


@pytest.mark.parametrize(("code", "is_ejected"), [(b"0", False), (b"5", False), (b"14", True), (b"13", True)])
def test_the_last_line_of_grpc_says_how_it_went(code: bytes, is_ejected: bool) -> None:
    scene = Scene(Order(None), head(), plan=PortPlan("d", ejection=Ejection(1, 30_000, 100)))
    scene.streams[0].answer(200, length=None)
    scene.streams[0].listener.trailers([(b"grpc-status", code)])
    assert bool(scene.cluster.ejected) is is_ejected
    assert scene.is_settled


def test_retries_stay_within_their_budget() -> None:
    scene = Scene(Order(None, retry=retry(9, "reset")), head())
    others = [
        Sending(scene.cluster, Order(None, retry=retry(9, "reset")), record(head()), scene.clock, draws(0.5))
        for _ in range(9)
    ]
    callers = [Caller() for _ in others]
    for other, caller in zip(others, callers, strict=True):
        other.open(head(), caller)
    for stream in list(scene.streams):
        stream.listener.reset(Failure.RESET)
    scene.clock.pass_by(1)
    assert len(scene.streams) == 10 + 3
    assert [caller.told for caller in callers].count([Failure.RESET]) == 7
    for stream in scene.streams[10:]:
        stream.answer(200)
    assert scene.is_settled
