"""The loopback port at which the application finds a destination that speaks HTTP, of either version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from meshproof.runtime.core.codec import Codec, ServerCodec
from meshproof.runtime.core.codec_choice import FirstBytes
from meshproof.runtime.core.exchange import Surroundings
from meshproof.runtime.core.http1_server import Http1Server, ServerRules
from meshproof.runtime.core.http2 import sending
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import ConnectionRecord, Desk, Side, Telemetry
from meshproof.runtime.core.traffic.desk import RoutedPolicy
from meshproof.runtime.core.traffic.timers import Timer
from meshproof.runtime.net.outbound_link import Link
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings_run import OutboundPort


@dataclass(frozen=True, slots=True)
class ListenerRules:
    """What all listeners of a process share. `is_full`: no connection more is taken."""

    http1: ServerRules
    http2: Http2Limits
    telemetry: Telemetry
    later: Callable[[float, Callable[[], None]], Timer]
    is_full: Callable[[], bool]
    own: Callable[[], str | None]


class RoutedDesk(Desk, Protocol):
    """A desk that takes other policies."""

    def adopt(self, policy: RoutedPolicy) -> None:
        """Go by this one from the next request on."""


class HttpListener:
    """One destination, for all connections of the application to it."""

    def __init__(self, port: OutboundPort, desk: RoutedDesk, rules: ListenerRules) -> None:
        self.port = port
        self.desk = desk
        self.rules = rules
        self.connections: Room[Accepted] = Room()
        self.is_draining = False

    def adopt(self, policy: RoutedPolicy) -> None:
        """Route by this policy from the next request on."""
        self.desk.adopt(policy)

    def accept(self) -> Link:
        """Who takes the next connection."""
        return Accepted(self).link

    def tick(self, now: float) -> None:
        """End what took too long."""
        for one in self.connections:
            codec = one.link.codec
            if codec is not None and codec.deadline <= now:
                codec.expire()

    def drain(self) -> None:
        """End each connection after what has begun on it."""
        self.is_draining = True
        for one in self.connections:
            if one.link.codec is not None:
                one.link.codec.drain()

    def abort(self) -> None:
        """End all connections now."""
        for one in self.connections:
            one.link.abort()


class Accepted:
    """One connection of the application. Its first bytes say which version of HTTP it speaks."""

    __slots__ = ("_listener", "_record", "link")

    def __init__(self, listener: HttpListener) -> None:
        self._listener = listener
        self._record: ConnectionRecord | None = None
        self.link = Link(self)

    def made(self, link: Link) -> Codec | None:
        """It stands."""
        listener = self._listener
        rules = listener.rules
        if rules.is_full():
            rules.telemetry.fault("there are too many connections")
            return None
        port = listener.port
        now = rules.http1.clock()
        self._record = ConnectionRecord(
            Side.OUTBOUND,
            str(port.listen),
            port.destination,
            port.port,
            peer=_place(link.known("peername")),
            local_identity=rules.own(),
            opened=now,
        )
        listener.connections.add(self)
        rules.telemetry.opened(self._record)
        return FirstBytes(link, rules.http1.clock, rules.http1.times.head, self._codec)

    def lost(self, link: Link) -> None:
        """It has ended."""
        del link
        self._listener.connections.discard(self)
        if self._record is not None:
            self._record.closed = self._listener.rules.http1.clock()
            self._listener.rules.telemetry.closed(self._record)

    def _codec(self, is_http2: bool) -> ServerCodec:  # noqa: FBT001  a callback with one meaning
        rules = self._listener.rules
        assert self._record is not None
        loop = asyncio.get_running_loop()
        around = Surroundings(self._record, self._listener.desk, rules.telemetry, rules.http1.clock, rules.later)
        if not is_http2:
            made: ServerCodec = Http1Server(self.link, rules.http1, around.open)
        else:
            self._record.protocol = "h2"
            written = sending.Surroundings(self.link, rules.http1.clock, loop.call_soon, rules.telemetry.fault)
            made = Http2Server(written, rules.http2, around.open)
        self.link.adopt(made)
        if self._listener.is_draining:
            made.drain()
        return made


def _place(name: object) -> str:
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""
