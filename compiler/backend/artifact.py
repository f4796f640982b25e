"""What a target writes, and which line of the policy each piece came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """One file. `path` is relative to the output folder, with forward slashes and no `..`."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, order=True)
class MapEntry:
    """A piece of an emitted object and what it came from.

    `index` is the position of the piece in the object's list of rules, None for the object as a whole. `subject` is
    the name of the rule, route, service or statement.
    """

    kind: str
    namespace: str
    name: str
    index: int | None
    subject: str


SourceMap = tuple[MapEntry, ...]
