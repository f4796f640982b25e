from __future__ import annotations

from tests.unit.runtime.core.traffic.connections import Pooled
from tests.unit.runtime.core.traffic.scenes import head

from meshproof.compiler.ir.routing import Limits
from meshproof.runtime.core.messages import Failure
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.pool import Need


def limits(connections: int | None = None, pending: int | None = None) -> Limits:
    return Limits(connections=connections, pending=pending)


def test_a_request_waits_for_its_connection_and_the_next_one_uses_it_again() -> None:
    scene = Pooled()
    stream, _ = scene.ask(head("POST", is_end=False))
    stream.data(b"a", is_end=False)
    assert scene.counts == (1, 1)
    codec = scene.dialed[0].succeed()
    stream.data(b"b", is_end=True)
    [sent] = codec.streams
    assert sent.head.is_followed
    assert sent.said == [(b"a", False), (b"b", True)]
    codec.answered()
    scene.ask()
    assert (len(codec.streams), len(scene.dialed), scene.counts) == (2, 1, (1, 0))


def test_what_is_said_while_it_waits_is_kept_within_a_bound_and_told_in_its_order() -> None:
    scene = Pooled()
    stream, caller = scene.ask(head("POST", is_end=False))
    stream.data(b"x" * 65_536, is_end=False)
    assert caller.heard == []
    stream.data(b"y", is_end=False)
    stream.data(b"z", is_end=False)
    stream.pause()
    stream.trailers([(b"t", b"1")])
    assert caller.heard == ["pause"]
    codec = scene.dialed[0].succeed()
    said = codec.streams[0].said
    assert said == ["pause", (b"x" * 65_536, False), (b"y", False), (b"z", False), [(b"t", b"1")]]
    assert caller.heard == ["pause", "resume"]
    stream.resume()
    stream.reset(Failure.TIMEOUT)
    assert said[5:] == ["resume", Failure.TIMEOUT]


def test_without_a_connection_all_who_wait_for_it_are_told_and_nothing_stays_counted() -> None:
    scene = Pooled(limits(connections=1))
    callers = [scene.ask()[1] for _ in range(3)]
    assert (scene.counts, len(scene.dialed)) == ((1, 3), 1)
    scene.dialed[0].fail()
    assert [one.heard for one in callers] == [[Failure.CONNECT]] * 3
    assert scene.counts == (0, 0)


def test_each_connection_that_fails_is_told_to_the_one_that_waited_longest() -> None:
    scene = Pooled()
    callers = [scene.ask()[1] for _ in range(3)]
    assert len(scene.dialed) == 3
    scene.dialed[1].fail()
    assert [one.heard for one in callers] == [[Failure.CONNECT], [], []]
    scene.dialed[2].succeed()
    scene.dialed[0].fail()
    assert [one.heard for one in callers] == [[Failure.CONNECT], [], [Failure.CONNECT]]
    assert scene.counts == (1, 0)


def test_one_who_does_not_want_to_wait_any_more_hears_nothing() -> None:
    scene = Pooled()
    stream, caller = scene.ask()
    stream.reset(Failure.CANCELLED)
    stream.data(b"late", is_end=True)
    assert scene.counts == (1, 0)
    codec = scene.dialed[0].succeed()
    assert (codec.streams, caller.heard) == ([], [])
    scene.ask()
    assert len(codec.streams) == 1


def test_no_more_connections_are_made_than_allowed_and_no_more_wait() -> None:
    scene = Pooled(limits(connections=2, pending=3))
    callers = [scene.ask()[1] for _ in range(4)]
    assert (scene.counts, len(scene.dialed)) == ((2, 3), 2)
    scene.clock.pass_by(0)
    assert [one.heard for one in callers] == [[], [], [], [Failure.OVERFLOW]]
    first = scene.dialed[0].succeed()
    second = scene.dialed[1].succeed()
    assert scene.counts == (2, 1)
    second.answered()
    assert [len(one.streams) for one in (first, second)] == [1, 2]
    assert scene.counts == (2, 0)


