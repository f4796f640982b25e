"""Source text and places in it.

Everything that can be blamed carries a `Span`; a `SourceFile` turns spans into lines and columns.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters (not bytes) in a file, `start <= end`.

    `file` is the path as it should be shown: relative to the root of the policy, with forward slashes.
    """

    file: str
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`, which is in the same file."""
        return Span(self.file, self.start, other.end)


@dataclass(frozen=True, slots=True)
class Position:
    """A place for people: `line` and `column` count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The text of one file, kept because the tree does not hold it."""

    path: str
    text: str = field(repr=False)
    has_mark: bool = field(default=False, repr=False, compare=False)
    """Whether a byte order mark stood before the text."""
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0]
        position = self.text.find("\n")
        while position != -1:
            starts.append(position + 1)
            position = self.text.find("\n", position + 1)
        object.__setattr__(self, "_line_starts", tuple(starts))

    @property
    def content(self) -> bytes:
        """The bytes of the file, of which `text` is what they say; of a file that is no UTF-8 there is no text."""
        mark = "\N{ZERO WIDTH NO-BREAK SPACE}" if self.has_mark else ""
        return (mark + self.text).encode()

    def position(self, offset: int) -> Position:
        """The line and column of a character; an offset past the end is the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line end; empty past the last."""
        if not 1 <= number <= len(self._line_starts):
            return ""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end == -1 else end].removesuffix("\r")

    @property
    def line_count(self) -> int:
        """How many lines the file has; an empty file has one."""
        return len(self._line_starts)
