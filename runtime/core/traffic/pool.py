"""The connections to one address, and the requests that wait for one (ADR 0211)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import Protocol

from meshproof.runtime.core.codec import ClientCodec
from meshproof.runtime.core.messages import ClientStream, Failure, RequestHead, ResponseListener
from meshproof.runtime.core.traffic.breaker import Breaker, Gate
from meshproof.runtime.core.traffic.timers import Timers
from meshproof.runtime.core.traffic.waiting import Waiting

_MOST_IDLE = 256


class Need(Enum):
    """What a request needs of its connection."""

    HTTP1 = auto()
    """HTTP/1.1 and nothing else, because it changes the protocol."""
    ANY = auto()
    """Whatever there is. A connection that is made for it speaks HTTP/1.1."""
    HTTP2 = auto()
    """HTTP/2 wherever the server speaks it."""


class Dialing(Protocol):
    """A connection on its way."""

    def cancel(self) -> None:
        """Nobody wants it: nothing is told of it any more."""


class Dial(Protocol):
    """Makes connections. Of each it tells once, after this has returned: `connected`, or `failed`."""

    def __call__(self, pool: Pool, need: Need) -> Dialing:
        """Begin to make one."""


@dataclass(frozen=True, slots=True)
class PoolRules:
    """What holds for one pool. `is_http2`: the port was declared to speak HTTP/2, whatever callers speak."""

    timers: Timers
    breaker: Callable[[], Breaker]
    is_http2: bool = False
    most_idle: int = _MOST_IDLE


class Pool:
    """An `Upstream`, and the owner of its connections. Connections are kept within the bounds of the breaker.

    A request waits only where no connection takes it; those that wait for the same are served in their order.
    """

    __slots__ = ("_codecs", "_dial", "_dialing", "_is_http1_alone", "_is_retired", "_rules", "_shared", "_singles",
                 "_waiting", "_waits")  # fmt: skip

    def __init__(self, dial: Dial, rules: PoolRules) -> None:
        self._dial = dial
        self._rules = rules
        self._codecs: dict[ClientCodec, Breaker] = {}
        self._singles: list[ClientCodec] = []
        self._shared: list[ClientCodec] = []
        self._dialing: dict[Dialing, tuple[Need, Breaker]] = {}
        self._waiting: dict[Need, dict[Waiting, Gate]] = {need: {} for need in Need}
        self._waits = 0  # how many wait in all queues: it is asked at each request
        self._is_http1_alone = False
        self._is_retired = False

    # What senders call.

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Begin a request, on a connection that there is or one that is made for it."""
        singles = self._singles
        if singles and not self._waits and head.version == "HTTP/1.1" and not self._rules.is_http2:  # nearly always
            codec = singles.pop()
            if codec.capacity:
                return codec.request(head, listener)
        need = self._need(head)
        if not self._waits or not self._waiting[need]:
            free = self._free(need)
            if free is not None:
                return free.request(head, listener)
        return self._wait(need, head, listener)

    # What dialers, and codecs through whoever moves their bytes, call.

    def connected(self, dialing: Dialing, codec: ClientCodec, *, is_http2: bool) -> None:
        """Here is a connection; `lost` is called at its end."""
        need, breaker = self._dialing.pop(dialing)
        self._codecs[codec] = breaker
        if need is Need.HTTP2:
            self._is_http1_alone = not is_http2
        (self._shared if is_http2 else self._singles).append(codec)
        if self._is_retired and not self.is_waited_for:
            codec.drain()
        self.serve()

    def failed(self, dialing: Dialing) -> None:
        """There will be no connection. Who waits is told, but for those who may wait for others."""
        need, breaker = self._dialing.pop(dialing)
        queue = self._waiting[need]
        others = sum(one is need for one, _ in self._dialing.values())
        count = 1 if self._codecs else max(len(queue) - others, 0)
        for one in tuple(queue)[:count]:
            if self._forget(one):
                one.fail(Failure.CONNECT)
        breaker.disconnected()
        self.serve()

    def ready(self, codec: ClientCodec) -> None:
        """A connection of HTTP/1.1 takes a request again."""
        breaker = self._codecs.get(codec)
        if breaker is None:
            return
        is_waited_for = self._waits > 0
        if not is_waited_for and (self._is_retired or breaker.starving or len(self._singles) >= self._rules.most_idle):
            codec.drain()
            return
        self._singles.append(codec)
        if is_waited_for:
            self.serve()

    def again(self, head: RequestHead, listener: ResponseListener) -> ClientStream | None:
        """A kept connection ended before it had read a request: it is sent on another one."""
        return self.open(head, listener)

    def lost(self, codec: ClientCodec) -> None:
        """A connection has ended."""
        breaker = self._codecs.pop(codec, None)
        if breaker is None:
            return
        for kept in (self._singles, self._shared):
            if codec in kept:
                kept.remove(codec)
        breaker.disconnected()
        self.serve()

    def serve(self) -> None:
        """Give those that wait what there is, and make connections for the others."""
        if not self.is_waited_for:
            return
        for need, queue in self._waiting.items():
            while queue and (codec := self._free(need)) is not None:
                one = next(iter(queue))
                self._forget(one)
                one.go(codec)
        self._dial_more()

    # What whoever owns pools calls.

    @property
    def is_waited_for(self) -> bool:
        """Whether a request waits here."""
        return self._waits > 0

    @property
    def dials(self) -> int:
        """How many connections are being made."""
        return len(self._dialing)

    def is_dialing(self, dialing: Dialing) -> bool:
        """Whether this one is being made, and wanted."""
        return dialing in self._dialing

    @property
    def waiting(self) -> int:
        """How many requests wait here."""
        return self._waits

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._codecs)

    @property
    def is_alive(self) -> bool:
        """Whether there is anything of it yet: connections, or such as wait for one."""
        return bool(self._codecs or self._dialing or self.is_waited_for)

    def give_up_one(self) -> bool:
        """End a connection that is not in use, so that others may have theirs."""
        if self.is_waited_for:
            return False
        codec = next((one for one in chain(self._singles, self._shared) if one.is_idle and one.capacity), None)
        if codec is not None:
            codec.drain()
        return codec is not None

    def retire(self) -> None:
        """Its address is one of the destination no more, or is reached in another way: end what is not in use.

        What waits is served to its end.
        """
        self._is_retired = True
        for breaker in {id(one): one for one in (self._rules.breaker(), *self._codecs.values())}.values():
            breaker.left(self)
        for codec in tuple(self._codecs):
            codec.drain()

    def abandon(self) -> None:
        """End what waits, and what is being made."""
        for one in tuple(chain.from_iterable(self._waiting.values())):
            if self._forget(one):
                one.fail(Failure.CONNECT)
        for dialing, (_, breaker) in tuple(self._dialing.items()):
            del self._dialing[dialing]
            dialing.cancel()
            breaker.disconnected()

    # Inside.

    def _need(self, head: RequestHead) -> Need:
        if head.protocol:
            return Need.HTTP1
        return Need.HTTP2 if self._rules.is_http2 or head.version == "HTTP/2" else Need.ANY

    def _free(self, need: Need) -> ClientCodec | None:
        """A connection that takes a request now."""
        if need is not Need.HTTP2 or self._is_http1_alone:
            singles = self._singles
            while singles:
                codec = singles.pop()
                if codec.capacity:
                    return codec
        if need is not Need.HTTP1:
            for codec in self._shared:
                if codec.capacity:
                    return codec
        return None

    def _wait(self, need: Need, head: RequestHead, listener: ResponseListener) -> ClientStream:
        breaker = self._rules.breaker()
        one = Waiting(head, listener, self._gone)
        if breaker.connections.most == 0 or not breaker.pending.enter():
            self._rules.timers.call_later(0.0, lambda: one.fail(Failure.OVERFLOW))
            return one
        self._waiting[need][one] = breaker.pending
        self._waits += 1
        self._dial_more()
        return one

    def _dial_more(self) -> None:
        """One connection for each that waits, but of HTTP/2 one at a time: it takes many."""
        made = [need for need, _ in self._dialing.values()]
        for need in self._missing(made):
            breaker = self._rules.breaker()
            breaker.members[self] = None
            if not breaker.connect(self):
                return
            self._dialing[self._dial(self, need)] = need, breaker

    def _missing(self, made: list[Need]) -> Iterator[Need]:
        for need, queue in self._waiting.items():
            most = 1 if need is Need.HTTP2 and not self._is_http1_alone else len(queue)
            for _ in range(min(len(queue), most) - made.count(need)):
                yield need

    def _gone(self, one: Waiting) -> None:
        self._forget(one)

    def _forget(self, one: Waiting) -> bool:
        """Take it from those that wait; whether it was among them."""
        for queue in self._waiting.values():
            gate = queue.pop(one, None)
            if gate is not None:
                self._waits -= 1
                gate.leave()
                if not self._waits:
                    self._rules.breaker().starving.pop(self, None)
                return True
        return False