def test_where_no_connections_are_allowed_nobody_waits_for_ever() -> None:
    scene = Pooled(limits(connections=0))
    _, caller = scene.ask()
    scene.clock.pass_by(0)
    assert (caller.heard, scene.counts, scene.dialed) == ([Failure.OVERFLOW], (0, 0), [])


def test_of_http2_one_connection_takes_all_who_wait_and_another_comes_when_it_is_full() -> None:
    scene = Pooled(is_http2=True)
    for _ in range(5):
        scene.ask()
    assert [one.need for one in scene.dialed] == [Need.HTTP2]
    codec = scene.dialed[0].succeed(most=3)
    assert (len(codec.streams), len(scene.dialed)) == (3, 2)
    codec.answered()
    assert (len(codec.streams), scene.counts) == (4, (2, 1))
    assert scene.dialed[1].succeed(most=3).open == 1


def test_where_http2_is_not_spoken_each_has_its_own_connection() -> None:
    scene = Pooled(is_http2=True)
    for _ in range(3):
        scene.ask()
    first = scene.dialed[0].succeed()
    assert (len(first.streams), len(scene.dialed)) == (1, 3)
    first.answered()
    assert len(first.streams) == 2


def test_an_upgrade_never_goes_over_http2_and_nothing_of_http2_over_what_was_made_for_others() -> None:
    scene = Pooled()
    upgrade = head()
    upgrade.protocol = "websocket"
    grpc = head("POST")
    grpc.version = "HTTP/2"
    scene.ask(grpc)
    shared = scene.dialed[0].succeed(most=9)
    scene.ask(upgrade)
    assert [one.need for one in scene.dialed] == [Need.HTTP2, Need.HTTP1]
    single = scene.dialed[1].succeed()
    assert (shared.open, single.open) == (1, 1)
    single.answered()
    shared.lost()
    scene.ask(grpc)
    assert (single.open, len(scene.dialed)) == (0, 3)
    scene.ask()
    assert single.open == 1


def test_whoever_needs_a_connection_gets_the_one_that_another_does_not_use() -> None:
    breaker = Breaker(limits(connections=1))
    one, other = Pooled(breaker=breaker), Pooled(breaker=breaker)
    one.ask()
    kept = one.dialed[0].succeed()
    other.ask()
    assert (kept.is_draining, other.dialed) == (False, [])
    kept.answered()
    assert kept.is_draining
    kept.lost()
    assert len(other.dialed) == 1
    idle = other.dialed[0].succeed()
    idle.answered()
    one.ask()
    assert idle.is_draining
    idle.lost()
    assert (len(one.dialed), breaker.connections.count, breaker.starving) == (2, 1, {})


def test_few_connections_are_kept_that_nobody_uses() -> None:
    scene = Pooled()
    for _ in range(3):
        scene.ask()
    codecs = [one.succeed() for one in scene.dialed]
    for codec in codecs:
        codec.answered()
    assert [codec.is_draining for codec in codecs] == [False, False, True]


def test_a_pool_that_retires_ends_after_what_has_begun() -> None:
    scene = Pooled()
    for _ in range(2):
        scene.ask()
    codec = scene.dialed[0].succeed()
    scene.pool.retire()
    assert codec.is_draining
    late = scene.dialed[1].succeed()
    assert late.open == 1
    late.answered()
    assert late.is_draining
    codec.answered()
    late.lost()
    assert (scene.counts, scene.breaker.members) == ((0, 0), {})


def test_a_pool_that_is_abandoned_tells_all_and_counts_nothing() -> None:
    scene = Pooled()
    _, caller = scene.ask()
    scene.pool.abandon()
    assert scene.dialed[0].is_cancelled
    assert (caller.heard, scene.counts) == ([Failure.CONNECT], (0, 0))


def test_a_kept_connection_that_ended_is_forgotten() -> None:
    scene = Pooled()
    scene.ask()
    codec = scene.dialed[0].succeed()
    codec.answered()
    codec.lost()
    scene.ask()
    assert (len(scene.dialed), scene.counts, scene.pool.connections) == (2, (1, 1), 0)
