"""What a YAML or JSON document holds, each value with its place in the text.

Hostile text is refused while the tree is made: a key that stands twice, a key that is no scalar, more depth than any
manifest has. There are no aliases here, so the tree is never larger than the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.dsl.source import Span

DEPTH_MAX = 200
"""Deeper nesting is refused: the deepest real manifest, a schema in a CustomResourceDefinition, has about 60."""

Value = str | int | float | bool | None


class TreeError(Exception):
    """The text is refused. `start` and `end` are characters of the text, `message` a lower-case sentence."""

    def __init__(self, message: str, start: int, end: int, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar: what Kubernetes reads it as, and `text` as it is written (without quotes)."""

    value: Value
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    items: tuple[Placed, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, its place, and the value."""

    key: str
    key_span: Span
    value: Placed


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; no key stands twice."""

    entries: tuple[Entry, ...]
    span: Span

    def entry(self, key: str) -> Entry | None:
        """The entry of that key."""
        for entry in self.entries:
            if entry.key == key:
                return entry
        return None

    def get(self, key: str) -> Placed | None:
        """The value of that key; None where there is none, and where it is null."""
        entry = self.entry(key)
        if entry is None or (isinstance(entry.value, Leaf) and entry.value.value is None):
            return None
        return entry.value

    def at(self, *keys: str) -> Placed | None:
        """The value that is reached by these keys, one inside the other."""
        found: Placed | None = self
        for key in keys:
            if not isinstance(found, MapNode):
                return None
            found = found.get(key)
        return found


Placed = Leaf | ListNode | MapNode


def is_same(one: Placed, other: Placed) -> bool:
    """Whether two values are equal, wherever they stand; the order of keys does not count."""
    match one, other:
        case Leaf(), Leaf():
            return type(one.value) is type(other.value) and one.value == other.value
        case ListNode(), ListNode():
            pairs = zip(one.items, other.items, strict=False)
            return len(one.items) == len(other.items) and all(is_same(*pair) for pair in pairs)
        case MapNode(), MapNode():
            given = {entry.key: entry.value for entry in other.entries}
            return len(given) == len(one.entries) and all(
                entry.key in given and is_same(entry.value, given[entry.key]) for entry in one.entries
            )
        case _:
            return False


@dataclass(slots=True)
class _Frame:
    is_map: bool
    start: int
    items: list[Placed] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    key: tuple[str, Span] | None = None


class TreeBuilder:
    """Makes trees out of a stream of events, in the order of the text. `trees` are the documents that are complete.

    With `at` all places are that one.
    """

    def __init__(self, file: str, at: Span | None = None) -> None:
        self.trees: list[Placed] = []
        self._file = file
        self._at = at
        self._frames: list[_Frame] = []
        self._frame: _Frame | None = None  # the last of them

    @property
    def is_key_next(self) -> bool:
        """Whether the next scalar is a key of a mapping."""
        frame = self._frame
        return frame is not None and frame.is_map and frame.key is None

    @property
    def depth(self) -> int:
        """How many mappings and sequences are open."""
        return len(self._frames)

    def open(self, start: int, *, is_map: bool) -> None:
        """A mapping or sequence begins."""
        if self.is_key_next:
            raise TreeError("a key is no single value", start, start + 1)
        if len(self._frames) >= DEPTH_MAX:
            raise TreeError(f"values are nested more than {DEPTH_MAX} deep", start, start + 1)
        self._frame = _Frame(is_map, start)
        self._frames.append(self._frame)

    def close(self, end: int) -> None:
        """The innermost mapping or sequence ends. Blanks and comments after its last value are not part of it."""
        frame = self._frames.pop()
        self._frame = self._frames[-1] if self._frames else None
        span = self._span(frame.start, end)
        if frame.is_map:
            self._add(MapNode(tuple(frame.entries), span))
        else:
            self._add(ListNode(tuple(frame.items), span))

    def last_end(self) -> int | None:
        """Where the last value of the innermost mapping or sequence ends; None if it has none."""
        frame = self._frames[-1]
        if frame.is_map:
            return frame.entries[-1].value.span.end if frame.entries else None
        return frame.items[-1].span.end if frame.items else None

    def key(self, text: str, start: int, end: int) -> None:
        """The key of the next value."""
        frame = self._frames[-1]
        if text in frame.keys:
            advice = "of two equal keys one reader takes the first and another the last: delete one"
            raise TreeError(f"the key `{text}` stands twice in one mapping", start, end, advice)
        frame.keys.add(text)
        frame.key = (text, self._span(start, end))

    def scalar(self, value: Value, text: str, start: int, end: int) -> None:
        """A scalar that is no key."""
        self._add(Leaf(value, text, self._span(start, end)))

    def _span(self, start: int, end: int) -> Span:
        return Span(self._file, start, end) if self._at is None else self._at

    def _add(self, node: Placed) -> None:
        frame = self._frame
        if frame is None:
            self.trees.append(node)
        elif not frame.is_map:
            frame.items.append(node)
        elif frame.key is not None:
            frame.entries.append(Entry(*frame.key, node))
            frame.key = None
