"""Path patterns of segments as an index: all entries whose pattern takes a path, by one walk along its segments."""

from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")


def takes(pattern: str, path: str) -> bool:
    """Whether the pattern takes the path, in normal form."""
    beginning = stem(pattern)
    return path.startswith(beginning) and fits(after_stem(pattern), path[len(beginning) :])


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


After = tuple[tuple[str | None, ...], bool]
"""What a pattern says of the segments after its stem (None: any single one), and whether `**` comes last."""


def after_stem(pattern: str) -> After:
    """What comes after the stem."""
    segments = pattern[len(stem(pattern)) + 1 :].split("/") if stem(pattern) != pattern else []
    has_rest = segments[-1:] == ["**"]
    wanted = segments[:-1] if has_rest else segments
    return tuple(None if _is_wild(one) else one for one in wanted), has_rest


def fits(after: After, text: str) -> bool:
    """Whether what a path has after the stem is what the pattern says."""
    wanted, has_rest = after
    if not text:
        return not wanted
    if text[0] != "/":
        return False
    given = text[1:].split("/")
    if len(given) != len(wanted) and not (has_rest and len(given) > len(wanted)):
        return False
    for want, segment in zip(wanted, given, strict=False):
        if want is None:
            if not segment:
                return False
        elif want != segment:
            return False
    return True


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
