"""One request on its way to one of the endpoints of a cluster, as often as its route allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.runtime.core.messages import (
    ClientStream,
    Failure,
    Fields,
    Record,
    RequestHead,
    ResponseHead,
    ResponseListener,
)
from meshproof.runtime.core.traffic.attempt import Attempt
from meshproof.runtime.core.traffic.attempts import Attempts
from meshproof.runtime.core.traffic.balance import Draw
from meshproof.runtime.core.traffic.body import MOST_BYTES, Body
from meshproof.runtime.core.traffic.breaker import Gate
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.copying import Copy, Mirrored
from meshproof.runtime.core.traffic.cors import CorsRule
from meshproof.runtime.core.traffic.flags import Flag
from meshproof.runtime.core.traffic.retrying import RetryRule
from meshproof.runtime.core.traffic.timers import Timer, Timers


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for one request: endpoints of a version, retries, a copy, and what a browser is told.

    `key` is what a hash goes by.
    """

    version: str | None
    key: bytes | None = None
    retry: RetryRule | None = None
    mirrored: Mirrored | None = None
    cors: tuple[CorsRule, bytes] | None = None


class Sending:
    """The upstream of one request, and the stream that its exchange writes to.

    Whatever happens, what was counted for the request is given back once; the answer begins once, and is that of one
    attempt. Nothing is repeated after it has begun.
    """

    __slots__ = (
        "_attempt",
        "_attempts",
        "_body",
        "_cluster",
        "_copy",
        "_draw",
        "_gate",
        "_head",
        "_is_over",
        "_is_paused",
        "_order",
        "_record",
        "_timer",
        "_timers",
        "is_sent",
        "listener",
    )

    def __init__(self, cluster: Cluster, order: Order, record: Record, timers: Timers, draw: Draw) -> None:
        self._cluster = cluster
        self._order = order
        self._record = record
        self._timers = timers
        self._draw = draw
        self._body = None if order.retry is None else Body()
        self._attempts: Attempts | None = None
        self._attempt: Attempt | None = None
        self._copy: Copy | None = None
        self._gate: Gate | None = None
        self._timer: Timer | None = None
        self._is_over = False
        self._is_paused = False
        self.is_sent = False

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Begin. Where a limit is reached, or nobody is left to send it to, the listener is told a moment later."""
        self._head = head
        self.listener = listener
        self.is_sent = head.is_end
        gate = self._cluster.breaker.requests
        if not gate.enter():
            self._cluster.tell(Failure.OVERFLOW)
            self._soon(Failure.OVERFLOW)
            return self
        self._gate = gate
        self._attempts = Attempts(self._order.retry, head.method, self._cluster.budget)
        if self._order.mirrored is not None:
            self._copy = Copy(self._order.mirrored, head, self._timers, self._draw)
        if not self._begin(self._attempts):
            self._soon(Failure.CONNECT)
        return self

    # What the exchange calls.

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the request."""
        self.is_sent = is_end
        if self._copy is not None:
            self._copy.data(payload, is_end=is_end)
        if self._body is not None:
            self._body.keep(payload, is_end=is_end)
            self._bound(self._body)
        if self._attempt is not None and self._attempt.stream is not None:
            self._attempt.stream.data(payload, is_end=is_end)

    def trailers(self, fields: Fields) -> None:
        """Its end."""
        self.is_sent = True
        if self._copy is not None:
            self._copy.end(fields)
        if self._body is not None:
            self._body.end(fields)
        if self._attempt is not None and self._attempt.stream is not None:
            self._attempt.stream.trailers(fields)

    def reset(self, failure: Failure) -> None:
        """Nobody waits for an answer any more."""
        attempt = self._attempt
        if self._copy is not None and not self.is_sent:
            self._copy.abort()
        self.finished()
        if attempt is not None:
            attempt.abandon(failure)

    def pause(self) -> None:
        """The answer is read slowly."""
        self._is_paused = True
        if self._attempt is not None and self._attempt.stream is not None:
            self._attempt.stream.pause()

    def resume(self) -> None:
        """It is read again."""
        self._is_paused = False
        if self._attempt is not None and self._attempt.stream is not None:
            self._attempt.stream.resume()

    # What its attempts tell.

    def answered(self, head: ResponseHead, code: int | None) -> bool:
        """Whether the answer goes on to the exchange; from then on nothing is repeated."""
        attempts = self._attempts
        pause = None if attempts is None else attempts.answered(head.status, code, self._draw())
        if attempts is not None and pause is not None:
            self._wait(pause)
            return False
        self._told()
        self._body = None
        if self._order.cors is not None:
            rule, origin = self._order.cors
            head.fields = list(rule.answered(origin, tuple(head.fields)))
        return True

    def failed(self, failure: Failure) -> None:
        """An attempt is over without an answer."""
        attempts = self._attempts
        pause = None if attempts is None else attempts.failed(failure, self._draw())
        if pause is not None:
            self._wait(pause)
        else:
            self._give_up(failure)

    def finished(self) -> None:
        """It is over."""
        if self._is_over:
            return
        self._is_over = True
        self._body = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._attempts is not None:
            self._attempts.end()
        if self._gate is not None:
            self._gate.leave()

    def _begin(self, attempts: Attempts) -> bool:
        """Make an attempt; whether there is anybody to send it to."""
        now = self._timers.time()
        endpoint = self._cluster.choose(self._order.version, self._order.key, now, self._draw)
        if endpoint is None:
            self._flag(Flag.NO_HEALTHY)
            return False
        head = self._head if self._body is None else replace(self._head, fields=list(self._head.fields))
        self._record.upstream = endpoint.name
        self._attempt = attempt = Attempt(self, self._cluster, endpoint, self._timers)
        within = attempts.begin()
        self._record.attempts = attempts.made
        if attempts.made > 1:
            self._cluster.tell("retry")
        stream = attempt.begin(head, within)
        if self._is_paused:
            stream.pause()
        if self._body is not None:
            self._body.send(stream)
            self._bound(self._body)
        return True

    def _again(self) -> None:
        self._timer = None
        if self._attempts is None or self._is_over:
            return
        if self._begin(self._attempts):
            self.listener.resume_request()
        else:
            self._give_up(Failure.CONNECT)

    def _wait(self, seconds: float) -> None:
        """Hold the request for a moment: what still comes of it is kept."""
        self._attempt = None
        self.listener.pause_request()
        self._timer = self._timers.call_later(seconds, self._again)

    def _bound(self, body: Body) -> None:
        """A body that is larger than what is kept is sent once: there is no other attempt after this one."""
        if self._attempt is not None and body.size > MOST_BYTES and self._attempts is not None:
            self._body = None
            self._attempts.is_replayable = False

    def _soon(self, failure: Failure) -> None:
        self._timer = self._timers.call_later(0.0, lambda: self._give_up(failure))

    def _give_up(self, failure: Failure) -> None:
        if self._is_over:
            return
        self._told()
        self.finished()
        self.listener.reset(failure)

    def _told(self) -> None:
        if self._attempts is not None and self._attempts.is_exhausted:
            self._flag(Flag.RETRIES_EXHAUSTED)

    def _flag(self, flag: Flag) -> None:
        known = self._record.flags
        self._record.flags = f"{known},{flag}" if known else flag.value
