"""Did you mean: the known name that is closest to one that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST_PART = 3
"""One or two letters begin too many names to tell which one is meant."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name within one slip for every three letters (one at least, three at most); of equals the first.

    A slip is a letter too much, too few, wrong, or swapped with its neighbour (optimal string alignment). Where no name
    is as close, it is the one name that begins with the given one, or that the given one begins with.
    """
    wanted = name.lower()
    limit = min(3, max(1, len(wanted) // 3))
    names = sorted(set(known) - {name})
    near = ((distance(wanted, one.lower(), limit), one) for one in names if abs(len(one) - len(wanted)) <= limit)
    best = min((found for found in near if found[0] <= limit), default=None)
    return _only_extension(wanted, names) if best is None else best[1]


def _only_extension(wanted: str, names: list[str]) -> str | None:
    if len(wanted) < _SHORTEST_PART:
        return None
    related = [one for one in names if one.lower().startswith(wanted) or _begins(one.lower(), wanted)]
    return related[0] if len(related) == 1 else None


def _begins(start: str, text: str) -> bool:
    return len(start) >= _SHORTEST_PART and text.startswith(start)


def distance(left: str, right: str, limit: int) -> int:
    """The number of slips between two texts; any number above `limit` where it is above."""
    before_last: list[int] = []
    last = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(last) > limit:
            return limit + 1
        before_last, last = last, row
    return last[-1]
