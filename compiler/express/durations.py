"""Lengths of time as people write them."""

from __future__ import annotations

from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.dsl.ast.values import Duration, DurationUnit

_UNITS = ((3_600_000, DurationUnit.HOUR), (60_000, DurationUnit.MINUTE), (1000, DurationUnit.SECOND))
_LONGEST_SECONDS = 120_000
"""Up to two minutes people count in seconds."""


def duration(milliseconds: int) -> Duration:
    """The length in the largest unit that says it whole. Raises InexpressibleError for no time at all."""
    if milliseconds <= 0:
        raise InexpressibleError("it has a length of time that is none")
    if milliseconds % 1000 == 0 and milliseconds <= _LONGEST_SECONDS:
        return Duration(milliseconds // 1000, DurationUnit.SECOND)
    for size, unit in _UNITS:
        if milliseconds % size == 0:
            return Duration(milliseconds // size, unit)
    return Duration(milliseconds, DurationUnit.MILLISECOND)
