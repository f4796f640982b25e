"""What a benchmark is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to time: `run` does it once; `goal` is the most seconds of CPU that it should take."""

    name: str
    run: Callable[[], object]
    goal: float | None = None
