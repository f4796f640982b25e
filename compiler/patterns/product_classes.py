"""Classes of strings by the product of automata: exact for every kind of pattern.

A state of the product is the state of the universe's automaton with those states of the patterns' automata from which
they can still accept; the others are left out, so that many patterns that begin differently stay cheap. Patterns that
are one string take no part: their values are singletons, taken out of the classes afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from operator import itemgetter

from meshproof.compiler.patterns.alphabet import Alphabet, common_refinement
from meshproof.compiler.patterns.automaton import Automaton, live_states
from meshproof.compiler.patterns.exclusion import Graph, witness_outside
from meshproof.compiler.patterns.partition import Limits

_DEAD = 0


@dataclass(slots=True)
class _Components:
    """All states of all automata in one numbering; 0 is every state that can no longer accept."""

    alphabet: Alphabet
    rows: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    masks: list[int] = field(default_factory=lambda: [0])

    def add(self, automaton: Automaton, symbols: Sequence[int], mask: int) -> int:
        """Number the states of one automaton and give its start; accepting states have `mask`."""
        live = live_states(automaton)
        first = len(self.rows)
        numbers = [_DEAD] * len(automaton.rows)
        for offset, state in enumerate(sorted(live)):
            numbers[state] = first + offset
        for state in sorted(live):
            targets = [numbers[target] for target in automaton.rows[state]]
            self.rows.append(tuple(map(targets.__getitem__, symbols)))
            self.masks.append(mask if automaton.accepting[state] else 0)
        return numbers[0]


class ProductPartition:
    """The partition of `universe` by `others`, pairs of automaton and mask, and by `exact`, masks of single values.

    Masks of different patterns share no bit. Raises PatternTooLarge past the limits.
    """

    def __init__(
        self,
        universe: Automaton,
        exact: Mapping[str, int],
        others: Sequence[tuple[Automaton, int]],
        limits: Limits,
    ) -> None:
        self._universe = universe
        self._exact = exact
        self._limits = limits
        alphabet, maps = common_refinement([universe.alphabet, *(automaton.alphabet for automaton, _ in others)])
        self._components = _Components(alphabet)
        # The bit above all others marks membership of the universe.
        self._member = 1 << max((mask.bit_length() for mask in (*exact.values(), *(m for _, m in others))), default=0)
        start = [self._components.add(universe, maps[0], self._member)]
        for (automaton, mask), symbols in zip(others, maps[1:], strict=True):
            start.append(self._components.add(automaton, symbols, mask))
        self._texts: list[tuple[int, str]] = []  # how badly each reads, and the text
        self.graph = Graph(alphabet, [], [])
        if start[0] != _DEAD:
            self._explore((start[0], *(state for state in start[1:] if state != _DEAD)))
        self._witnesses = self._find_witnesses()

    @property
    def witnesses(self) -> dict[int, str]:
        """A member of each class, by signature."""
        return self._witnesses

    def signature_of(self, text: str) -> int:
        """The signature of a member of the universe."""
        return self._run(text) | self._exact.get(text, 0)

    def _run(self, text: str) -> int:
        state = 0
        for char in text:
            state = self.graph.rows[state][self.graph.alphabet.symbol(ord(char))]
        return self.graph.labels[state] & ~self._member

    def _explore(self, start: tuple[int, ...]) -> None:
        """Build the states, cheapest text first (Dijkstra 1959), so the first member of a class reads best."""
        rows, masks, graph = self._components.rows, self._components.masks, self.graph
        graph.labels.append(_label(start, masks))
        self._texts.append((0, ""))
        pending: list[tuple[int, ...]] = [start]
        numbers: dict[tuple[int, ...], int] = {start: 0}
        known: dict[tuple[int, ...], int] = {}  # the same of states with their dead parts
        graph.rows.append(())
        heap: list[tuple[int, str, int]] = [(0, "", 0)]
        # Of the symbols that lead on alike the cheapest is the last one here, which is the one that a table keeps.
        dearest_first = sorted(range(len(graph.characters)), key=graph.characters.__getitem__, reverse=True)
        prices = [graph.characters[symbol] for symbol in dearest_first]
        while heap:
            cost, text, number = heappop(heap)
            if graph.rows[number]:
                continue
            self._texts[number] = (cost, text)
            raws = tuple(zip(*map(rows.__getitem__, pending[number]), strict=True))
            cheapest = dict(zip(map(raws.__getitem__, dearest_first), prices, strict=True))
            steps: dict[int, tuple[int, str]] = {}
            for raw, step in cheapest.items():
                target = known.get(raw)
                if target is None:
                    target = known[raw] = self._number(raw, numbers, pending)
                if target >= 0 and (target not in steps or step < steps[target]):
                    steps[target] = step
            graph.rows[number] = tuple(map(known.__getitem__, raws))
            for target, (price, char) in steps.items():
                if not graph.rows[target]:
                    heappush(heap, (cost + price, text + char, target))
            self._limits.check_states(len(pending))

    def _number(self, raw: tuple[int, ...], numbers: dict[tuple[int, ...], int], pending: list[tuple[int, ...]]) -> int:
        """The number of a state given with its dead parts; -1 if no member of the universe lies beyond it."""
        if raw[0] == _DEAD:
            return -1
        state = tuple(part for part in raw if part != _DEAD) if _DEAD in raw else raw
        number = numbers.get(state)
        if number is None:
            number = numbers[state] = len(pending)
            pending.append(state)
            self._texts.append((0, ""))
            self.graph.rows.append(())
            self.graph.labels.append(_label(state, self._components.masks))
        return number

    def _find_witnesses(self) -> dict[int, str]:
        found: dict[int, tuple[int, str]] = {}
        for read, label in zip(self._texts, self.graph.labels, strict=True):
            if label & self._member and (label not in found or read < found[label]):
                found[label] = read
        self._limits.check_classes(len(found) + len(self._exact))
        witnesses: dict[int, str] = {}
        values: dict[int, set[str]] = {}
        for value, mask in self._exact.items():
            if self._universe.accepts(value):
                signature = self._run(value)
                witnesses[signature | mask] = value
                values.setdefault(signature | self._member, set()).add(value)
        for label, (_, text) in sorted(found.items(), key=itemgetter(0)):
            outside = witness_outside(self.graph, label, text, values.get(label, set()))
            if outside is not None:
                witnesses[label & ~self._member] = outside
        return witnesses


def _label(state: tuple[int, ...], masks: list[int]) -> int:
    label = 0
    for part in state:
        label |= masks[part]
    return label
