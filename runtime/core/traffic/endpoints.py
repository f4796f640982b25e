"""Where a destination listens, and what is known of each such place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True, eq=False)
class Endpoint:
    """One address of one version (None: of no version by name). Two with the same address are still two.

    `failures` is the number of errors in a row; `ejected_until` is a time of the clock that is passed in.
    """

    address: Address
    version: str | None = None
    active: int = 0
    failures: int = 0
    ejected_until: float | None = None

    @property
    def is_ejected(self) -> bool:
        """Whether it is left out now."""
        return self.ejected_until is not None
