"""Labels as marks on lines: which lines of a file are shown, and what is drawn under and beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import harmless, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.dsl.diagnostic import Label
    from meshproof.dsl.source import SourceFile

SHORT_BLOCK = 5
"""A marked block of at most so many lines is shown whole; of a longer one, its first and last line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to underline on one line: characters `start` to `end` (from 0), at least one."""

    line: int
    start: int
    end: int
    text: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Something to bracket at the side: lines `first` to `last`, ending at character `end` of the last one.

    `lane` counts brackets from the outside, so that blocks that overlap do not collide.
    """

    first: int
    last: int
    end: int
    text: str
    is_primary: bool
    lane: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The marked lines of one file."""

    marks: tuple[Mark, ...]
    blocks: tuple[Block, ...]

    @property
    def lanes(self) -> int:
        """How many brackets stand side by side."""
        return max((block.lane + 1 for block in self.blocks), default=0)

    @property
    def lines(self) -> tuple[int, ...]:
        """The numbers of the lines to show, ascending."""
        shown = {mark.line for mark in self.marks}
        for block in self.blocks:
            is_short = block.last - block.first < SHORT_BLOCK
            shown.update(range(block.first, block.last + 1) if is_short else (block.first, block.last))
        return tuple(sorted(shown))


def excerpt_of(labels: Sequence[Label], source: SourceFile) -> Excerpt:
    """The marks of the labels, all of which are in `source`."""
    marks: list[Mark] = []
    blocks: list[Block] = []
    for label in sorted(labels, key=lambda label: (label.span.start, -label.span.end, not label.is_primary)):
        first = source.position(label.span.start)
        last = source.position(max(label.span.start, label.span.end - 1))
        if first.line == last.line:
            end = max(last.column, first.column)
            marks.append(Mark(first.line, first.column - 1, end, label.text, label.is_primary))
        else:
            lane = _free_lane(blocks, first.line)
            blocks.append(Block(first.line, last.line, last.column, label.text, label.is_primary, lane))
    return Excerpt(tuple(marks), tuple(blocks))


def _free_lane(blocks: Sequence[Block], first: int) -> int:
    taken = {block.lane for block in blocks if block.last >= first}
    return next(lane for lane in range(len(blocks) + 1) if lane not in taken)


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A line as it is shown: made harmless, and cut where it is wider than the room for it."""

    text: str
    _columns: tuple[int, ...]

    def column(self, character: int) -> int:
        """The column in `text` (from 0) at which a character of the original line stands, or would stand."""
        if character < len(self._columns):
            return self._columns[character]
        return self._columns[-1] + character - len(self._columns) + 1


def visible_line(line: str, room: int, focus: int, cut: str) -> VisibleLine:
    """The line in at most `room` columns, with the character `focus` in sight; `cut` stands for what is left out."""
    cells = [harmless(character) for character in line]
    widths = [width_of(cell) for cell in cells]
    start, end = _window(widths, room - 2 * width_of(cut), min(focus, len(cells))) if sum(widths) > room else (0, None)
    before = cut if start else ""
    shown = cells[start:end]
    after = cut if end is not None and end < len(cells) else ""
    columns, column = [], width_of(before)
    limit = column + sum(widths[start:end])
    for index, width in enumerate(widths):
        columns.append(min(column, limit))
        if start <= index:
            column += width
    columns.append(min(column, limit))
    return VisibleLine(before + "".join(shown) + after, tuple(columns))


def _window(widths: Sequence[int], room: int, focus: int) -> tuple[int, int]:
    """The characters to keep: a third of the room goes to what is before the focus."""
    start, used = focus, 0
    while start > 0 and used + widths[start - 1] <= room // 3:
        start -= 1
        used += widths[start]
    end = start
    used = 0
    while end < len(widths) and used + widths[end] <= room:
        used += widths[end]
        end += 1
    while start > 0 and used + widths[start - 1] <= room:
        start -= 1
        used += widths[start]
    return start, end
