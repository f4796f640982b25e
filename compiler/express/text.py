"""The text of a policy from its parts, in the one layout, with comments where they help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.dsl.ast.declarations import Mesh
from meshproof.dsl.ast.document import Document
from meshproof.dsl.ast.routes import Route
from meshproof.dsl.ast.rules import MtlsStatement, Rule
from meshproof.dsl.format import format_document, format_source
from meshproof.dsl.source import SourceFile

if TYPE_CHECKING:
    from meshproof.compiler.express.policy import Part
    from meshproof.compiler.ir.names import Origin

Comments = Callable[["Origin"], tuple[str, ...]]
"""The lines that explain what stands at a place, without their `#`."""

_FEW = 2
"""A heading stands over so many statements at least, on average: else it says less than it takes room."""


def in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts as they are written: where headings help, those of one file together."""
    found: list[Part] = []
    for _, members in groupby(parts, key=_kind):
        section = tuple(members)
        files = _headings(section)
        if files:
            section = tuple(sorted(section, key=lambda part: files.index(part.origin.span.file)))
        found.extend(section)
    return tuple(found)


def text_of(parts: Sequence[Part], heading: str, comments: Comments) -> str:
    """The parts, which are in order, one after the other below a heading."""
    said = _Said(parts, comments)
    sections = [_section(tuple(members), said) for _, members in groupby(parts, key=_kind)]
    text = f"# {heading}\n\n" + "\n".join(sections)
    formatted = format_source(SourceFile("", text))
    return text if formatted.text is None else formatted.text


class _Said:
    """What is said about each part. A comment that rules or routes can have is not for what they are about."""

    def __init__(self, parts: Sequence[Part], comments: Comments) -> None:
        ordered = sorted(parts, key=lambda part: not isinstance(part.statement, Rule | Route | MtlsStatement))
        of_mesh = {part.origin for part in parts if isinstance(part.statement, Mesh)}
        self._lines = {id(part): comments(part.origin) for part in ordered if part.origin not in of_mesh}

    def __call__(self, part: Part) -> tuple[str, ...]:
        return self._lines.get(id(part), ())


def _kind(part: Part) -> type:
    return type(part.statement)


def _headings(section: Sequence[Part]) -> tuple[str, ...]:
    """The files to be named in headings; none where that does not help."""
    files = tuple(dict.fromkeys(part.origin.span.file for part in section))
    return files if 1 < len(files) <= len(section) // _FEW else ()


def _section(section: Sequence[Part], said: _Said) -> str:
    if not _headings(section):
        return "\n".join(_pieces(section, said))
    found: list[str] = []
    for file, members in groupby(section, key=lambda part: part.origin.span.file):
        found.append(f"# from {file}\n\n" + "\n".join(_pieces(tuple(members), said)))
    return "\n".join(found)


def _pieces(section: Sequence[Part], said: _Said) -> Iterator[str]:
    """The statements; those that are explained, and the rules about other destinations, stand apart."""
    for _, members in groupby(section, key=_place):
        plain: list[Part] = []
        for part in members:
            lines = said(part)
            if lines:
                yield from _together(plain)
                plain = []
                yield "".join(f"# {line}".rstrip() + "\n" for line in lines) + _statements((part,))
            else:
                plain.append(part)
        yield from _together(plain)


def _place(part: Part) -> object:
    return part.statement.destinations if isinstance(part.statement, Rule) else None


def _together(parts: Sequence[Part]) -> Iterator[str]:
    if parts:
        yield _statements(parts)


def _statements(parts: Sequence[Part]) -> str:
    return format_document(Document(tuple(part.statement for part in parts)))
