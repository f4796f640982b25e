"""Segment patterns of the language: `/a/*/{name}/**` (language.md, "Rules").

A literal stands for itself; `*` or `{name}` for exactly one segment that is not empty; `**`, last, for any rest:
`/admin/**` is `/admin`, `/admin/` and all below. `/x` and `/x/` differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.compiler.patterns import charset
from meshproof.compiler.patterns.normal_form import segment_fault
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.regular import ANY_TEXT, Chars, Concat, Node, Repeat, concat, literal, optional

_VARIABLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_NOT_SLASH = Chars(charset.complement(charset.of("/")))


@dataclass(frozen=True, slots=True)
class SegmentPattern:
    """The segments in order, None for any single one; the last may be empty (a last slash). `has_rest`: then `**`."""

    segments: tuple[str | None, ...]
    has_rest: bool = False

    def __str__(self) -> str:
        """The pattern as it is written, each variable as `*`."""
        parts = ["*" if segment is None else segment for segment in self.segments]
        return "/" + "/".join([*parts, "**"] if self.has_rest else parts)

    def matches(self, text: str) -> bool:
        """Whether the whole path matches. On what is no normal path, segments are what stands between slashes."""
        if not text.startswith("/"):
            return False
        given = text[1:].split("/")
        wanted = self.segments
        if len(given) < len(wanted) or (len(given) > len(wanted) and not self.has_rest):
            return False
        return all(
            bool(piece) if segment is None else piece == segment for segment, piece in zip(wanted, given, strict=False)
        )

    def expression(self) -> Node:
        """The pattern as a regular expression over all strings."""
        if self.has_rest and not self.segments:
            return concat(literal("/"), ANY_TEXT)
        parts: list[Node] = []
        for segment in self.segments:
            parts += [literal("/"), Repeat(_NOT_SLASH, 1, None) if segment is None else literal(segment)]
        if self.has_rest:
            parts.append(optional(concat(literal("/"), ANY_TEXT)))
        return Concat(tuple(parts))


def parse_segments(text: str) -> SegmentPattern:
    """Read a pattern; raises PatternRefused with the character if it has no meaning or could match no normal path."""
    if not text.startswith("/"):
        raise PatternRefused("a path begins with `/`")
    pieces = text[1:].split("/")
    segments: list[str | None] = []
    position = 1
    for index, piece in enumerate(pieces):
        is_last = index == len(pieces) - 1
        if piece == "**":
            if not is_last:
                raise PatternRefused("`**` stands last", position)
            return SegmentPattern(tuple(segments), has_rest=True)
        segments.append("" if is_last and not piece else _segment(piece, position))
        position += len(piece) + 1
    return SegmentPattern(tuple(segments))


def _segment(piece: str, position: int) -> str | None:
    if piece == "*" or _VARIABLE.fullmatch(piece):
        return None
    for offset, char in enumerate(piece):
        if char == "*":
            raise PatternRefused("`*` stands for a whole segment", position + offset)
        if char in "{}":
            raise PatternRefused("`{name}` stands for a whole segment", position + offset)
    fault = segment_fault(piece)
    if fault is not None:
        raise PatternRefused(fault[0], position + fault[1])
    return piece
