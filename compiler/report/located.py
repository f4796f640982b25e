"""Places as other tools know them: files by their path in the repository, lines and columns from 1."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.source import Span

_NO_FILE = "<"


@dataclass(frozen=True, slots=True)
class Located:
    """A range in a file; the end is the first column that is not part of it."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


def located(span: Span | None, report: Report) -> Located | None:
    """The place of a span; None where there is none, and for what stands in no file (a question, stdin)."""
    if span is None or not span.file or span.file.startswith(_NO_FILE):
        return None
    path = posixpath.normpath(posixpath.join(report.folder, span.file))
    source = report.sources.get(span.file)
    if source is None:
        return Located(path, 1, 1, 1, 1)
    start, end = source.position(span.start), source.position(span.end)
    return Located(path, start.line, start.column, end.line, end.column)
