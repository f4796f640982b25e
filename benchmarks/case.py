"""What a benchmark is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class Skipped(Exception):  # noqa: N818  it is an outcome
    """`cases` raises it where what a file needs is not there, with the reason."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to time: `run` does it once; `goal` is the most seconds of CPU that it should take.

    With `is_own_time`, `run` returns the seconds that count, because what it starts does more than the work. A case
    with `rounds` runs so often and not once before. `beside` names a case that takes longer, `times` is how often as
    long it should take at least. What `is_full` runs with `--full` alone.
    """

    name: str
    run: Callable[[], object]
    goal: float | None = None
    is_own_time: bool = False
    rounds: int | None = None
    beside: str | None = None
    times: float | None = None
    is_full: bool = False
