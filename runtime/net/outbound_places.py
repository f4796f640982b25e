"""Where destinations are: the endpoints of clusters, as addresses and the policy change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.endpoints import Address, Endpoint
from meshproof.runtime.core.traffic.fleet import Fleet
from meshproof.runtime.core.traffic.pool import Pool
from meshproof.runtime.core.traffic.reaching import Reach, Reaches
from meshproof.runtime.net.outbound_upstream import Reached
from meshproof.runtime.settings_run import EndpointGroup


class Makes(Protocol):
    """Makes what sends requests to an address of a cluster."""

    def __call__(self, cluster: Cluster, address: Address, reach: Reach) -> Reached:
        """One that reaches it like that."""


class _Group:
    """One entry of the settings, with what is there now."""

    def __init__(self, settings: EndpointGroup) -> None:
        self.settings = settings
        self.addresses = tuple(dict.fromkeys(Address(one.address, one.port) for one in settings.addresses))
        self.reach: Reach | None = None
        self.known: dict[Address, tuple[Endpoint, Reached]] = {}


class Places:
    """The endpoints of all destinations. One that stays keeps what is known of it, and its connections."""

    def __init__(self, fleet: Fleet, groups: Sequence[EndpointGroup], make: Makes) -> None:
        self._fleet = fleet
        self._make = make
        self._groups = tuple(map(_Group, groups))
        self._leaving: list[Reached] = []

    def take(self, reaches: Reaches) -> None:
        """Reach destinations as this policy says, on this day. What is reached otherwise now has new connections."""
        for group in self._groups:
            reach = reaches.of(group.settings.destination, group.settings.port)
            if reach == group.reach:
                continue
            group.reach = reach
            if reach is None:
                self._drop(group, tuple(group.known))
                continue
            for address, (endpoint, before) in tuple(group.known.items()):
                made = self._make(self._cluster(group), address, reach)
                endpoint.upstream = made.upstream
                group.known[address] = endpoint, made
                self._leave(before)
        self._arrange()

    def resolved(self, index: int, addresses: Sequence[Address]) -> None:
        """The name of that group means these addresses now."""
        self._groups[index].addresses = tuple(addresses)
        self._arrange()

    def reach(self, node: NodeName, port: int) -> Reach | None:
        """How a port with endpoints is reached."""
        return next((one.reach for one in self._groups if self._place(one) == (node, port)), None)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """All pools, those of addresses that have left too while they have connections."""
        self._leaving = [one for one in self._leaving if any(pool.is_alive for pool in one.pools())]
        used = [reached for group in self._groups for _, reached in group.known.values()]
        return tuple(pool for reached in (*used, *self._leaving) for pool in reached.pools())

    def _arrange(self) -> None:
        for group in self._groups:
            self._drop(group, tuple(one for one in group.known if one not in group.addresses))
            if group.reach is None:
                continue
            for address in group.addresses:
                if address not in group.known:
                    made = self._make(self._cluster(group), address, group.reach)
                    group.known[address] = Endpoint(address, group.settings.version, made.upstream), made
        for place in dict.fromkeys(map(self._place, self._groups)):
            cluster = self._fleet.cluster(*place)
            found = [
                group.known[address][0]
                for group in self._groups
                if self._place(group) == place
                for address in group.addresses
                if address in group.known
            ]
            if tuple(found) != cluster.endpoints:
                cluster.watch(found)

    def _drop(self, group: _Group, addresses: Sequence[Address]) -> None:
        for address in addresses:
            self._leave(group.known.pop(address)[1])

    def _leave(self, reached: Reached) -> None:
        for pool in reached.pools():
            pool.retire()
        self._leaving.append(reached)

    def _cluster(self, group: _Group) -> Cluster:
        return self._fleet.cluster(*self._place(group))

    @staticmethod
    def _place(group: _Group) -> tuple[NodeName, int]:
        return group.settings.destination, group.settings.port
