"""Connections that a pool asks for, and that come about when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from tests.unit.runtime.core.traffic.scenes import Caller, Clock, Stream, head

from meshproof.compiler.ir.routing import Limits
from meshproof.runtime.core.messages import ClientStream, RequestHead, ResponseListener
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.pool import Need, Pool, PoolRules


@dataclass(eq=False)
class Codec:
    """One that takes `most` requests at once."""

    pool: Pool
    most: int = 1
    streams: list[Stream] = field(default_factory=list)
    deadline: float = inf
    open: int = 0
    is_draining: bool = False

    @property
    def capacity(self) -> int:
        return 0 if self.is_draining else self.most - self.open

    @property
    def is_idle(self) -> bool:
        return self.open == 0

    def request(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        assert self.capacity > 0
        self.open += 1
        self.streams.append(Stream(head, listener))
        return self.streams[-1]

    def answered(self) -> None:
        """The answer to the last request has ended."""
        self.open -= 1
        if self.most == 1 and not self.is_draining:
            self.pool.ready(self)
        elif self.is_draining:
            self.pool.lost(self)
        else:
            self.pool.serve()

    def drain(self) -> None:
        self.is_draining = True

    def receive(self, data: memoryview | bytes) -> None:
        raise AssertionError(data)

    def eof(self) -> None:
        raise AssertionError

    def lost(self) -> None:
        self.pool.lost(self)

    def pause_writing(self) -> None:
        raise AssertionError

    def resume_writing(self) -> None:
        raise AssertionError

    def expire(self) -> None:
        raise AssertionError


@dataclass(eq=False)
class Dialed:
    pool: Pool
    need: Need
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def succeed(self, *, most: int = 1) -> Codec:
        codec = Codec(self.pool, most)
        self.pool.connected(self, codec, is_http2=most > 1)
        return codec

    def fail(self) -> None:
        self.pool.failed(self)


class Pooled:
    """A pool, with what it asked for."""

    def __init__(self, limits: Limits | None = None, *, is_http2: bool = False, breaker: Breaker | None = None) -> None:
        self.clock = Clock()
        self.breaker = breaker or Breaker(limits)
        self.dialed: list[Dialed] = []
        self.pool = Pool(self._dial, PoolRules(self.clock, lambda: self.breaker, is_http2=is_http2, most_idle=2))

    def _dial(self, pool: Pool, need: Need) -> Dialed:
        self.dialed.append(Dialed(pool, need))
        return self.dialed[-1]

    def ask(self, of: RequestHead | None = None) -> tuple[ClientStream, Caller]:
        caller = Caller()
        return self.pool.open(of or head(), caller), caller

    @property
    def counts(self) -> tuple[int, int]:
        """Connections (made and to be made), and requests that wait."""
        return self.breaker.connections.count, self.breaker.pending.count
