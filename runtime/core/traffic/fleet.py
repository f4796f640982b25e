"""All clusters of a process, across policies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.plans import Plans


def untold_of(node: NodeName, what: str) -> None:
    """Nobody counts."""
    del node, what


class Fleet:
    """The cluster of each port that is called or mirrored to. Limits are counted for the destination as a whole.

    A new policy changes bounds and choices; what is counted goes on. `tell` counts what happened on the way to a node.
    """

    __slots__ = ("_breakers", "_clusters", "_plans", "_tell", "_workers")

    def __init__(self, plans: Plans, workers: int = 1, tell: Callable[[NodeName, str], None] = untold_of) -> None:
        self._plans = plans
        self._workers = workers
        self._tell = tell
        self._clusters: dict[tuple[NodeName, int], Cluster] = {}
        self._breakers: dict[str, Breaker] = {}

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """All that there are."""
        return tuple(self._clusters.values())

    def cluster(self, node: NodeName, port: int) -> Cluster:
        """The cluster of a port; without endpoints until somebody says where they are."""
        found = self._clusters.get((node, port))
        if found is None:
            plan = self._plans.port(node, port)
            found = self._clusters[node, port] = Cluster(plan, self._breaker(node, port), partial(self._tell, node))
        return found

    def adopt(self, plans: Plans) -> None:
        """Another policy holds from here on."""
        self._plans = plans
        for (node, port), cluster in self._clusters.items():
            cluster.adopt(plans.port(node, port), self._breaker(node, port))

    def _breaker(self, node: NodeName, port: int) -> Breaker:
        plan = self._plans.port(node, port)
        found = self._breakers.get(plan.limited_as)
        if found is None:
            found = self._breakers[plan.limited_as] = Breaker(plan.limits, self._workers)
        else:
            found.bound(plan.limits, self._workers)
        return found
