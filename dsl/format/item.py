"""What the formatter lays out: rows of cells, some with a block in braces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

INDENT = "    "
WIDTH = 120
"""No line is longer if there is a place to break it."""

Cells: TypeAlias = Callable[[], tuple[str, ...]]

Region: TypeAlias = tuple[int, int]
"""A range of characters of the source."""


@dataclass(frozen=True, slots=True)
class Block:
    """Entries in braces. `region` is where they stand: from the end of what is before the brace to the closing one."""

    items: tuple[Item, ...]
    region: Region
    is_forced_open: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A statement or an entry of a block.

    `cells` makes its texts, which one blank joins; if they are too long for a line, it is broken between them (or
    between the `parts`, if there are any). Neighbours of one `kind` are aligned up to cell `aligned`. An item that
    `joins` stands on the line of its neighbour if that does so too.
    `regions` are the lists in braces within it, which keep their comments themselves.
    """

    place: Region
    cells: Cells
    kind: str = ""
    aligned: int = 0
    block: Block | None = None
    regions: tuple[Region, ...] = ()
    parts: Cells | None = None
    joins: bool = False


def fixed(*cells: str) -> Cells:
    """Cells that are always the same."""
    return lambda: cells


def indented(text: str) -> str:
    """Every line one step further in; an empty line stays empty."""
    return "\n".join(INDENT + line if line else line for line in text.split("\n"))
