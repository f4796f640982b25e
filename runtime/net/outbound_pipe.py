"""Connections of the application that are no HTTP: routed by their destination, and carried as bytes (ADR 0214)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from meshproof.compiler.ir.entities import External
from meshproof.runtime.core.messages import ConnectionRecord, Side, Telemetry
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.desk import RoutedPolicy, Surroundings
from meshproof.runtime.core.traffic.endpoints import Endpoint
from meshproof.runtime.core.traffic.flags import Flag
from meshproof.runtime.core.traffic.plans import Place
from meshproof.runtime.core.traffic.reaching import Reach
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Wire
from meshproof.runtime.identity.errors import PeerError
from meshproof.runtime.net.outbound_dial import Dialer, Wanted
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings_run import OutboundPort


@dataclass(frozen=True, slots=True)
class PipeRules:
    """What all listeners of a process share. `idle`: seconds without a byte."""

    around: Surroundings
    dialer: Dialer
    telemetry: Telemetry
    is_full: Callable[[], bool]
    own: Callable[[], str | None]
    reach: Callable[[Place], Reach | None]
    idle: float = 3600.0


class PipeListener:
    """One destination, for all connections of the application to it."""

    def __init__(self, port: OutboundPort, policy: RoutedPolicy, rules: PipeRules) -> None:
        self.port = port
        self.rules = rules
        self.policy = policy
        self.connections: Room[Pipe] = Room()

    def adopt(self, policy: RoutedPolicy) -> None:
        """Route by this policy from the next connection on."""
        self.policy = policy

    def accept(self) -> End:
        """Who takes the next connection."""
        return Pipe(self).near

    def tick(self, now: float) -> None:
        """End what took too long."""
        for one in self.connections:
            if one.latest + self.rules.idle <= now:
                one.abort()

    def drain(self) -> None:
        """Nobody knows where a stream of bytes may end: they are cut when their time is over."""

    def abort(self) -> None:
        """End all connections now."""
        for one in self.connections:
            one.abort()

    def chosen(self, record: ConnectionRecord) -> tuple[Cluster, Endpoint, Reach] | None:
        """Where a connection goes; None where it may not, or there is nobody. Says why in the record."""
        try:
            place = self._routed(record)
        except EngineError:
            record.flags = Flag.DENIED
            return None
        if place is None:
            return None
        around = self.rules.around
        cluster = around.fleet.cluster(place.node, place.port)
        endpoint = cluster.choose(place.version, None, around.timers.time(), around.draw)
        reach = self.rules.reach(place)
        if endpoint is None or reach is None:
            record.flags = Flag.NO_HEALTHY
            return None
        return cluster, endpoint, reach

    def _routed(self, record: ConnectionRecord) -> Place | None:
        policy, port = self.policy, self.port
        node = policy.plans.node(port.destination)
        record.policy = policy.digest
        if policy.plans.reads_sni(port.destination):  # nobody reads it here: what asks for it is refused
            record.flags = Flag.DENIED
            return None
        place = (port.destination, port.port)
        today = self.rules.around.today()
        connection = policy.engine.connect(Wire(), policy.plans.sent_as(policy.own, *place, today), place, today)
        if isinstance(node, External):
            record.decision = connection.decide_connection({})
            if policy.audits is not None:
                audits = policy.audits.connect(Wire(), policy.own, place, self.rules.around.today())
                record.audited = audits.decide_connection({}).determined_by
            if not record.decision.is_allowed:
                record.flags = Flag.DENIED
                return None
        outcome = connection.route_connection()
        plan = None if outcome is None else policy.plans.branch(outcome.branch, *place)
        if plan is None or plan.shares is None:
            record.flags = Flag.NO_ROUTE
            return None
        return plan.shares.at(self.rules.around.draw())


class Owner(Protocol):
    """Whoever has the two ends of a pipe."""

    def stands(self, end: End) -> None:
        """One of the two stands."""

    def moved(self, end: End, size: int) -> None:
        """So many bytes came at an end."""

    def ended(self, end: End) -> None:
        """An end sends no more, or is gone."""


class End(asyncio.Protocol):
    """One of the two connections of a pipe. What comes is written to the other one, which holds it back if it must."""

    __slots__ = ("_owner", "held", "is_done", "other", "transport")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.other: End | None = None
        self.is_done = False
        self.held: list[bytes] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self.transport = cast("asyncio.Transport", transport)  # that of TLS in uvloop is none by its class
        self._owner.stands(self)

    def data_received(self, data: bytes) -> None:
        """Hand it over. What uvloop reads before there is anybody to hand it to is kept, and no more is read."""
        if self.other is None and self.transport is not None:
            self.held.append(data)
            self.transport.pause_reading()
        elif self.other is not None and self.other.transport is not None:
            self._owner.moved(self, len(data))
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """It sends no more."""
        self._owner.ended(self)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        del exc
        self.transport = None
        self._owner.ended(self)

    def pause_writing(self) -> None:
        """It is read slowly."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It is read again."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()


