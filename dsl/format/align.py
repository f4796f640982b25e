"""Putting the cells of neighbouring rows under each other."""

from __future__ import annotations

from collections.abc import Sequence

MAX_PADDING = 20
"""Cells are put under each other if that takes no more blanks than this."""


def align(rows: Sequence[Sequence[str]], columns: int, width: int) -> list[str]:
    """Each row as a line, with as many of the first `columns` cells padded as no line gets longer than `width` by."""
    for padded_columns in range(columns, -1, -1):
        padded = _padded([list(row) for row in rows], 0, padded_columns)
        lines = [" ".join(row).rstrip() for row in padded]
        if padded_columns == 0 or max(map(len, lines)) <= width:
            return lines
    raise AssertionError("without a padded column it always fits")


def _padded(rows: list[list[str]], column: int, columns: int) -> list[list[str]]:
    """The rows with cells padded from a column on: among neighbours that are under each other so far."""
    if column == columns:
        return rows
    result: list[list[str]] = []
    for run in _runs(rows, column):
        width = max((len(row[column]) for row in run if _has_more(row, column)), default=0)
        for row in run:
            if _has_more(row, column):
                row[column] = row[column].ljust(width)
        result += _padded(run, column + 1, columns)
    return result


def _runs(rows: list[list[str]], column: int) -> list[list[list[str]]]:
    """Neighbours whose cells in a column are of about one length; a row that ends there fits anywhere."""
    runs: list[list[list[str]]] = []
    shortest = longest = 0
    for row in rows:
        if runs and not _has_more(row, column):
            runs[-1].append(row)
            continue
        length = len(row[column]) if column < len(row) else 0
        is_first = not runs or not any(_has_more(other, column) for other in runs[-1])
        low, high = (length, length) if is_first else (min(shortest, length), max(longest, length))
        if runs and high - low <= MAX_PADDING:
            runs[-1].append(row)
        else:
            runs.append([row])
            low = high = length
        shortest, longest = low, high
    return runs


def _has_more(row: list[str], column: int) -> bool:
    return len(row) > column + 1
