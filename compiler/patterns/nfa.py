"""Nondeterministic automata by Thompson's construction (1968), with the anchors of RE2 as edges of their own.

Matching by simulation takes time linear in text times pattern, so no pattern can stall it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from meshproof.compiler.patterns.charset import CharSet
from meshproof.compiler.patterns.refusal import PatternTooLarge
from meshproof.compiler.patterns.regular import Alternate, BeginText, Chars, Concat, EndText, Node, Repeat

MAX_POSITIONS = 10_000


@dataclass(slots=True)
class Nfa:
    """States are numbers; `chars[s]` is the set and target of its one character edge, if it has one.

    `free[s]` may always be followed, `begin[s]` before the first character alone, `end[s]` after the last alone.
    """

    start: int = 0
    accept: int = 0
    chars: list[tuple[CharSet, int] | None] = field(default_factory=list)
    free: list[list[int]] = field(default_factory=list)
    begin: list[list[int]] = field(default_factory=list)
    end: list[list[int]] = field(default_factory=list)

    def add(self) -> int:
        """A new state without edges. Raises PatternTooLarge past the limit."""
        if len(self.chars) >= 4 * MAX_POSITIONS:
            raise PatternTooLarge(
                f"the pattern needs more than {MAX_POSITIONS} positions when its repetitions are written out"
            )
        self.chars.append(None)
        for edges in (self.free, self.begin, self.end):
            edges.append([])
        return len(self.chars) - 1

    def closure(self, states: Iterable[int], *, at_begin: bool, at_end: bool) -> frozenset[int]:
        """The states that can be reached without reading, at this kind of place in the text."""
        reached = set(states)
        stack = list(reached)
        while stack:
            state = stack.pop()
            for edges, is_open in ((self.free, True), (self.begin, at_begin), (self.end, at_end)):
                if is_open:
                    for target in edges[state]:
                        if target not in reached:
                            reached.add(target)
                            stack.append(target)
        return frozenset(reached)

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches, by simulation."""
        current: Iterable[int] = self.closure((self.start,), at_begin=True, at_end=False)
        for char in text:
            current = self.closure(self._step(current, ord(char)), at_begin=False, at_end=False)
            if not current:
                return False
        return self.accept in self.closure(current, at_begin=not text, at_end=True)

    def _step(self, states: Iterable[int], code: int) -> set[int]:
        targets: set[int] = set()
        for state in states:
            edge = self.chars[state]
            if edge is not None and any(low <= code <= high for low, high in edge[0]):
                targets.add(edge[1])
        return targets


def build(node: Node) -> Nfa:
    """The automaton of an expression. Raises PatternTooLarge if its repetitions grow past the limit."""
    nfa = Nfa()
    nfa.start = nfa.add()
    nfa.accept = _attach(nfa, node, nfa.start)
    return nfa


def _attach(nfa: Nfa, node: Node, start: int) -> int:
    """Add `node` after `start` and give the state where it ends; `start` gets no edges into it."""
    match node:
        case Chars(charset):
            target = nfa.add()
            here = nfa.add()
            nfa.free[start].append(here)
            nfa.chars[here] = (charset, target)
            return target
        case Concat(parts):
            for part in parts:
                start = _attach(nfa, part, start)
            return start
        case Alternate(parts):
            end = nfa.add()
            for part in parts:
                nfa.free[_attach(nfa, part, _branch(nfa, start))].append(end)
            return end
        case Repeat(part, least, most):
            return _attach_repeat(nfa, part, least, most, start)
        case BeginText():
            end = nfa.add()
            nfa.begin[start].append(end)
            return end
        case EndText():
            end = nfa.add()
            nfa.end[start].append(end)
            return end
        case _:
            assert_never(node)


def _branch(nfa: Nfa, start: int) -> int:
    branch = nfa.add()
    nfa.free[start].append(branch)
    return branch


def _attach_repeat(nfa: Nfa, part: Node, least: int, most: int | None, start: int) -> int:
    for _ in range(least):
        start = _attach(nfa, part, start)
    if most is None:
        loop = _branch(nfa, start)
        nfa.free[_attach(nfa, part, loop)].append(loop)
        return _branch(nfa, loop)
    end = nfa.add()
    for _ in range(most - least):
        nfa.free[start].append(end)
        start = _attach(nfa, part, _branch(nfa, start))
    nfa.free[start].append(end)
    return end
