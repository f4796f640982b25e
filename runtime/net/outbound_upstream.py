"""The connections of pools: each is dialled, its server proven, its codec chosen, and looked after to its end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from meshproof.runtime.core.codec import ClientCodec
from meshproof.runtime.core.http1_client import ClientRules, Http1Client
from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.messages import Upstream
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.hosts import HostPools
from meshproof.runtime.core.traffic.pool import Need, Pool, PoolRules
from meshproof.runtime.core.traffic.reaching import Mutual, Outside, Plain, Reach, Security
from meshproof.runtime.identity.errors import PeerError
from meshproof.runtime.net.outbound_dial import H1, H2, Dialer, Wanted
from meshproof.runtime.net.outbound_link import Link, PlainLink


@dataclass(frozen=True, slots=True)
class CodecRules:
    """What all connections to servers keep to.

    How long one is kept that nobody uses `http1` says for HTTP/2 too.
    """

    http1: ClientRules
    http2: Http2Limits
    fault: Callable[[str], None]

    def __post_init__(self) -> None:
        object.__setattr__(self, "http2", replace(self.http2, idle_seconds=self.http1.idle))


@dataclass(frozen=True, slots=True)
class Reached:
    """An address that is reached in one way: `pools` are what is behind `upstream`, one or (outside) one a host."""

    upstream: Upstream
    pools: Callable[[], tuple[Pool, ...]]


@dataclass(slots=True)
class Upstreams:
    """Makes pools, and looks after all of their connections. `live` are those that stand."""

    dialer: Dialer
    rules: CodecRules
    live: set[Connection] = field(default_factory=set)

    def reached(self, address: Address, reach: Reach, rules: PoolRules) -> Reached:
        """Whoever sends requests to an address."""
        security = reach.security
        if isinstance(security, Outside):
            hosts = HostPools(security.hosts, partial(self._pool, address, security, rules), rules.timers)
            return Reached(hosts, lambda: hosts.pools)
        pool = self._pool(address, security, rules, "")
        return Reached(pool, lambda: (pool,))

    def tick(self, now: float, wall: float) -> None:
        """End what took too long, and use no connection whose server's, or our own, certificate is over."""
        for one in tuple(self.live):
            one.tick(now, wall)

    def prove_again(self) -> None:
        """Other identities are trusted now: end connections to servers that are not."""
        for one in tuple(self.live):
            one.prove_again()

    def abort(self) -> None:
        """End all connections now."""
        for one in tuple(self.live):
            one.link.abort()

    def _pool(self, address: Address, security: Security, rules: PoolRules, server_name: str) -> Pool:
        def dial(pool: Pool, need: Need) -> Connection:
            is_http2 = need is Need.HTTP2
            alpn = (H2, H1) if is_http2 else (H1,)
            wanted = Wanted(address, security, alpn, server_name)
            one = Connection(self, pool, wanted, is_http2=is_http2 and rules.is_http2)
            one.begin()
            return one

        return Pool(dial, rules)


class Connection:
    """One connection of a pool, from its dialling to its end. `is_http2`: without TLS it is to speak HTTP/2."""

    __slots__ = (
        "_codec",
        "_ends",
        "_is_http2",
        "_is_told",
        "_pool",
        "_security",
        "_task",
        "_upstreams",
        "_wanted",
        "link",
    )

    def __init__(self, upstreams: Upstreams, pool: Pool, wanted: Wanted, *, is_http2: bool) -> None:
        self._upstreams = upstreams
        self._pool = pool
        self._wanted = wanted
        self._security = wanted.security
        self._is_http2 = is_http2
        self._is_told = False
        self._ends = inf
        self._codec: ClientCodec | None = None
        self._task: asyncio.Task[None] | None = None
        self.link = PlainLink(self) if isinstance(wanted.security, Plain) else Link(self)

    def begin(self) -> None:
        """Dial."""
        self._task = self._upstreams.dialer.dial(self._wanted, lambda: self.link, self._failed)

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self._is_told = True
        if self._task is not None:
            self._task.cancel()

    # What its link tells.

    def made(self, link: Link) -> ClientCodec | None:
        """Prove who the server is, before anything is sent."""
        if self._is_told:
            return None
        secured = link.known("ssl_object")
        try:
            ends = self._upstreams.dialer.proven(self._security, secured)
        except PeerError as error:
            self._upstreams.dialer.refused(error)
            self._failed()
            return None
        self._is_told = True
        self._ends = inf if ends is None else ends
        if isinstance(secured, ssl.SSLObject):
            self._is_http2 = secured.selected_alpn_protocol() == H2
        if self._is_http2:
            link.taken = self._serve
        self._codec = codec = self._made_for(link)
        self._upstreams.live.add(self)
        asyncio.get_running_loop().call_soon(self._connected, codec)
        return codec

    def lost(self, link: Link) -> None:
        """Forget it."""
        del link
        self._upstreams.live.discard(self)
        if self._codec is not None:
            self._pool.lost(self._codec)

    # What looks after it.

    def tick(self, now: float, wall: float) -> None:
        """End what took too long, or may not be used any more."""
        codec = self.link.codec
        if codec is None:
            return
        if codec.deadline <= now:
            codec.expire()
        if self._ends <= wall:
            self._ends = inf
            codec.drain()
        if self._is_http2:
            self._serve()

    def prove_again(self) -> None:
        """End it if its server is nobody any more whom we trust."""
        if not isinstance(self._security, Mutual) or self.link.codec is None:
            return
        try:
            self._upstreams.dialer.proven(self._security, self.link.known("ssl_object"))
        except PeerError as error:
            self._upstreams.dialer.refused(error)
            self.link.abort()

    # Inside.

    def _connected(self, codec: ClientCodec) -> None:
        """A turn later: the transport is whole by then, and whoever dialled has what it dialled."""
        if self.link.codec is None or not codec.capacity:
            self._pool.failed(self)
        else:
            self._pool.connected(self, codec, is_http2=self._is_http2)

    def _made_for(self, link: Link) -> ClientCodec:
        rules = self._upstreams.rules
        if not self._is_http2:
            return Http1Client(link, rules.http1, self._pool)
        scheme = b"http" if isinstance(self._security, Plain) else b"https"
        around = Surroundings(link, rules.http1.clock, asyncio.get_running_loop().call_soon, rules.fault)
        return Http2Client(around, rules.http2, scheme=scheme)

    def _serve(self) -> None:
        """There may be room on it for who waits."""
        if self._pool.is_waited_for:
            self._pool.serve()

    def _failed(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._pool.failed(self)
