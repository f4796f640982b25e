"""Loopback addresses for one run: Linux has sixteen million, so that every workload has one of its own.

Runs at the same time (of several workers, or of several people) keep off each other's ground: who has bound the
ground's last address owns it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import IntEnum

PLOT = 20
FIRST, END = 32, 192  # callers come from 127.1 to 127.11 and from 127.192


class Use(IntEnum):
    """What part of a ground is for. `FLEET` and `SCENES` have five parts each."""

    FLEET = 0
    SCENES = 5
    CHAIN = 10
    BACK = 11
    FRONT = 12
    AUTHORIZERS = 13
    APP_MESH = 14


@dataclass(frozen=True, slots=True)
class Ground:
    """A range of addresses; `claim` is the socket that owns it."""

    base: int
    claim: socket.socket

    def host(self, use: Use, number: int, index: int = 1) -> str:
        """The address of the `index`th thing of the `number`th mesh."""
        return f"127.{self.base + use + number // 200}.{number % 200 + 1}.{index}"


def take_ground() -> Ground | None:
    """A ground that nobody else has; None where there are no such addresses, as on macOS."""
    for base in range(FIRST, END, PLOT):
        claim = socket.socket()
        try:
            claim.bind((f"127.{base}.255.254", 45999))
        except OSError:
            claim.close()
        else:
            return Ground(base, claim)
    return None
