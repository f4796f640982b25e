"""Bytes of a connection whose protocol nobody reads, both ways, with back-pressure and halves that end apart."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from meshproof.runtime.core.codec import Codec
from meshproof.runtime.core.messages import ConnectionRecord
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.flags import Flag
from meshproof.runtime.core.traffic.reaching import Plain
from meshproof.runtime.net.outbound_dial import Dialer, Wanted
from meshproof.runtime.net.outbound_link import Link


class RelayLink(Link):
    """A link one half of which can end."""

    __slots__ = ()

    def end(self) -> None:
        """Send no more, after what was written. TLS knows no half of an end: there the whole connection ends."""
        if self.is_tls:
            self.close()
        else:
            self.end_writing()


class Relay:
    """The codec of the near side, which somebody made to us. The far side is dialled when it begins."""

    def __init__(
        self, link: RelayLink, record: ConnectionRecord, clock: Callable[[], float], idle_seconds: float
    ) -> None:
        self.near = link
        self.record = record
        self._clock = clock
        self._idle = idle_seconds
        self._early: list[bytes] = []
        self._far: RelayLink | None = None
        self._task: object = None
        self._is_at_end = False
        self._is_over = False
        self.deadline = clock() + idle_seconds

    def begin(self, dialer: Dialer, address: Address) -> None:
        """Dial."""
        far = RelayLink(_FarEnds(self))
        self._task = dialer.dial(Wanted(address, Plain()), lambda: far, self._failed)

    @property
    def is_idle(self) -> bool:
        """Nobody knows."""
        return False

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes of the near side."""
        if self._is_over:
            return
        self.record.received += len(data)
        self.touch()
        if self._far is None:
            self._early.append(bytes(data))
            self.near.pause_reading()
        else:
            self._far.write(bytes(data))

    def eof(self) -> None:
        """The near side sends no more."""
        self._is_at_end = True
        if self._far is not None:
            self._far.end()

    def lost(self) -> None:
        """The near side has ended."""
        self._is_over = True
        self.deadline = inf
        if self._far is not None:
            self._far.close()

    def pause_writing(self) -> None:
        """The near side reads slowly."""
        if self._far is not None:
            self._far.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._far is not None:
            self._far.resume_reading()

    def expire(self) -> None:
        """Nothing has come for too long."""
        self._is_over = True
        self.deadline = inf
        self.near.abort()

    def drain(self) -> None:
        """Its ends say when it ends."""

    # What the far side tells.

    def connected(self, far: RelayLink) -> None:
        """The far side stands."""
        if self._is_over:
            far.abort()
            return
        self._far = far
        early, self._early = self._early, []
        for piece in early:
            far.write(piece)
        self.near.resume_reading()
        if self._is_at_end:
            far.end()

    def touch(self) -> None:
        """Something has come."""
        self.deadline = self._clock() + self._idle

    def _failed(self) -> None:
        self.record.flags = Flag.CONNECT_FAILURE
        self.near.abort()


class _FarEnds:
    """What the link of the far side is told."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def made(self, link: Link) -> Codec:
        """The codec of the far side."""
        assert isinstance(link, RelayLink)
        return _Far(self._relay, link)

    def lost(self, link: Link) -> None:
        """Its codec was told."""


class _Far:
    """The codec of the far side."""

    deadline = inf
    is_idle = False

    def __init__(self, relay: Relay, link: RelayLink) -> None:
        self._relay = relay
        self._link = link
        relay.connected(link)

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes of the far side."""
        relay = self._relay
        relay.record.sent += len(data)
        relay.touch()
        relay.near.write(bytes(data))

    def eof(self) -> None:
        """The far side sends no more."""
        self._relay.near.end()

    def lost(self) -> None:
        """The far side has ended."""
        self._relay.near.close()

    def pause_writing(self) -> None:
        """The far side reads slowly."""
        self._relay.near.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._relay.near.resume_reading()

    def expire(self) -> None:
        """It has no time of its own."""

    def drain(self) -> None:
        """Its ends say when it ends."""
