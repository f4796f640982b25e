"""What is outside is known by the host of the request: each has connections of its own, to a server that proves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseListener
from meshproof.runtime.core.traffic.pool import Pool
from meshproof.runtime.core.traffic.timers import Timers

MOST_HOSTS = 64


class HostPools:
    """An `Upstream` that has a pool for each host of a destination, and sends nothing to a host that is not one.

    `*.example.com` stands for all names below it, of which a bounded number is known at a time.
    """

    __slots__ = ("_below", "_hosts", "_make", "_pools", "_timers")

    def __init__(self, hosts: Sequence[str], make: Callable[[str], Pool], timers: Timers) -> None:
        self._hosts = frozenset(host.lower() for host in hosts if not host.startswith("*"))
        self._below = tuple(host[1:].lower() for host in hosts if host.startswith("*."))
        self._make = make
        self._timers = timers
        self._pools: dict[str, Pool] = {}

    @property
    def pools(self) -> tuple[Pool, ...]:
        """All that there are."""
        return tuple(self._pools.values())

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Begin a request."""
        host = _host(head.authority)
        pool = self._pools.get(host)
        if pool is None:
            if not (host in self._hosts or host.endswith(self._below)) or len(self._pools) >= MOST_HOSTS:
                return Nowhere(listener, self._timers)
            pool = self._pools[host] = self._make(host)
        return pool.open(head, listener)


class Nowhere:
    """A request that is sent nowhere: its listener is told a moment later."""

    __slots__ = ("_listener",)

    def __init__(self, listener: ResponseListener, timers: Timers) -> None:
        self._listener: ResponseListener | None = listener
        timers.call_later(0.0, self._tell)

    def _tell(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.reset(Failure.CONNECT)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """Nobody takes it."""

    def trailers(self, fields: Fields) -> None:
        """Nobody takes them."""

    def pause(self) -> None:
        """Nothing comes."""

    def resume(self) -> None:
        """Nothing comes."""

    def reset(self, failure: Failure) -> None:
        """Nobody waits any more."""
        del failure
        self._listener = None


def _host(authority: str) -> str:
    name = authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
    return name.lower().removesuffix(".")
