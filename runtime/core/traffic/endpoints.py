"""Where a destination listens, and what is known of each such place."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.runtime.core.messages import Upstream


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True, eq=False)
class Endpoint:
    """One address of one version (None: of no version by name), and the connections to it.

    `name` is the address as logs have it, `failures` is the number of errors in a row, and `ejected_until` a time of
    the clock that is passed in.
    """

    address: Address
    version: str | None
    upstream: Upstream
    name: str = ""
    active: int = 0
    failures: int = 0
    ejected_until: float | None = None

    def __post_init__(self) -> None:
        self.name = self.name or str(self.address)

    @property
    def is_ejected(self) -> bool:
        """Whether it is left out now."""
        return self.ejected_until is not None
