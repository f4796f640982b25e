"""The ports that are called, with all that is counted for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshproof.runtime.core.traffic.balance import Balancer, Draw, balancer_of
from meshproof.runtime.core.traffic.breaker import Breaker
from meshproof.runtime.core.traffic.budget import RetryBudget
from meshproof.runtime.core.traffic.ejection import Ejector
from meshproof.runtime.core.traffic.endpoints import Endpoint
from meshproof.runtime.core.traffic.mirroring import Mirroring
from meshproof.runtime.core.traffic.plans import PortPlan


def untold(what: str) -> None:
    """Nobody counts."""
    del what


class Group:
    """The endpoints of one version (None: all) that may be used now."""

    __slots__ = ("balancer", "usable")

    def __init__(self, balancer: Balancer) -> None:
        self.balancer = balancer
        self.usable: tuple[Endpoint, ...] = ()


class Cluster:
    """One port of a destination: its endpoints, and what is counted for them.

    It outlives policies: another one brings another plan, and requests on their way stay counted. `tell` counts what
    happened, by a word from a fixed set.
    """

    __slots__ = ("_balance_key", "_ejector", "_endpoints", "_groups", "_plan", "breaker", "budget", "mirroring", "tell")

    def __init__(self, plan: PortPlan, breaker: Breaker, tell: Callable[[str], None] = untold) -> None:
        self._plan = plan
        self._endpoints: tuple[Endpoint, ...] = ()
        self._groups: dict[str | None, Group] = {}
        self._ejector = Ejector(plan.ejection)
        self._balance_key = _key(plan)
        self.breaker = breaker
        self.budget = RetryBudget()
        self.mirroring = Mirroring()
        self.tell = tell

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All of them, those that are left out too."""
        return self._endpoints

    @property
    def ejected(self) -> tuple[Endpoint, ...]:
        """Those that are left out."""
        return self._ejector.ejected

    @property
    def hashed_header(self) -> bytes | None:
        """The header that a request is hashed by."""
        return self._balance_key

    def adopt(self, plan: PortPlan, breaker: Breaker) -> None:
        """Another policy holds from here on."""
        self.breaker = breaker
        if plan == self._plan:
            return
        self._plan = plan
        self._balance_key = _key(plan)
        self._ejector.adopt(plan.ejection)
        self._groups.clear()

    def watch(self, endpoints: Sequence[Endpoint]) -> None:
        """The endpoints are these now."""
        self._endpoints = tuple(endpoints)
        self._ejector.watch(self._endpoints)
        self._arrange()

    def is_usable(self, version: str | None, now: float) -> bool:
        """Whether there is any endpoint of the version that may be used."""
        return bool(self._group(version, now).usable)

    def choose(self, version: str | None, key: bytes | None, now: float, draw: Draw) -> Endpoint | None:
        """An endpoint of the version for one attempt; None where there is none that may be used."""
        group = self._group(version, now)
        return group.balancer.choose(group.usable, key, draw) if group.usable else None

    def succeeded(self, endpoint: Endpoint) -> None:
        """It has answered as it should."""
        endpoint.failures = 0

    def failed(self, endpoint: Endpoint, now: float) -> None:
        """It has not."""
        if self._ejector.failed(endpoint, now):
            self.tell("ejected")
            self._arrange()

    def _group(self, version: str | None, now: float) -> Group:
        back = self._ejector.next_return
        if back is not None and back <= now and self._ejector.readmit(now):
            self._arrange()
        group = self._groups.get(version)
        if group is None:
            group = Group(balancer_of(self._plan.balance))
            group.usable = self._usable(version)
            self._groups[version] = group
        return group

    def _arrange(self) -> None:
        for version, group in self._groups.items():
            group.usable = self._usable(version)

    def _usable(self, version: str | None) -> tuple[Endpoint, ...]:
        return tuple(
            one for one in self._endpoints if not one.is_ejected and (version is None or one.version == version)
        )


def _key(plan: PortPlan) -> bytes | None:
    balance = plan.balance
    return None if balance is None or balance.header is None else balance.header.encode("ascii", "replace").lower()
