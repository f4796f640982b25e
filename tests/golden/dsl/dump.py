"""A tree as text that a person can read the difference of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.operations import AnySegment, LiteralSegment, PathPattern
from meshproof.dsl.ast.values import Name, Number, Text
from meshproof.dsl.source import SourceFile, Span


def dump(node: Node, source: SourceFile) -> str:
    """Every node on a line of its own with its place, its parts below it; what is empty is left out."""
    return "\n".join(_lines("", node, source)) + "\n"


def _lines(label: str, value: object, source: SourceFile, depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    match value:
        case Name(text) | Text(text):
            yield f"{indent}{label}{type(value).__name__} {text!r} {_place(value, source)}"
        case Number(number):
            yield f"{indent}{label}Number {number} {_place(value, source)}"
        case PathPattern():
            yield f"{indent}{label}Path {_segments(value)} {_place(value, source)}"
        case Node():
            yield f"{indent}{label}{type(value).__name__} {_place(value, source)}"
            for field in fields(value):
                yield from _field(field.name, getattr(value, field.name), source, depth + 1)
        case _:
            yield f"{indent}{label}{value!s}"


def _field(name: str, value: object, source: SourceFile, depth: int) -> Iterator[str]:
    if isinstance(value, Span) or value is None or value in ((), False):
        return
    for item in value if isinstance(value, tuple) else (value,):
        yield from _lines(f"{name}: ", item, source, depth)


def _segments(path: PathPattern) -> str:
    shown = [repr(segment.text) for segment in path.segments if isinstance(segment, LiteralSegment)]
    if len(shown) < len(path.segments):
        shown = [
            repr(segment.text) if isinstance(segment, LiteralSegment) else _any(segment) for segment in path.segments
        ]
    return "/".join([*shown, *(["**"] if path.has_rest else [])])


def _any(segment: AnySegment) -> str:
    return "any" if segment.name is None else f"any({segment.name})"


def _place(node: Node, source: SourceFile) -> str:
    if node.span == Span("", 0, 0):
        return "(nowhere)"
    start, end = source.position(node.span.start), source.position(node.span.end)
    return f"({start.line}:{start.column}-{end.line}:{end.column})"
