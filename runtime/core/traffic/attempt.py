"""One attempt to have a request answered: a stream to one endpoint, and what is counted for it."""

from __future__ import annotations

from typing import Protocol

from meshproof.runtime.core.messages import (
    ClientStream,
    Failure,
    Fields,
    RequestHead,
    ResponseHead,
    ResponseListener,
)
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.endpoints import Endpoint
from meshproof.runtime.core.traffic.outcomes import code_of, grpc_status, is_error
from meshproof.runtime.core.traffic.timers import Timer, Timers

_FINAL = 200
_SWITCHING = 101
_MOST_DROPPED = 65_536
_DROP_SECONDS = 1.0
_OURS = frozenset((Failure.OVERFLOW, Failure.CANCELLED))


class Owner(Protocol):
    """Whoever makes attempts."""

    @property
    def listener(self) -> ResponseListener:
        """Who waits for the answer."""

    @property
    def is_sent(self) -> bool:
        """Whether all of the request is on its way."""

    def answered(self, head: ResponseHead, code: int | None) -> bool:
        """The head of an answer: whether it is wanted. Then it, and all that follows, goes to the listener."""

    def failed(self, failure: Failure) -> None:
        """There is no answer, and the attempt is over."""

    def finished(self) -> None:
        """The answer that was wanted is over, however it ended."""


class Attempt:
    """Listens to its stream. What is counted for it is given back once."""

    __slots__ = ("_cluster", "_is_error", "_is_over", "_owner", "_timer", "_timers", "_wanted", "endpoint", "stream")

    def __init__(self, owner: Owner, cluster: Cluster, endpoint: Endpoint, timers: Timers) -> None:
        self._owner = owner
        self._cluster = cluster
        self._timers = timers
        self._timer: Timer | None = None
        self._wanted: ResponseListener | None = None
        self._is_over = False
        self._is_error = False
        self.endpoint = endpoint
        self.stream: ClientStream | None = None

    def begin(self, head: RequestHead, within: float | None) -> ClientStream:
        """Open the stream; without the head of an answer after so many seconds it has failed."""
        self.endpoint.active += 1
        self.stream = stream = self.endpoint.upstream.open(head, self)
        if within is not None:
            self._timer = self._timers.call_later(within, self._too_late)
        return stream

    def abandon(self, failure: Failure) -> None:
        """Nobody waits any more. That it took too long is the endpoint's error while it has not answered."""
        if self._is_over:
            return
        if failure is Failure.TIMEOUT and self._wanted is None:
            self._cluster.failed(self.endpoint, self._timers.time())
        self._end()
        if self.stream is not None:
            self.stream.reset(failure)

    # What the stream calls.

    def response(self, head: ResponseHead) -> None:
        """The head of an answer, or one of those before it."""
        if self._is_over:
            return
        if head.status < _FINAL and head.status != _SWITCHING:
            self._owner.listener.response(head)
            return
        self._stop()
        code = code_of(head)
        self._is_error = is_error(head.status, code)
        if self._is_error:
            self._cluster.failed(self.endpoint, self._timers.time())
        if head.is_end:
            self._settle(None)
        if not self._owner.answered(head, code):
            self._drop(head)
            return
        self._wanted = listener = self._owner.listener
        if head.is_end:
            self._owner.finished()
        listener.response(head)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the answer."""
        if is_end:
            self._ended(None)
        if self._wanted is not None:
            self._wanted.data(payload, is_end=is_end)

    def trailers(self, fields: Fields) -> None:
        """Its end."""
        self._ended(grpc_status(fields))
        if self._wanted is not None:
            self._wanted.trailers(fields)

    def reset(self, failure: Failure) -> None:
        """It ends without an answer, or within one."""
        self._stop()
        if self._is_over:
            return
        if failure is not Failure.CANCELLED:
            self._cluster.tell(failure)
        if failure not in _OURS:
            self._cluster.failed(self.endpoint, self._timers.time())
        self._end()
        wanted = self._wanted
        if wanted is None:
            self._owner.failed(failure)
        else:
            self._owner.finished()
            wanted.reset(failure)

    def pause_request(self) -> None:
        """The endpoint reads slowly."""
        if not self._is_over:
            self._owner.listener.pause_request()

    def resume_request(self) -> None:
        """It reads again."""
        if not self._is_over:
            self._owner.listener.resume_request()

    def _ended(self, code: int | None) -> None:
        self._stop()
        if self._is_over:
            return
        self._settle(code)
        if self._wanted is not None:
            self._owner.finished()

    def _settle(self, code: int | None) -> None:
        """An answer has ended as answers do; with gRPC, its last line says how it went."""
        if not self._is_error and is_error(0, code):
            self._cluster.failed(self.endpoint, self._timers.time())
        elif not self._is_error:
            self._cluster.succeeded(self.endpoint)
        self._end()

    def _drop(self, head: ResponseHead) -> None:
        """Read over a small answer for a moment, so that its connection can be used again; end any other."""
        if self._is_over:
            return
        self._end()
        if self._owner.is_sent and head.length is not None and head.length <= _MOST_DROPPED:
            self._timer = self._timers.call_later(_DROP_SECONDS, self._cut)
        else:
            self._cut()

    def _cut(self) -> None:
        self._timer = None
        if self.stream is not None:
            self.stream.reset(Failure.CANCELLED)

    def _too_late(self) -> None:
        self._timer = None
        if self._is_over:
            return
        self._cluster.tell(Failure.TIMEOUT)
        self._cluster.failed(self.endpoint, self._timers.time())
        self._end()
        if self.stream is not None:
            self.stream.reset(Failure.TIMEOUT)
        self._owner.failed(Failure.TIMEOUT)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._is_over = True
        self._stop()
        self.endpoint.active -= 1
