"""Outlier ejection: endpoints that fail again and again are left out for a while."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.compiler.ir.routing import Ejection
from meshproof.runtime.core.traffic.endpoints import Endpoint

_WHOLE = 100


class Ejector:
    """Ejects after so many errors in a row, for the time of the policy, and never more than its share of all.

    The share is of the endpoints of the destination as a whole, rounded down: half of one endpoint is none.
    """

    __slots__ = ("_ejected", "_members", "_settings", "ejections")

    def __init__(self, settings: Ejection | None) -> None:
        self._settings = settings
        self._members: tuple[Endpoint, ...] = ()
        self._ejected: list[Endpoint] = []
        self.ejections = 0

    @property
    def ejected(self) -> tuple[Endpoint, ...]:
        """Those that are left out."""
        return tuple(self._ejected)

    @property
    def next_return(self) -> float | None:
        """When the next one returns."""
        return min((_until(one) for one in self._ejected), default=None)

    def adopt(self, settings: Ejection | None) -> None:
        """Other settings hold from here on; whoever is left out stays so until its time is over, if it may."""
        self._settings = settings
        self.watch(self._members)

    def watch(self, members: Sequence[Endpoint]) -> None:
        """The endpoints are these now. Of fewer, fewer may be left out: the first to return are back at once."""
        self._members = tuple(members)
        kept = set(map(id, self._members))
        for gone in [one for one in self._ejected if id(one) not in kept]:
            self._ejected.remove(gone)
        while len(self._ejected) > self._most():
            self._readmit(min(self._ejected, key=_until))

    def failed(self, endpoint: Endpoint, now: float) -> bool:
        """One more error in its row; whether it is ejected for it."""
        settings = self._settings
        if settings is None or endpoint.is_ejected:
            return False
        endpoint.failures += 1
        if endpoint.failures < max(settings.errors, 1) or len(self._ejected) >= self._most():
            return False
        if not any(one is endpoint for one in self._members):
            return False
        endpoint.ejected_until = now + settings.for_ms / 1000
        self._ejected.append(endpoint)
        self.ejections += 1
        return True

    def readmit(self, now: float) -> bool:
        """Let those in again whose time is over; whether there were any."""
        back = [one for one in self._ejected if _until(one) <= now]
        for one in back:
            self._readmit(one)
        return bool(back)

    def _readmit(self, endpoint: Endpoint) -> None:
        self._ejected.remove(endpoint)
        endpoint.ejected_until = None
        endpoint.failures = 0

    def _most(self) -> int:
        return 0 if self._settings is None else len(self._members) * self._settings.percent // _WHOLE


def _until(endpoint: Endpoint) -> float:
    return 0.0 if endpoint.ejected_until is None else endpoint.ejected_until
