"""A clock, endpoints and a caller that do what a test says, and remember what was said to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from meshproof.compiler.ir.names import NOWHERE
from meshproof.compiler.ir.routing import Retry
from meshproof.runtime.core.messages import (
    ConnectionRecord,
    Failure,
    Fields,
    Record,
    RequestHead,
    ResponseHead,
    ResponseListener,
    Side,
)
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.endpoints import Address, Endpoint
from meshproof.runtime.core.traffic.plans import PortPlan
from meshproof.runtime.core.traffic.retrying import RetryRule


@dataclass(slots=True)
class Bell:
    at: float
    call: Callable[[], None]
    is_off: bool = False

    def cancel(self) -> None:
        self.is_off = True


@dataclass(slots=True)
class Clock:
    """Time that goes on when it is told to."""

    now: float = 100.0
    bells: list[Bell] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Bell:
        bell = Bell(self.now + delay, callback)
        self.bells.append(bell)
        return bell

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := sorted((one for one in self.waiting if one.at <= end), key=lambda one: one.at):
            self.now = max(self.now, due[0].at)
            due[0].is_off = True
            due[0].call()
        self.now = end

    @property
    def waiting(self) -> list[Bell]:
        return [one for one in self.bells if not one.is_off]


@dataclass(slots=True)
class Stream:
    """One attempt, as its endpoint sees it."""

    head: RequestHead
    listener: ResponseListener
    said: list[object] = field(default_factory=list)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self.said.append((payload, is_end))

    def trailers(self, fields: Fields) -> None:
        self.said.append(list(fields))

    def reset(self, failure: Failure) -> None:
        self.said.append(failure)

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")

    def answer(self, status: int, *fields: tuple[bytes, bytes], length: int | None = 0) -> None:
        """An answer that is a head alone, or with `length` one whose body is to come."""
        self.listener.response(ResponseHead(status, list(fields), length, is_end=length == 0))


@dataclass(slots=True)
class Upstream:
    """An endpoint that takes what it is sent and waits for the test to answer."""

    streams: list[Stream] = field(default_factory=list)

    def open(self, head: RequestHead, listener: ResponseListener) -> Stream:
        self.streams.append(Stream(head, listener))
        return self.streams[-1]


@dataclass(slots=True)
class Caller:
    """Who waits for the answer."""

    heard: list[object] = field(default_factory=list)

    def response(self, head: ResponseHead) -> None:
        self.heard.append(head.status)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        self.heard.append((payload, is_end))

    def trailers(self, fields: Fields) -> None:
        self.heard.append(list(fields))

    def reset(self, failure: Failure) -> None:
        self.heard.append(failure)

    def pause_request(self) -> None:
        self.heard.append("pause")

    def resume_request(self) -> None:
        self.heard.append("resume")

    @property
    def told(self) -> list[object]:
        return [one for one in self.heard if one not in {"pause", "resume"}] if self.heard else []


def endpoint(number: int = 1, version: str | None = None) -> Endpoint:
    return Endpoint(Address("192.0.2.1", number), version, Upstream())


def upstream(one: Endpoint) -> Upstream:
    assert isinstance(one.upstream, Upstream)
    return one.upstream


def streams(cluster: Cluster) -> list[Stream]:
    """All attempts, endpoint by endpoint."""
    return [stream for one in cluster.endpoints for stream in upstream(one).streams]


def cluster(plan: PortPlan | None = None, *endpoints: Endpoint) -> Cluster:
    said = plan or PortPlan("d")
    made = Cluster(said, Breaker(said.limits))
    made.watch(endpoints or (endpoint(),))
    return made


def head(method: str = "GET", target: str = "/", *fields: tuple[bytes, bytes], is_end: bool = True) -> RequestHead:
    return RequestHead(method, target, "d.example", list(fields), 0 if is_end else None, is_end)


def record(of: RequestHead) -> Record:
    return Record(ConnectionRecord(Side.OUTBOUND, "127.0.0.1:1", "own", 1), of, 0.0)


def retry(attempts: int, *conditions: str, within_ms: int | None = None) -> RetryRule:
    return RetryRule.of(Retry(attempts, conditions, within_ms, NOWHERE))


def draws(*numbers: float) -> Callable[[], float]:
    """These again and again."""

    def forever() -> Iterator[float]:
        for place in count():
            yield numbers[place % len(numbers)]

    given = forever()
    return lambda: next(given)
