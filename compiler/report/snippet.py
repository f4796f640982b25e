"""Source lines with labels drawn on them, after rustc.

```
  ┌─ payments.mesh:41:1
38│ deny no-dev: dev -> all
  │ ----------------------- every request it matches is refused here
41│ allow reports: dev -> ledger:http { GET /reports/** }
  │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
```
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Look, Style, harmless, width_of, wrapped
from meshproof.compiler.report.marks import Block, Excerpt, Mark, VisibleLine, excerpt_of, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshproof.dsl.diagnostic import Label
    from meshproof.dsl.source import SourceFile

NARROWEST = 24
"""Text beside or below a mark gets at least so many columns."""

LONGEST_LINE = 400
"""Where lines are not broken, a longer source line is still cut: nobody reads it, and it may be a megabyte."""


def gutter_of(labels: Sequence[Label], sources: Mapping[str, SourceFile]) -> int:
    """How many columns the line numbers of the labels take, and two at least."""
    numbers = [
        source.position(offset).line
        for label in labels
        if (source := sources.get(label.span.file)) is not None
        for offset in (label.span.start, label.span.end)
    ]
    return max(2, *(len(str(number)) for number in numbers)) if numbers else 2


def snippet(labels: Sequence[Label], sources: Mapping[str, SourceFile], style: Style, look: Look) -> Iterator[str]:
    """The lines of a snippet: one excerpt a file, the primary label's first. Files whose text is unknown are named."""
    gutter = gutter_of(labels, sources)
    primary = next((label for label in labels if label.is_primary), labels[0])
    files = sorted({label.span.file for label in labels}, key=lambda file: (file != primary.span.file, file))
    for file in files:
        here = [label for label in labels if label.span.file == file]
        source = sources.get(file)
        lead = next((label for label in here if label is primary), here[0])
        if source is not None and not source.text and not any(label.text for label in here):
            source = None  # a file that could not be read, or has nothing in it: there is no line to point at
        yield _place(lead, source, gutter, look)
        if source is not None:
            yield from _Drawing(excerpt_of(here, source), source, gutter, style, look).rows()


def _place(label: Label, source: SourceFile | None, gutter: int, look: Look) -> str:
    place = harmless(label.span.file)
    if source is not None:
        position = source.position(label.span.start)
        place = f"{place}:{position.line}:{position.column}"
    return " " * gutter + look.paint(look.glyphs.corner, Style.FRAME) + " " + place


