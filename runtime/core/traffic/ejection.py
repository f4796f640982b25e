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
        """Those that are left out, the first to return first."""
        return tuple(self._ejected)

    @property
    def next_return(self) -> float | None:
        """When the next one returns."""
        return self._ejected[0].ejected_until if self._ejected else None

    def watch(self, members: Sequence[Endpoint]) -> bool:
        """The endpoints are these now; whether some that were left out are back, because fewer may be left out."""
        self._members = tuple(members)
        kept = set(map(id, self._members))
        for gone in [one for one in self._ejected if id(one) not in kept]:
            self._ejected.remove(gone)
        before = len(self._ejected)
        while len(self._ejected) > self._most():
            self._readmit(self._ejected[0])
        return len(self._ejected) < before

    def succeeded(self, endpoint: Endpoint) -> None:
        """Its row of errors has ended."""
        endpoint.failures = 0

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
        before = len(self._ejected)
        while self._ejected and (until := self._ejected[0].ejected_until) is not None and until <= now:
            self._readmit(self._ejected[0])
        return len(self._ejected) < before

    def _readmit(self, endpoint: Endpoint) -> None:
        self._ejected.remove(endpoint)
        endpoint.ejected_until = None
        endpoint.failures = 0

    def _most(self) -> int:
        return 0 if self._settings is None else len(self._members) * self._settings.percent // _WHOLE
