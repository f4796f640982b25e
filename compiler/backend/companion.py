"""Targets that judge a part of a policy for another one, behind what that one emits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from meshproof.compiler.ir.names import NodeName

PortOfService = tuple[NodeName, int]
"""A service, and a port that its workload listens at."""


@dataclass(frozen=True, slots=True)
class Companion:
    """The target `target` judges `ports`, whose connections come to it as callers sent them.

    Its files stand in `folder` below those of the target that names it. `file` is the one of them that the wiring of
    that target asks for.
    """

    target: str
    folder: str
    file: str
    ports: frozenset[PortOfService]


@runtime_checkable
class Accompanied(Protocol):
    """A lowering that hands a part of the policy over. The ports of its companions are apart from each other."""

    @property
    def companions(self) -> tuple[Companion, ...]:
        """Who judges what it does not judge itself."""
        ...


def companions_of(lowered: object) -> tuple[Companion, ...]:
    """The companions of a lowering: most have none."""
    return lowered.companions if isinstance(lowered, Accompanied) else ()


def handed_over(companions: tuple[Companion, ...]) -> frozenset[PortOfService]:
    """All ports that companions judge."""
    return frozenset(port for one in companions for port in one.ports)
