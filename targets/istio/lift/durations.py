"""Durations as Istio's objects write them, in the syntax of Go: `1h30m`, `1.5s`, `250ms`."""

from __future__ import annotations

import re
from fractions import Fraction

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def milliseconds(text: str) -> int | None:
    """Whole milliseconds, rounded down; None where it is no duration, or a negative one."""
    rest = text.removeprefix("+")
    if rest == "0":
        return 0
    total = Fraction(0)
    position = 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            return None
        total += Fraction(part[1] if part[1][0] != "." else f"0{part[1]}") * _NANOSECONDS[part[2]]
        position = part.end()
    return None if not rest else int(total / 1_000_000)
