"""Durations as Istio writes them."""

from __future__ import annotations

_SECOND = 1000


def duration(milliseconds: int) -> str:
    """Whole milliseconds as `2s` or `1500ms`."""
    return f"{milliseconds // _SECOND}s" if milliseconds % _SECOND == 0 else f"{milliseconds}ms"
