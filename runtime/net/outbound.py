"""All that leaves the own workload: one loopback port a destination, and connections to where destinations are.

`take_policy` before `start`; new ones at any time after it. All of it belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.core.http1_client import ClientRules
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_server import ServerRules, ServerTimes
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Telemetry, Tracer
from meshproof.runtime.core.traffic.balance import Draw
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.desk import OutboundDesk, RoutedPolicy, Surroundings
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.fleet import Fleet
from meshproof.runtime.core.traffic.plans import Place, PlanError, Plans
from meshproof.runtime.core.traffic.pool import PoolRules
from meshproof.runtime.core.traffic.reaching import Reach, Reaches
from meshproof.runtime.core.traffic.timers import Timer, Timers
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.policy import own_node
from meshproof.runtime.net.outbound_dial import Dialer, DialTimes
from meshproof.runtime.net.outbound_listener import HttpListener, ListenerRules
from meshproof.runtime.net.outbound_pipe import PipeListener, PipeRules
from meshproof.runtime.net.outbound_places import Places
from meshproof.runtime.net.outbound_upstream import CodecRules, Reached, Upstreams
from meshproof.runtime.net.process.places import shared
from meshproof.runtime.net.resolving import Lookup, Resolver, SystemLookup, Watched
from meshproof.runtime.settings_run import OutboundPort, RunLimits, RunSettings
from meshproof.runtime.settings_run import Place as Listening

_BACKLOG = 1024
_TICK = 0.25
_IDLE = 60.0
"""Seconds for which a connection to a server is kept that nobody uses: less than servers keep theirs."""
_FIRST_ANSWERS = 2.0
"""Seconds for which the start waits for names: without an answer, destinations are somewhere else than nowhere."""


class Counts(Telemetry, Protocol):
    """Telemetry that counts what happens on the way to destinations, too."""

    def event(self, destination: str, what: str) -> None:
        """A word from a fixed set."""


@dataclass(frozen=True, slots=True)
class OutboundGiven:
    """What all of it is given. `places` are where to listen, with port 0 settled, in the order of the settings.

    `wall` is the time of day in seconds, `draw` is chance.
    """

    settings: RunSettings
    places: Sequence[Listening]
    identities: Identities
    telemetry: Counts
    timers: Timers
    wall: Callable[[], float]
    draw: Draw
    today: Callable[[], date]
    tracer: Tracer | None = None
    lookup: Lookup | None = None


class Outbound:
    """The outbound half of a worker."""

    def __init__(self, given: OutboundGiven) -> None:
        limits = given.settings.limits
        self._given = given
        self._policy: RoutedPolicy | None = None
        self._mesh: Mesh | None = None
        self._reaches: Reaches | None = None
        self._fleet: Fleet | None = None
        self._places: Places | None = None
        self._listeners: list[HttpListener | PipeListener] = []
        self._servers: list[asyncio.Server] = []
        self._resolvers: list[Resolver] = []
        self._lookup: SystemLookup | None = None
        self._timer: Timer | None = None
        clock = given.timers.time
        fault = given.telemetry.fault
        self._dialer = Dialer(given.identities, DialTimes(limits.connect_seconds, limits.handshake_seconds), fault)
        http1 = ClientRules(clock, _http1(limits, is_ours=True), limits.stall_seconds, _IDLE)
        self._upstreams = Upstreams(self._dialer, CodecRules(http1, _http2(limits), fault))
        self._listener_rules = ListenerRules(
            ServerRules(clock, fault, _http1(limits, is_ours=True), _times(limits)),
            _http2(limits),
            given.telemetry,
            given.timers.call_later,
            self._is_full,
            self._own,
        )

    # Policies and identities.

    def take_policy(self, loaded: Loaded) -> None:
        """Go by this policy from the next request on. Raises `RefusedError`; then nothing has changed."""
        given = self._given
        mesh = loaded.bundle.mesh
        try:
            plans = Plans(mesh)
        except PlanError as error:
            raise RefusedError(str(error)) from None
        own = own_node(mesh, given.settings.service).identity.uri
        policy = RoutedPolicy(loaded.engine, plans, loaded.bundle.policy, own, loaded.audits)
        if self._fleet is None:
            self._fleet = Fleet(plans, given.settings.process.workers, given.telemetry.event)
            self._places = Places(self._fleet, given.settings.endpoints, self._reached)
        else:
            self._fleet.adopt(plans)
        self._policy, self._mesh = policy, mesh
        self._reach(given.today())
        for index, listener in enumerate(self._listeners):
            if isinstance(listener, HttpListener) is self._is_tcp(listener.port):
                self._listeners[index] = self._listener(listener.port, policy)
                listener.abort()
            else:
                listener.adopt(policy)

    def took_identity(self) -> None:
        """`identities` holds another one: connections to servers that are not trusted any more end."""
        self._upstreams.prove_again()

    # The life of it.

    @property
    def connections(self) -> int:
        """Those of the application."""
        return sum(len(listener.connections) for listener in self._listeners)

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return sum(pool.waiting for pool in (() if self._places is None else self._places.pools))

    def addresses(self, node: NodeName, port: int) -> tuple[Address, ...]:
        """Where a port is, as far as is known now."""
        if self._fleet is None:
            return ()
        return tuple(one.address for one in self._fleet.cluster(node, port).endpoints)

    async def start(self) -> None:
        """Listen. Raises `RefusedError`."""
        await self._resolve()
        try:
            for port, place in zip(self._given.settings.outbound, self._given.places, strict=True):
                await self._listen(replace(port, listen=place), shared(place))
        except BaseException:
            self.stop()
            raise
        self._tick()

    async def drain(self, seconds: float) -> None:
        """Take nothing new, end what has begun, and cut what is not over after so many seconds."""
        for server in self._servers:
            server.close()
        for listener in self._listeners:
            listener.drain()
        end = self._given.timers.time() + seconds
        for listener in self._listeners:
            await listener.connections.emptied(max(end - self._given.timers.time(), 0))
        self.stop()

    def stop(self) -> None:
        """End all of it now."""
        if self._timer is not None:
            self._timer.cancel()
        for resolver in self._resolvers:
            resolver.stop()
        if self._lookup is not None:
            self._lookup.close()
        for server in self._servers:
            server.close()
        for listener in self._listeners:
            listener.abort()
        for pool in () if self._places is None else self._places.pools:
            pool.abandon()
        self._upstreams.abort()

    # Inside.

    async def _resolve(self) -> None:
        given = self._given
        assert self._places is not None, "a policy is taken before the start"
        named = [(index, one.dns) for index, one in enumerate(given.settings.endpoints) if one.dns is not None]
        if not named:
            return
        lookup = given.lookup or self._system()
        for index, dns in named:
            watched = Watched(dns.address, dns.port, partial(self._places.resolved, index), self._unresolved)
            self._resolvers.append(Resolver(watched, lookup, given.timers, given.settings.limits.dns_seconds))
        waiting = [asyncio.ensure_future(one.answered.wait()) for one in self._resolvers]
        for resolver in self._resolvers:
            resolver.start()
        _, late = await asyncio.wait(waiting, timeout=_FIRST_ANSWERS)
        for one in late:
            one.cancel()

    def _system(self) -> SystemLookup:
        self._lookup = lookup = SystemLookup()
        return lookup

    def _unresolved(self, name: str) -> None:
        del name
        self._given.telemetry.fault("the name of a destination has no address")

    async def _listen(self, port: OutboundPort, bound: socket.socket) -> None:
        assert self._policy is not None, "a policy is taken before the start"
        index = len(self._listeners)
        self._listeners.append(self._listener(port, self._policy))

        def accept() -> asyncio.BaseProtocol:
            return self._listeners[index].accept()  # of the listener of that moment

        loop = asyncio.get_running_loop()
        server = await loop.create_server(accept, sock=bound, backlog=_BACKLOG)
        self._servers.append(server)

    def _is_tcp(self, port: OutboundPort) -> bool:
        reach = self._reach_of(Place(port.destination, port.port))
        return reach is not None and reach.is_tcp

    def _listener(self, port: OutboundPort, policy: RoutedPolicy) -> HttpListener | PipeListener:
        assert self._fleet is not None
        given = self._given
        around = Surroundings(self._fleet, given.timers, given.draw, given.today, given.tracer)
        if not self._is_tcp(port):
            desk = OutboundDesk(port.destination, port.port, policy, around)
            return HttpListener(port, desk, self._listener_rules)
        rules = PipeRules(
            around,
            self._dialer,
            given.telemetry,
            self._is_full,
            self._own,
            self._reach_of,
            given.settings.limits.idle_seconds,
        )
        return PipeListener(port, policy, rules)

    def _reach(self, day: date) -> None:
        assert self._mesh is not None
        assert self._places is not None
        self._reaches = Reaches(self._mesh, day)
        self._places.take(self._reaches)

    def _reach_of(self, place: Place) -> Reach | None:
        return None if self._reaches is None else self._reaches.of(place.node, place.port)

    def _reached(self, cluster: Cluster, address: Address, reach: Reach) -> Reached:
        rules = PoolRules(self._given.timers, lambda: cluster.breaker, is_http2=reach.is_http2)
        return self._upstreams.reached(address, reach, rules)

    def _tick(self) -> None:
        """Look at what takes too long, and whether another day has begun."""
        given = self._given
        now = given.timers.time()
        for listener in self._listeners:
            listener.tick(now)
        self._upstreams.tick(now, given.wall())
        for pool in () if self._places is None else self._places.pools:
            pool.serve()  # bounds may be others than when it began to wait
        today = given.today()
        if self._reaches is not None and today != self._reaches.day:
            self._reach(today)
        self._timer = given.timers.call_later(_TICK, self._tick)

    def _is_full(self) -> bool:
        return self.connections >= self._given.settings.limits.connections

    def _own(self) -> str | None:
        return None if self._policy is None else self._policy.own


def _http1(limits: RunLimits, *, is_ours: bool) -> Http1Limits:
    return Http1Limits(limits.head_bytes, limits.headers, limits.body_bytes or None, takes_underscores=is_ours)


def _http2(limits: RunLimits) -> Http2Limits:
    return Http2Limits(
        streams=limits.streams,
        header_bytes=limits.head_bytes,
        headers=limits.headers,
        body_bytes=limits.body_bytes or None,
        takes_underscores=True,
        stall_seconds=limits.stall_seconds,
        idle_seconds=limits.idle_seconds,
    )


def _times(limits: RunLimits) -> ServerTimes:
    return ServerTimes(head=limits.head_seconds, stall=limits.stall_seconds, idle=limits.idle_seconds)
