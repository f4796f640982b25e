"""Whatever happens in whatever order: nothing is counted that is not there, and nobody waits for what is free."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.traffic.connections import Codec, Dialed, Pooled
from tests.unit.runtime.core.traffic.scenes import Caller, head

from meshproof.compiler.ir.routing import Limits
from meshproof.runtime.core.messages import ClientStream, Failure, RequestHead
from meshproof.runtime.core.traffic.breaker import Breaker


@dataclass
class Walk:
    """Two pools that share their bounds, and what a draw does to them."""

    rng: Random
    breaker: Breaker
    is_http2: bool
    pools: list[Pooled] = field(default_factory=list)
    open_dials: list[Dialed] = field(default_factory=list)
    codecs: list[Codec] = field(default_factory=list)
    asked: list[tuple[Pooled, ClientStream, Caller, RequestHead]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pools = [Pooled(breaker=self.breaker, is_http2=self.is_http2) for _ in range(2)]

    def step(self) -> None:
        self.open_dials = [one for pool in self.pools for one in pool.dialed if one.pool.is_dialing(one)]
        self.rng.choice(
            (self.ask, self.ask, self.connect, self.connect, self.fail, self.answer, self.lose, self.leave)
        )()
        for pool in self.pools:
            pool.clock.pass_by(0)

    def ask(self) -> None:
        pool, of = self.rng.choice(self.pools), head()
        of.protocol = "websocket" if self.rng.random() < 0.1 else ""
        of.version = self.rng.choice(("HTTP/1.1", "HTTP/2"))
        stream, caller = pool.ask(of)
        self.asked.append((pool, stream, caller, of))

    def connect(self) -> None:
        if self.open_dials:
            many = self.rng.choice((1, 3)) if self.open_dials[0].need.name == "HTTP2" else 1
            self.codecs.append(self.open_dials[0].succeed(most=many))

    def fail(self) -> None:
        if self.open_dials:
            self.rng.choice(self.open_dials).fail()

    def answer(self) -> None:
        busy = [one for one in self.codecs if one.open]
        if busy:
            one = self.rng.choice(busy)
            one.answered()
            self._end(one)

    def lose(self) -> None:
        if self.codecs:
            one = self.rng.choice(self.codecs)
            self.codecs.remove(one)
            one.is_draining = True
            one.lost()

    def leave(self) -> None:
        if self.asked:
            _, stream, _, _ = self.asked.pop(self.rng.randrange(len(self.asked)))
            if not any(stream in codec.streams for codec in self.codecs):
                stream.reset(Failure.CANCELLED)

    def settle(self) -> None:
        """What was told to end has ended."""
        for one in [one for one in self.codecs if one.is_draining and not one.open]:
            self._end(one)

    def _end(self, one: Codec) -> None:
        if one.is_draining and not one.open and one in self.codecs:
            self.codecs.remove(one)
            one.lost()

    def check(self) -> None:
        breaker = self.breaker
        waiting = sum(pool.pool.waiting for pool in self.pools)
        dialing = sum(one.pool.is_dialing(one) for pool in self.pools for one in pool.dialed)
        assert breaker.pending.count == waiting
        assert breaker.connections.count == len(self.codecs) + dialing
        assert breaker.connections.most is None or breaker.connections.count <= breaker.connections.most
        for pool in self.pools:
            if pool.pool.waiting and not pool.pool.dials:
                assert breaker.connections.is_full, "somebody waits, and nobody makes a connection"


@given(
    st.randoms(use_true_random=False),
    st.sampled_from((None, 1, 2, 5)),
    st.sampled_from((None, 1, 4)),
    st.booleans(),
)
def test_counts_are_what_is_there_and_nobody_waits_for_what_is_free(
    rng: Random, connections: int | None, pending: int | None, is_http2: bool
) -> None:
    walk = Walk(rng, Breaker(Limits(connections=connections, pending=pending)), is_http2)
    for _ in range(60):
        walk.step()
        walk.settle()
        walk.check()
    for one in walk.pools:
        one.pool.abandon()
        one.pool.retire()
    for codec in tuple(walk.codecs):
        codec.open = 0
        codec.lost()
    assert (walk.breaker.connections.count, walk.breaker.pending.count, walk.breaker.starving) == (0, 0, {})
