"""A string of a class that is none of finitely many given strings, or the certainty that there is none."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from heapq import heappop, heappush

from meshproof.compiler.patterns.alphabet import Alphabet
from meshproof.compiler.patterns.charset import CharSet
from meshproof.compiler.patterns.readability import best_character, cost_of

_ENDINGS = ("a", "b", "1", "/a", "other")


@dataclass(slots=True)
class Graph:
    """A labelled automaton: `rows[state][symbol]` is the next state, -1 if nothing of interest lies beyond."""

    alphabet: Alphabet
    rows: list[tuple[int, ...]]
    labels: list[int]
    charsets: tuple[CharSet, ...] = field(init=False)
    characters: tuple[tuple[int, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.charsets = self.alphabet.charsets()
        self.characters = tuple(best for one in self.charsets if (best := best_character(one)) is not None)

    def label_of(self, text: str) -> int | None:
        """The label of the state that the text leads to, if it leads to one."""
        state = 0
        for char in text:
            state = self.rows[state][self.alphabet.symbol(ord(char))]
            if state < 0:
                return None
        return self.labels[state]


def witness_outside(graph: Graph, label: int, witness: str, excluded: AbstractSet[str]) -> str | None:
    """A text with this label that is not excluded; None only if there is none. `witness` has the label."""
    if witness not in excluded:
        return witness
    for ending in _ENDINGS:
        text = witness + ending
        if text not in excluded and graph.label_of(text) == label:
            return text
    return _search(graph, label, excluded)


def _search(graph: Graph, label: int, excluded: AbstractSet[str]) -> str | None:
    """Follow the excluded strings as a tree; whatever leaves the tree, or ends inside it, is not excluded."""
    children: dict[str, set[str]] = {}
    for text in excluded:
        for length in range(len(text)):
            children.setdefault(text[:length], set()).add(text[length])
    distance = _distances(graph, label)
    best: tuple[int, str] | None = None
    stack = [("", 0)]
    while stack:
        prefix, state = stack.pop()
        taken = children.get(prefix, set())
        if graph.labels[state] == label and prefix not in excluded:
            best = _better(best, prefix)
        for symbol, target in enumerate(graph.rows[state]):
            if target in distance:
                found = best_character(graph.charsets[symbol], taken)
                if found is not None:
                    best = _better(best, prefix + found[1] + _nearest(graph, label, target, distance))
        for char in taken:
            target = graph.rows[state][graph.alphabet.symbol(ord(char))]
            if target in distance:
                stack.append((prefix + char, target))
    return None if best is None else best[1]


def _better(best: tuple[int, str] | None, text: str) -> tuple[int, str]:
    candidate = (cost_of(text), text)
    return candidate if best is None else min(best, candidate)


def _distances(graph: Graph, label: int) -> dict[int, int]:
    """The least cost from each state to one with the label; states that reach none are left out."""
    sources: dict[int, list[tuple[int, int]]] = {}
    for state, row in enumerate(graph.rows):
        for symbol, target in enumerate(row):
            sources.setdefault(target, []).append((state, graph.characters[symbol][0]))
    heap = [(0, state) for state, own in enumerate(graph.labels) if own == label]
    distance: dict[int, int] = {}
    while heap:
        cost, state = heappop(heap)
        if state not in distance:
            distance[state] = cost
            for source, price in sources.get(state, ()):
                if source not in distance:
                    heappush(heap, (cost + price, source))
    return distance


def _nearest(graph: Graph, label: int, state: int, distance: dict[int, int]) -> str:
    """The text along least costs from the state to one with the label."""
    text: list[str] = []
    while graph.labels[state] != label:
        _, char, state = min(
            (price + distance[target], char, target)
            for target, (price, char) in zip(graph.rows[state], graph.characters, strict=True)
            if target in distance
        )
        text.append(char)
    return "".join(text)
