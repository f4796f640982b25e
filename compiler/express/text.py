"""The text of a policy from its parts, in the one layout, with comments where they help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.dsl.ast.document import Document
from meshproof.dsl.format import format_document, format_source
from meshproof.dsl.source import SourceFile

if TYPE_CHECKING:
    from meshproof.compiler.express.policy import Part
    from meshproof.compiler.ir.names import Origin

_FEW = 2
"""A heading stands over so many statements at least, on average: else it says less than it takes room."""


def text_of(parts: Sequence[Part], comments: Callable[[Origin], tuple[str, ...]]) -> str:
    """The parts one after the other; those of one kind together, by the file that they come from."""
    blocks = [_section(tuple(members), comments) for _, members in groupby(parts, key=lambda one: type(one.statement))]
    text = "\n".join(blocks)
    formatted = format_source(SourceFile("imported.mesh", text))
    return text if formatted.text is None else formatted.text


def _section(parts: Sequence[Part], comments: Callable[[Origin], tuple[str, ...]]) -> str:
    files = dict.fromkeys(part.origin.span.file for part in parts)
    if len(files) == 1 or len(files) * _FEW > len(parts):
        return _lines(parts, comments)
    sections = []
    for file in files:
        own = [part for part in parts if part.origin.span.file == file]
        sections.append(f"# from {file}\n{_lines(own, comments)}")
    return "\n".join(sections)


def _lines(parts: Sequence[Part], comments: Callable[[Origin], tuple[str, ...]]) -> str:
    """The statements; those that are explained stand apart."""
    found: list[str] = []
    plain: list[Part] = []
    for part in parts:
        said = comments(part.origin)
        if said:
            found.extend(_together(plain))
            plain = []
            found.append("".join(f"# {line}".rstrip() + "\n" for line in said) + _statements((part,)))
        else:
            plain.append(part)
    found.extend(_together(plain))
    return "\n".join(found)


def _together(parts: Sequence[Part]) -> list[str]:
    return [_statements(parts)] if parts else []


def _statements(parts: Sequence[Part]) -> str:
    return format_document(Document(tuple(part.statement for part in parts)))
