"""Names in messages: a few of them, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 4


def named(names: Iterable[str]) -> str:
    """`a`, `b` and `c`, each once; a long list ends in a count."""
    distinct = tuple(dict.fromkeys(names))
    shown = [f"`{name}`" for name in distinct[:_MOST]]
    if len(distinct) > _MOST:
        return f"{', '.join(shown)} and {len(distinct) - _MOST} more"
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
