"""Trouble on purpose: `fault delay`, `fault abort`."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.routing import Fault
from meshproof.runtime.core.traffic.shares import is_hit


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to one request: it waits so long, and is then answered with a status instead of being sent."""

    delay_seconds: float = 0.0
    status: int | None = None


NONE = Trouble()


def trouble(fault: Fault, delay_draw: float, abort_draw: float) -> Trouble:
    """What falls on a request. Both are drawn apart, so one can come without the other."""
    delay = fault.delay_ms if fault.delay_ms and is_hit(fault.delay_percent, delay_draw) else 0
    status = fault.abort_status if is_hit(fault.abort_percent, abort_draw) else None
    return Trouble(delay / 1000, status) if delay or status is not None else NONE
