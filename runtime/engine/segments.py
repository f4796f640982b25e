"""Path patterns of segments as an index: all entries whose pattern takes a path, by one walk along its segments."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

_T = TypeVar("_T")


def takes(pattern: str, path: str) -> bool:
    """Whether the pattern takes the path, in normal form."""
    beginning = stem(pattern)
    return path.startswith(beginning) and after_stem(pattern)(path, len(beginning)) is not None


def depth(pattern: str) -> int | None:
    """How many segments stand before `**`; None for a pattern without it."""
    segments = pattern[1:].split("/")
    return len(segments) - 1 if segments[-1] == "**" else None


def stem(pattern: str) -> str:
    """The text with which every path begins that the pattern takes, to the end of its last literal segment."""
    literal: list[str] = []
    for segment in pattern[1:].split("/"):
        if segment == "**" or _is_wild(segment):
            break
        literal.append(f"/{segment}")
    return "".join(literal)


After = Callable[[str, int], object]
"""Whether a path goes on, from the end of the stem, as the pattern says; None if not."""


def after_stem(pattern: str) -> After:
    """What comes after the stem: patterns that go on in the same way share it."""
    beginning = stem(pattern)
    return _going_on(pattern[len(beginning) :])


@lru_cache(maxsize=65_536)
def _going_on(pattern: str) -> After:
    """As an expression of literals, `[^/]+` and a last `.*`: none of which can make its matcher go back far."""
    segments = pattern.split("/")[1:]
    has_rest = segments[-1:] == ["**"]
    wanted = segments[:-1] if has_rest else segments
    text = "".join("/[^/]+" if _is_wild(one) else f"/{re.escape(one)}" for one in wanted)
    return re.compile(text + ("(?:/.*)?" if has_rest else ""), re.DOTALL).fullmatch


NOTHING = _going_on("")


def _is_wild(segment: str) -> bool:
    return segment == "*" or (segment.startswith("{") and segment.endswith("}"))


class _Node(Generic[_T]):
    __slots__ = ("any", "children", "here", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node[_T]] = {}
        self.any: _Node[_T] | None = None
        self.here: list[_T] = []
        self.rest: list[_T] = []


class SegmentIndex(Generic[_T]):
    """Entries by path pattern. Literal patterns are one look-up; the others share a trie."""

    __slots__ = ("_exact", "_root", "_walks")

    def __init__(self) -> None:
        self._exact: dict[str, list[_T]] = {}
        self._root: _Node[_T] = _Node()
        self._walks = False

    def add(self, pattern: str, entry: _T) -> None:
        """Put an entry under a pattern."""
        segments = pattern[1:].split("/")
        if segments[-1] != "**" and not any(map(_is_wild, segments)):
            self._exact.setdefault(pattern, []).append(entry)
            return
        node = self._root
        for segment in segments[:-1] if segments[-1] == "**" else segments:
            self._walks = True
            if _is_wild(segment):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.children.setdefault(segment, _Node())
        (node.rest if segments[-1] == "**" else node.here).append(entry)

    def add_whole(self, path: str, entry: _T) -> None:
        """Put an entry under a path, in which nothing is a wildcard."""
        self._exact.setdefault(path, []).append(entry)

    def add_everywhere(self, entry: _T) -> None:
        """Put an entry where every path finds it."""
        self._root.rest.append(entry)

    def find(self, path: str) -> list[_T]:
        """The entries of all patterns that take the path, in no order; the list is the caller's to read alone."""
        found = self._exact.get(path) if self._exact else None
        root = self._root
        if not self._walks:
            if found is None:
                return root.rest
            return found + root.rest if root.rest else found
        return self._walk(path, [*(found or ()), *root.rest])

    def _walk(self, path: str, found: list[_T]) -> list[_T]:
        node = self._root
        segments = path[1:].split("/")
        for place, segment in enumerate(segments):
            if node.any is not None:
                return self._branching(node, segments[place:], found)
            child = node.children.get(segment)
            if child is None:
                return found
            if child.rest:
                found += child.rest
            node = child
        return found + node.here if node.here else found

    def _branching(self, start: _Node[_T], segments: list[str], found: list[_T]) -> list[_T]:
        """The same where a segment may be a literal and a wildcard both: from here on along all that take it."""
        nodes = [start]
        for segment in segments:
            following = []
            for node in nodes:
                child = node.children.get(segment)
                if child is not None:
                    following.append(child)
                if node.any is not None and segment:
                    following.append(node.any)
            if not following:
                return found
            for node in following:
                if node.rest:
                    found += node.rest
            nodes = following
        for node in nodes:
            found += node.here
        return found
