"""What a target does not enforce of what it was asked to compile, and what callers have to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Residual:
    """One point: its number in the target's list, what is not enforced, and the names concerned in order."""

    code: str
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Dial:
    """A caller reaches a port of a service, which the policy calls `port`, by another number: `dials`.

    `caller` is its identity.
    """

    service: str
    port: int
    caller: str
    dials: int


@runtime_checkable
class LeavesResiduals(Protocol):
    """The optional part of what a target has lowered: what is told with every compile."""

    @property
    def residuals(self) -> tuple[Residual, ...]:
        """What the target does not enforce, in the order of its list."""
        ...

    @property
    def dials(self) -> tuple[Dial, ...]:
        """Who dials another number than the policy says, in order."""
        ...
