"""Classes of paths, segment by segment: exact where all patterns are whole paths, segment patterns or prefixes.

The patterns form a tree of segments, read like a nondeterministic automaton whose alphabet is segments. From a set of
nodes only finitely many segments differ: the literals that stand there, the prefixes of a segment that end there, and
one for all others. So all sets that can be reached, with the patterns already decided, are all classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain, count
from string import ascii_lowercase
from typing import TypeAlias

from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.partition import Limits
from meshproof.compiler.patterns.pattern import Exact, Prefix, to_automaton
from meshproof.compiler.patterns.product_classes import ProductPartition
from meshproof.compiler.patterns.readability import cost_of
from meshproof.compiler.patterns.segments import SegmentPattern

SegmentLike: TypeAlias = Exact | Prefix | SegmentPattern


@dataclass(slots=True, eq=False)
class _Node:
    """A place after some segments. Masks: of patterns that end here, that take all below too, that take all below.

    `beginnings` has the masks of prefixes that end inside the next segment.
    """

    number: int
    literals: dict[str, _Node] = field(default_factory=dict)
    star: _Node | None = None
    ends: int = 0
    rest: int = 0
    below: int = 0
    beginnings: dict[str, int] = field(default_factory=dict)

    @property
    def is_last(self) -> bool:
        """Whether nothing that follows makes a difference, but that something follows."""
        return not (self.literals or self.star or self.below or self.beginnings)


@dataclass(frozen=True, slots=True)
class _State:
    """The nodes that the path so far leads to, in order, and the patterns that take it whatever follows."""

    nodes: tuple[_Node, ...]
    decided: int

    @property
    def key(self) -> tuple[int, ...]:
        return (self.decided, *(node.number for node in self.nodes))

    @property
    def signature(self) -> int:
        """Of the path that ends here."""
        signature = self.decided
        for node in self.nodes:
            signature |= node.ends
        return signature


class SegmentPartition:
    """The partition of the paths over `segment` (see `Universe.segment`) by patterns with their masks.

    Raises PatternTooLarge past the limits.
    """

    def __init__(self, segment: Automaton, patterns: Sequence[tuple[SegmentLike, int]], limits: Limits) -> None:
        self._segment = segment
        self._limits = limits
        self._numbers = count()
        self._root = _Node(next(self._numbers))
        for pattern, mask in patterns:
            self._insert(pattern, mask)
        self._costs: dict[int, tuple[int, str]] = {}
        self._explore()

    @property
    def witnesses(self) -> dict[int, str]:
        """A member of each class, by signature."""
        return {signature: text for signature, (_, text) in self._costs.items()}

    def signature_of(self, text: str) -> int:
        """The signature of a path of the universe."""
        state = self._start()
        for piece in text[1:].split("/"):
            state = _step(state, piece)
        return state.signature

    def _insert(self, pattern: SegmentLike, mask: int) -> None:
        """Put a pattern into the tree, unless it holds what no path of the universe has."""
        match pattern:
            case SegmentPattern(segments, has_rest):
                node = self._descend(segments)
                if node is not None and has_rest:
                    node.rest |= mask
                elif node is not None:
                    node.ends |= mask
            case Exact(value):
                node = self._descend(value[1:].split("/")) if value.startswith("/") else None
                if node is not None:
                    node.ends |= mask
            case Prefix(value):
                self._insert_prefix(value, mask)

    def _insert_prefix(self, value: str, mask: int) -> None:
        if not value:
            self._root.below |= mask
        elif value.startswith("/"):
            *segments, beginning = value[1:].split("/")
            node = self._descend(segments) if all(segments) else None
            if node is not None and beginning:
                node.beginnings[beginning] = node.beginnings.get(beginning, 0) | mask
            elif node is not None:
                node.below |= mask

    def _descend(self, segments: Sequence[str | None]) -> _Node | None:
        """The node after the segments; None if one cannot stand there. Only the last may be empty."""
        node = self._root
        for index, segment in enumerate(segments):
            if segment is None:
                if node.star is None:
                    node.star = _Node(next(self._numbers))
                node = node.star
                continue
            following = node.literals.get(segment)
            if following is None:
                if not self._segment.accepts(segment) and (segment or index < len(segments) - 1):
                    return None
                following = node.literals[segment] = _Node(next(self._numbers))
            elif not segment and index < len(segments) - 1:
                return None
            node = following
        return node

    def _start(self) -> _State:
        return _State((self._root,), self._root.rest)

    def _explore(self) -> None:
        """Reach every state, plainest path first, and note the class of every path that ends on the way."""
        start = self._start()
        heap: list[tuple[int, str, int]] = [(0, "", 0)]
        states = [start]
        seen = {start.key}
        while heap:
            cost, path, number = heappop(heap)
            state = states[number]
            for piece in self._pieces(state):
                following = _step(state, piece)
                text = f"{path}/{piece}"
                total = cost + cost_of("/" + piece)
                self._note(following.signature, total, text)
                if not piece or not following.nodes:
                    continue
                if all(node.is_last for node in following.nodes):
                    self._note(following.decided, total, text + "/")
                elif following.key not in seen:
                    seen.add(following.key)
                    states.append(following)
                    heappush(heap, (total, text, len(states) - 1))
            self._limits.check_states(len(states))

    def _note(self, signature: int, cost: int, text: str) -> None:
        if signature not in self._costs or (cost, text) < self._costs[signature]:
            self._costs[signature] = (cost, text)
            self._limits.check_classes(len(self._costs))

    def _pieces(self, state: _State) -> Iterator[str]:
        """One segment of each kind that can be told apart here, and the empty one, which ends a path."""
        literals = {literal for node in state.nodes for literal in node.literals if literal}
        beginnings = sorted({beginning for node in state.nodes for beginning in node.beginnings})
        yield from sorted(literals)
        yield from self._others(literals, beginnings)
        yield ""

    def _others(self, literals: set[str], beginnings: list[str]) -> Sequence[str]:
        """A segment that is no literal for each set of beginnings that one can have."""
        found: list[str] = []
        for beginning in ["", *beginnings]:
            longer = tuple(other for other in beginnings if len(other) > len(beginning) and other.startswith(beginning))
            simple = self._simple_segment(beginning, literals, longer)
            if simple is None:
                return self._others_by_product(literals, beginnings)
            found.append(simple)
        return found

    def _simple_segment(self, beginning: str, literals: set[str], longer: tuple[str, ...]) -> str | None:
        endings = chain(("",) if beginning else (), ascii_lowercase, (f"x{n}" for n in range(len(literals) + 1)))
        for ending in endings:
            text = beginning + ending
            if text not in literals and not text.startswith(longer) and self._segment.accepts(text):
                return text
        return None

    def _others_by_product(self, literals: set[str], beginnings: list[str]) -> Sequence[str]:
        """The same, decided exactly where no simple segment was found for some set."""
        bits = len(beginnings)
        others = [(to_automaton(Prefix(text)), 1 << bit) for bit, text in enumerate(beginnings)]
        exact = dict.fromkeys(literals, 1 << bits)
        partition = ProductPartition(self._segment, exact, others, self._limits)
        return [text for _, text in sorted(partition.witnesses.items()) if text not in literals]


def _step(state: _State, piece: str) -> _State:
    decided = state.decided
    nodes: dict[int, _Node] = {}
    for node in state.nodes:
        decided |= node.below
        for beginning, mask in node.beginnings.items():
            if piece.startswith(beginning):
                decided |= mask
        for following in (node.literals.get(piece), node.star if piece else None):
            if following is not None:
                nodes[following.number] = following
                decided |= following.rest
    return _State(tuple(nodes[number] for number in sorted(nodes)), decided)