@dataclass(frozen=True, slots=True)
class _Drawing:
    excerpt: Excerpt
    source: SourceFile
    gutter: int
    style: Style
    look: Look

    def rows(self) -> Iterator[str]:
        shown = self.excerpt.lines
        for index, number in enumerate(shown):
            if index and number > shown[index - 1] + 1:
                yield (self._frame("", self.look.glyphs.gap) + self._lanes(number, is_gap=True)).rstrip()
            yield from self._line(number)

    def _line(self, number: int) -> Iterator[str]:
        marks = [mark for mark in self.excerpt.marks if mark.line == number]
        ends = [block for block in self.excerpt.blocks if block.last == number]
        focus = min([mark.start for mark in marks] or [block.end - 1 for block in ends] or [0])
        line = visible_line(self.source.line(number), self._room, focus, self.look.glyphs.cut)
        yield (self._frame(str(number)) + self._lanes(number) + line.text).rstrip()
        behind = self._frame() + self._lanes(number, is_below=True)
        for row in self._underlines(marks, line):
            yield (behind + row).rstrip()
        for block in sorted(ends, key=lambda block: -block.lane):
            yield from self._closing(block, line)

    @property
    def _room(self) -> int:
        width = self.look.width
        return LONGEST_LINE if width is None else max(width - self._left, 20)

    @property
    def _left(self) -> int:
        return self.gutter + 2 + 2 * self.excerpt.lanes

    def _frame(self, number: str = "", bar: str | None = None) -> str:
        return self.look.paint(number.rjust(self.gutter) + (bar or self.look.glyphs.bar), Style.FRAME) + " "

    def _lanes(self, number: int, *, is_gap: bool = False, is_below: bool = False) -> str:
        """The brackets beside a line; below it, those that begin there have begun."""
        cells = ["  "] * self.excerpt.lanes
        for block in self.excerpt.blocks:
            if block.first == number and not is_gap and not is_below:
                cells[block.lane] = self._paint(self.look.glyphs.top, block) + " "
            elif block.first < number <= block.last or (is_below and block.first == number):
                cells[block.lane] = self._paint(self.look.glyphs.bar, block) + " "
        return "".join(cells)

    def _closing(self, block: Block, line: VisibleLine) -> Iterator[str]:
        glyphs = self.look.glyphs
        lanes = ["  "] * self.excerpt.lanes
        for other in self.excerpt.blocks:
            if other.first < block.last and (
                other.last > block.last or (other.last == block.last and other.lane < block.lane)
            ):
                lanes[other.lane] = self._paint(glyphs.bar, other) + " "
        across = 2 * (self.excerpt.lanes - block.lane) - 1 + max(line.column(block.end - 1), 0)
        bracket = glyphs.bottom + glyphs.across * across + ("^" if block.is_primary else "-")
        width = 2 * block.lane + across + 2
        yield from self._beside("".join(lanes[: block.lane]) + self._paint(bracket, block), width, block)

    def _underlines(self, marks: Sequence[Mark], line: VisibleLine) -> Iterator[str]:
        if not marks:
            return
        placed = [
            (line.column(mark.start), max(line.column(mark.end), line.column(mark.start) + 1), mark) for mark in marks
        ]
        last = max(placed, key=lambda item: (item[0], item[1]))
        is_inline = all(end <= last[1] for _, end, _ in placed) and self._fits(last[1], last[2].text)
        cells = self._marker_row(placed)
        if is_inline and last[2].text:
            cells += " " + self._paint(harmless(last[2].text), last[2])
        yield cells
        hanging = [item for item in placed if item[2].text and not (is_inline and item is last)]
        hanging.sort(key=lambda item: (-item[0], item[2].is_primary))
        if hanging:
            yield self._connectors(hanging)
        for index, (start, _, mark) in enumerate(hanging):
            before = [item for item in hanging[index + 1 :] if item[0] < start]
            prefix = self._connectors(before, start)
            yield from self._hanging(prefix, start, mark)

    def _marker_row(self, placed: Sequence[tuple[int, int, Mark]]) -> str:
        owners: list[Mark | None] = [None] * max(end for _, end, _ in placed)
        for start, end, mark in sorted(placed, key=lambda item: item[2].is_primary):
            owners[start:end] = [mark] * (end - start)
        runs = ((mark, len(list(run))) for mark, run in groupby(owners))
        return "".join(
            " " * size if mark is None else self._paint(("^" if mark.is_primary else "-") * size, mark)
            for mark, size in runs
        )

    def _connectors(self, placed: Sequence[tuple[int, int, Mark]], width: int = 0) -> str:
        cells: list[str] = [" "] * width
        for start, _, mark in placed:
            cells.extend(" " * (start + 1 - len(cells)))
            cells[start] = self._paint(self.look.glyphs.bar, mark)
        return "".join(cells)

    def _fits(self, column: int, text: str) -> bool:
        return self.look.width is None or column + 1 + width_of(text) <= self._room

    def _hanging(self, prefix: str, start: int, mark: Mark) -> Iterator[str]:
        """The text of a mark below it; far to the right of a narrow terminal it moves left, over other connectors."""
        room = None if self.look.width is None else self._room
        if room is not None and start + NARROWEST > room:
            start = max(room - NARROWEST, 0)
            prefix = " " * start
        for row in wrapped(harmless(mark.text), room, " " * start).split("\n"):
            yield prefix + self._paint(row.strip(), mark)

    def _beside(self, bracket: str, width: int, block: Block) -> Iterator[str]:
        """A bracket of `width` columns and the text of its block behind it, or below where there is no room."""
        column = width + 1
        room = None if self.look.width is None else self._room + 2 * self.excerpt.lanes
        if room is not None and column + NARROWEST > room:
            yield self._frame() + bracket
            column = 2 * block.lane + 4
            bracket = " " * (column - 1)
        for index, row in enumerate(wrapped(harmless(block.text), room, " " * column).split("\n")):
            start = bracket if index == 0 else " " * (column - 1)
            yield f"{self._frame()}{start} {self._paint(row.strip(), block)}".rstrip()

    def _paint(self, text: str, mark: Mark | Block) -> str:
        return self.look.paint(text, self.style if mark.is_primary else Style.SECONDARY)
