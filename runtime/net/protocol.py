"""One connection on which an Envoy, or a probe, asks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from meshproof.runtime.core.http1 import Fault, Head, HeadLimits, RequestReader
from meshproof.runtime.extauthz.responses import fault_bytes
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings import Limits


class Hall(Protocol):
    """What all connections of a listener share."""

    limits: Limits
    connections: Room[AskingConnection]
    is_draining: bool

    def may_ask(self, certificate: object) -> bool:
        """Whether a peer with this certificate (as `ssl` tells it; None without TLS) is heard."""

    def respond(self, head: Head) -> tuple[bytes, bool]:
        """The answer to a request, and whether it is the last one on its connection."""

    def fault(self, fault: Fault) -> None:
        """Take note of a fault of a peer."""


class AskingConnection(asyncio.Protocol):
    """Answers in the order of the questions; a fault, a limit or a time that is over ends it."""

    def __init__(self, hall: Hall, clock: Callable[[], float]) -> None:
        self._hall = hall
        self._clock = clock
        self._reader = RequestReader(HeadLimits(hall.limits.head_bytes, hall.limits.headers))
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if there is room and the peer may ask."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        secured = transport.get_extra_info("ssl_object")
        certificate = secured.getpeercert() if isinstance(secured, ssl.SSLObject) else None
        if len(self._hall.connections) >= self._hall.limits.connections:
            self._end(Fault(403, "there are too many connections"))
        elif not self._hall.may_ask(certificate):
            self._end(Fault(403, "its certificate is of nobody who may ask"))
        else:
            self._hall.connections.add(self)
            self._wait(self._hall.limits.head_seconds)
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        del exc
        self._hall.connections.discard(self)
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        was_amid = self._reader.is_amid
        heads, fault = self._reader.feed(data)
        for head in heads:
            response, is_last = self._hall.respond(head)
            transport.write(response)
            if is_last:
                transport.close()
                return
        if fault is not None:
            self._end(fault)
        elif not self._reader.is_amid:
            self._wait(self._hall.limits.idle_seconds)
        elif heads or not was_amid:
            self._wait(self._hall.limits.head_seconds)
            self._watch()  # the timer may be set for an idle connection, which is later

    def pause_writing(self) -> None:
        """A peer that asks and does not read what it is answered takes memory."""
        self._hall.fault(Fault(400, "it does not read its answers"))
        self.abort()

    def drain(self) -> None:
        """End it, unless a request is on its way, which is answered as the last one."""
        if self._transport is not None and not self._reader.is_amid:
            self._transport.close()

    def abort(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, fault: Fault) -> None:
        self._hall.fault(fault)
        if self._transport is not None:
            self._transport.write(fault_bytes(fault))
            self._transport.close()
            self._wait(self._hall.limits.head_seconds)
            self._watch()

    def _wait(self, seconds: int) -> None:
        self._deadline = self._clock() + seconds

    def _watch(self) -> None:
        """One timer a connection, set anew when it rings too early, and not at every request."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(self._deadline - self._clock(), 0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._transport is None:
            return
        if self._deadline > self._clock():
            self._watch()
            return
        if self._reader.is_amid:
            self._hall.fault(Fault(408, "it does not end its request in time"))
        self.abort()
