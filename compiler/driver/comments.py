"""Comments of foreign files that explain what stands below them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshproof.compiler.ir.names import Origin
    from meshproof.dsl.source import SourceFile

_COMMENT = re.compile(r"[ \t]*#+[ \t]?(.*)")
_SEPARATOR = re.compile(r"---(\s|$)")
_LONGEST = 8
"""A block of more lines is a licence, or a text about something else."""

_WIDEST = 160
"""A longer line was written by a program."""
_NOISE = re.compile(
    r"source: .*|\[(start|end) .*|[-=#*~_ ]*"
    r"|.*\b(copyright|licen[sc]e|spdx|apache|generated|do not edit|yamllint|checkov|kics)\b.*",
    re.IGNORECASE,
)
_CODE = re.compile(r"[\w.-]+:(\s.*)?|- .*")
"""What is commented out explains nothing."""


class Comments:
    """Tells the comment above a place, and of the first place in a document the one at its top; each once."""

    def __init__(self, sources: Mapping[str, SourceFile]) -> None:
        self._sources = sources
        self._lines: dict[str, Sequence[str]] = {}
        self._told: set[tuple[str, int]] = set()

    def __call__(self, origin: Origin) -> tuple[str, ...]:
        """The lines that explain what stands there, without their `#`."""
        source = self._sources.get(origin.span.file)
        if source is None:
            return ()
        lines = self._lines.setdefault(source.path, source.text.split("\n"))
        number = source.position(origin.span.start).line - 1
        top = next((at for at in range(number, 0, -1) if _SEPARATOR.match(lines[at - 1])), 0)
        found = [*self._block(source.path, lines, _first_line(lines, top)), *self._block(source.path, lines, number)]
        return tuple(found)

    def _block(self, path: str, lines: Sequence[str], number: int) -> tuple[str, ...]:
        """The comment that ends on the line before, unless it was told before or says nothing."""
        if (path, number) in self._told:
            return ()
        self._told.add((path, number))
        block = tuple(reversed(tuple(_above(lines, number))))
        is_plain = all(line.isprintable() and len(line) <= _WIDEST for line in block)
        kept = tuple(line for line in block if not _NOISE.fullmatch(line) and not _CODE.fullmatch(line))
        return kept if is_plain and len(block) <= _LONGEST and len(kept) == len([one for one in block if one]) else ()


def _first_line(lines: Sequence[str], top: int) -> int:
    """The first line of a document that is no comment."""
    return next((at for at in range(top, len(lines)) if lines[at].strip() and not _COMMENT.fullmatch(lines[at])), top)


def _above(lines: Sequence[str], number: int) -> Iterator[str]:
    for at in range(number - 1, -1, -1):
        found = _COMMENT.fullmatch(lines[at])
        if found is None:
            return
        yield found[1].strip()
