"""A place in a source text as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshproof.compiler.ir.json_text import Json
    from meshproof.dsl.source import SourceFile, Span


def place_json(span: Span, sources: Mapping[str, SourceFile]) -> dict[str, Json]:
    """Path, line and column, both from 1; these are null where the text is not known."""
    source = sources.get(span.file)
    position = source.position(span.start) if source else None
    return {
        "path": span.file,
        "line": position.line if position else None,
        "column": position.column if position else None,
    }


NOWHERE: dict[str, Json] = {"path": None, "line": None, "column": None}
"""What stands for a place where there is none."""