class Pipe:
    """One connection of the application (`near`) and the one to an endpoint (`far`). `latest`: when bytes came."""

    __slots__ = ("_chosen", "_dialing", "_is_counted", "_listener", "_record", "far", "latest", "near")

    def __init__(self, listener: PipeListener) -> None:
        self._listener = listener
        self._record: ConnectionRecord | None = None
        self._chosen: tuple[Cluster, Endpoint, Reach] | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._is_counted = False
        self.near = End(self)
        self.far = End(self)
        self.latest = 0.0

    def stands(self, end: End) -> None:
        """One of its ends stands."""
        if end is self.near:
            self._accepted()
        else:
            self._connected()

    def moved(self, end: End, size: int) -> None:
        """Bytes came."""
        record = self._record
        if record is not None:
            self.latest = self._listener.rules.around.timers.time()
            if end is self.near:
                record.received += size
            else:
                record.sent += size

    def ended(self, end: End) -> None:
        """An end is over. The other one passes it on: without TLS as half of it, which TLS does not know."""
        end.is_done = True
        if end.transport is None:
            self._gone(end)
            return
        other = end.other
        if end is self.near and other is None and self._chosen is not None:
            return  # it has said all, and is heard when there is somebody to hear it
        if other is None or other.transport is None:
            end.transport.close()
        elif other.is_done or not (other.transport.can_write_eof() and end.transport.can_write_eof()):
            other.transport.close()
            end.transport.close()
        elif not other.transport.is_closing():
            other.transport.write_eof()

    def abort(self) -> None:
        """End it now."""
        for end in (self.near, self.far):
            if end.transport is not None:
                end.transport.abort()

    def _accepted(self) -> None:
        near, listener = self.near, self._listener
        rules, port = listener.rules, listener.port
        assert near.transport is not None
        now = self.latest = rules.around.timers.time()
        if rules.is_full():
            rules.telemetry.fault("there are too many connections")
            near.transport.abort()
            return
        near.transport.pause_reading()
        listener.connections.add(self)
        self._record = record = ConnectionRecord(
            Side.OUTBOUND, str(port.listen), port.destination, port.port, protocol="tcp", opened=now
        )
        record.local_identity = rules.own()
        chosen = listener.chosen(record)
        rules.telemetry.opened(record)
        if chosen is None:
            near.transport.abort()
            return
        cluster, endpoint, reach = chosen
        if not cluster.breaker.connections.enter():
            cluster.tell("overflow")
            record.flags = Flag.OVERFLOW
            near.transport.abort()
            return
        self._chosen = chosen
        self._is_counted = True
        endpoint.active += 1
        wanted = Wanted(endpoint.address, reach.security)
        self._dialing = rules.dialer.dial(wanted, lambda: self.far, self._failed)

    def _connected(self) -> None:
        near, far = self.near, self.far
        chosen = self._chosen
        assert far.transport is not None
        if near.transport is None or chosen is None:
            far.transport.abort()
            return
        cluster, endpoint, reach = chosen
        try:
            self._listener.rules.dialer.proven(reach.security, far.transport.get_extra_info("ssl_object"))
        except PeerError as error:
            self._listener.rules.dialer.refused(error)
            self._failed()
            far.transport.abort()
            return
        cluster.succeeded(endpoint)
        near.other, far.other = far, near
        for data in near.held:
            near.data_received(data)
        near.held.clear()
        if near.is_done:
            self.ended(near)
        near.transport.resume_reading()

    def _failed(self) -> None:
        """Nobody is there, or somebody else."""
        if self._chosen is not None and self._record is not None and not self._record.flags:
            cluster, endpoint, _ = self._chosen
            cluster.tell("connect-failure")
            cluster.failed(endpoint, self._listener.rules.around.timers.time())
            self._record.flags = Flag.CONNECT_FAILURE
        if self.near.transport is not None:
            self.near.transport.abort()

    def _gone(self, end: End) -> None:
        other = end.other or (self.far if end is self.near else self.near)
        if other.transport is not None:
            other.transport.close()
        if end is self.near and self._dialing is not None and end.other is None:
            self._dialing.cancel()
        if self.near.transport is None and self.far.transport is None:
            self._settle()

    def _settle(self) -> None:
        """Give back what was counted, once."""
        if self._is_counted and self._chosen is not None:
            self._is_counted = False
            self._chosen[0].breaker.disconnected()
            self._chosen[1].active -= 1
        record, self._record = self._record, None
        if record is not None:
            record.closed = self._listener.rules.around.timers.time()
            self._listener.connections.discard(self)
            self._listener.rules.telemetry.closed(record)
