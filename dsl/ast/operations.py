"""What is asked of a destination: methods, paths and gRPC calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshproof.dsl.ast.node import Node


@dataclass(frozen=True, slots=True)
class LiteralSegment:
    """One segment, as it stands in a normal path; empty only as the last one (`/` and `/x/`)."""

    text: str


@dataclass(frozen=True, slots=True)
class AnySegment:
    """`*`, or `{name}` whose name is a comment: exactly one segment that is not empty."""

    name: str | None = None


Segment: TypeAlias = LiteralSegment | AnySegment


@dataclass(frozen=True, slots=True)
class PathPattern(Node):
    """A pattern of whole segments, what stands between the slashes after the first one.

    `/` has one empty literal, `/x/` the literals `x` and empty, `/admin/**` the literal `admin` and `has_rest`,
    `/**` no segment and `has_rest`. The parser guarantees that literals are in normal form.
    """

    segments: tuple[Segment, ...]
    has_rest: bool = False

    @property
    def text(self) -> str:
        """The pattern as it is written."""
        written = [_segment_text(segment) for segment in self.segments]
        if self.has_rest:
            written.append("**")
        return "/" + "/".join(written)


def _segment_text(segment: Segment) -> str:
    if isinstance(segment, LiteralSegment):
        return segment.text
    return "*" if segment.name is None else f"{{{segment.name}}}"


@dataclass(frozen=True, slots=True)
class HttpOperation(Node):
    """`GET|HEAD /x`; no methods means any (`* /x`)."""

    methods: tuple[str, ...]
    path: PathPattern


@dataclass(frozen=True, slots=True)
class CallOperation(Node):
    """`call package.Service/Method`; `method` is `None` for `/*`."""

    service: str
    method: str | None


Operation: TypeAlias = HttpOperation | CallOperation
