"""A copy of a request for a mirror: whole or not at all, and nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.runtime.core.messages import Failure, Fields, RequestHead, ResponseHead, ResponseListener
from meshproof.runtime.core.traffic.attempt import Attempt
from meshproof.runtime.core.traffic.balance import Draw
from meshproof.runtime.core.traffic.body import MOST_BYTES, Body
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.timers import Timer, Timers

_SECONDS = 15.0
"""How long a mirror may take, if the request itself may take for ever."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Where a copy goes; `key` is what a hash there goes by."""

    cluster: Cluster
    version: str | None
    key: bytes | None = None


class _Nobody:
    """Reads over an answer."""

    __slots__ = ()

    def response(self, head: ResponseHead) -> None:
        """A head."""

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece."""

    def trailers(self, fields: Fields) -> None:
        """The end."""

    def reset(self, failure: Failure) -> None:
        """The end."""

    def pause_request(self) -> None:
        """All of it was given at once, and is bounded."""

    def resume_request(self) -> None:
        """The same."""


_NOBODY = _Nobody()


class Copy:
    """Collects a request and sends it when it is whole. The answer is read over.

    What keeps it from being sent (a large body, an upgrade, too many copies, limits, nobody to send it to) drops it.
    """

    __slots__ = ("_attempt", "_body", "_draw", "_gate", "_head", "_is_over", "_mirrored", "_timer", "_timers")

    def __init__(self, mirrored: Mirrored, head: RequestHead, timers: Timers, draw: Draw) -> None:
        self._mirrored = mirrored
        self._timers = timers
        self._draw = draw
        self._head = replace(head, fields=list(head.fields))
        self._body = Body()
        self._attempt: Attempt | None = None
        self._timer: Timer | None = None
        self._gate = mirrored.cluster.breaker.requests
        self._is_over = not mirrored.cluster.mirroring.begin()
        if self._is_over:
            mirrored.cluster.tell("mirror-dropped")
            return
        if not self._gate.enter():
            mirrored.cluster.tell("mirror-dropped")
            mirrored.cluster.mirroring.end()
            self._is_over = True
        elif head.protocol:
            self.cancel()
        elif head.is_end:
            self._send()

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the request."""
        if self._is_over or self._attempt is not None:
            return
        if self._body.size + len(payload) > MOST_BYTES:
            self.cancel()
            return
        self._body.keep(payload, is_end=is_end)
        if is_end:
            self._send()

    def end(self, fields: Fields) -> None:
        """Its trailers."""
        if not self._is_over and self._attempt is None:
            self._body.end(fields)
            self._send()

    def abort(self) -> None:
        """The request ended before its end: half of one is not sent."""
        if self._attempt is None:
            self.cancel()

    def cancel(self) -> None:
        """It is over; what was counted for it is given back once."""
        if self._is_over:
            return
        self._is_over = True
        self._mirrored.cluster.mirroring.end()
        self._gate.leave()
        if self._timer is not None:
            self._timer.cancel()
        if self._attempt is not None:
            self._attempt.abandon(Failure.CANCELLED)

    def _send(self) -> None:
        cluster = self._mirrored.cluster
        endpoint = cluster.choose(self._mirrored.version, self._mirrored.key, self._timers.time(), self._draw)
        if endpoint is None:
            self.cancel()
            return
        self._timer = self._timers.call_later(_SECONDS, self.cancel)
        self._attempt = Attempt(self, cluster, endpoint, self._timers)
        self._body.send(self._attempt.begin(self._head, None))

    # What its attempt asks and tells.

    @property
    def listener(self) -> ResponseListener:
        """Nobody."""
        return _NOBODY

    @property
    def is_sent(self) -> bool:
        """It is sent as a whole."""
        return True

    def answered(self, head: ResponseHead, code: int | None) -> bool:
        """Whatever it is."""
        del head, code
        return True

    def failed(self, failure: Failure) -> None:
        """Nobody is told."""
        del failure
        self.cancel()

    def finished(self) -> None:
        """Nobody is told."""
        self.cancel()
