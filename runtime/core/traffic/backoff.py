"""How long to wait before the next attempt."""

from __future__ import annotations

BASE_SECONDS = 0.025
MOST_SECONDS = 0.25


def pause(retry: int, draw: float, base: float = BASE_SECONDS, most: float = MOST_SECONDS) -> float:
    """Seconds before retry number `retry` (from 1): anything up to a bound that doubles, so that nobody is in step."""
    doubled = base * (1 << min(retry, 16))
    return min(most, doubled - base) * draw
