"""The half of a sidecar that is called: the inbound ports of one service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.pool import PoolRules
from meshproof.runtime.core.traffic.reaching import Plain, Reach
from meshproof.runtime.core.traffic.timers import Timers
from meshproof.runtime.net.inbound_connection import InboundConnection
from meshproof.runtime.net.inbound_door import Door
from meshproof.runtime.net.inbound_policy import PortPolicy, port_policy
from meshproof.runtime.net.inbound_port import Port, Surroundings
from meshproof.runtime.net.material.policy import own_node
from meshproof.runtime.net.outbound_upstream import Reached, Upstreams
from meshproof.runtime.net.process.places import shared
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings_run import InboundPort, Place, RunSettings
from meshproof.runtime.tokens.ring import KeyRing


class Inbound:
    """Its ports share a bound of connections. `places` are where they listen, in the order of the settings."""

    def __init__(
        self,
        settings: RunSettings,
        places: tuple[Place, ...],
        around: Surroundings,
        upstreams: Upstreams,
        timers: Timers,
        today: Callable[[], date],
    ) -> None:
        self._settings = settings
        self._places = places
        self._around = around
        self._upstreams = upstreams
        self._timers = timers
        self._today = today
        self._rings: Mapping[IssuerName, KeyRing] = {}
        self._ports: list[Port] = []
        self._reached: dict[tuple[Address, bool], Reached] = {}
        self._doors: list[Door] = []
        self._day = today()
        self.room: Room[InboundConnection] = Room()

    def keep_keys(self, rings: Mapping[IssuerName, KeyRing]) -> None:
        """Verify tokens by these from the next policy on."""
        self._rings = rings

    def adopt(self, loaded: Loaded) -> None:
        """Go by this policy."""
        node = own_node(loaded.bundle.mesh, self._settings.service)
        wall = self._around.wall
        policies = [port_policy(loaded, node, one.port, self._rings, wall) for one in self._settings.inbound]
        if not self._ports:
            self._ports = [
                self._port(*each) for each in zip(self._settings.inbound, self._places, policies, strict=True)
            ]
        for port, policy in zip(self._ports, policies, strict=True):
            port.adopt(policy, self._day)
            port.upstream = self._reach(port.application, policy).upstream
        self._judge_again()

    def listen(self) -> None:
        """Take connections."""
        most = self._settings.limits.connections
        for port, place in zip(self._ports, self._places, strict=True):
            door = Door(port, shared(place), self.room, most)
            self._doors.append(door)
            door.open()

    def prove_again(self) -> None:
        """Others are trusted now."""
        for one in self.room:
            one.prove_again()

    def tick(self, now: float, wall: float) -> None:
        """End what took too long, and begin a day."""
        day = self._today()
        if day != self._day:
            self._day = day
            for port in self._ports:
                port.adopt(port.policy, day)
            self._judge_again()
        for one in self.room:
            one.tick(now, wall)

    def drain(self) -> None:
        """Take nothing new, and end what has begun at its end."""
        for door in self._doors:
            door.close()
        for port in self._ports:
            port.is_draining = True  # for those whose handshake is not over yet
        for one in self.room:
            one.drain()

    async def emptied(self, seconds: float) -> bool:
        """Whether all connections have ended within that time."""
        return await self.room.emptied(seconds)

    def abort(self) -> None:
        """End everything now."""
        for one in self.room:
            one.link.abort()

    def _judge_again(self) -> None:
        for one in self.room:
            one.judge_again()

    def _port(self, settings: InboundPort, place: Place, policy: PortPolicy) -> Port:
        application = Address(settings.application.address, settings.application.port)
        return Port(str(place), application, self._around, policy, self._day)

    def _reach(self, application: Address, policy: PortPolicy) -> Reached:
        """The pool of connections to the own workload; it stays where the policy says the same of it."""
        key = (application, policy.is_http2)
        found = self._reached.get(key)
        if found is None:
            breaker = Breaker(None)
            rules = PoolRules(self._timers, lambda: breaker, is_http2=policy.is_http2)
            reach = Reach(Plain(), is_http2=policy.is_http2, is_tcp=False)
            found = self._reached[key] = self._upstreams.reached(application, reach, rules)
        return found
