"""From nondeterministic to deterministic: the subset construction (Rabin and Scott 1959), within bounds."""

from __future__ import annotations

from meshproof.compiler.patterns.alphabet import of_charsets
from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.nfa import Nfa, build
from meshproof.compiler.patterns.refusal import PatternTooLarge
from meshproof.compiler.patterns.regular import Node

MAX_SUBSETS = 10_000
MAX_WORK = 1_000_000


def automaton_of(node: Node) -> Automaton:
    """The minimal automaton of an expression. Raises PatternTooLarge past the limits."""
    return minimize(determinize(build(node)))


def determinize(nfa: Nfa) -> Automaton:
    """An automaton for the same language; not minimal. Raises PatternTooLarge past the limits."""
    return _Subsets(nfa).explore()


class _Subsets:
    """One run of the construction. A subset holds only states that read a character, meet an anchor or accept."""

    def __init__(self, nfa: Nfa) -> None:
        self.nfa = nfa
        charsets = tuple(dict.fromkeys(edge[0] for edge in nfa.chars if edge is not None))
        self.alphabet, members = of_charsets(charsets)
        self.symbols = dict(zip(charsets, members, strict=True))
        self.after: dict[int, frozenset[int]] = {}
        self.work = 0

    def explore(self) -> Automaton:
        """Build every subset that can be reached; state 0 is the only one that stands before the first character."""
        nfa = self.nfa
        beginning = self._kept(nfa.closure((nfa.start,), at_begin=True, at_end=False))
        numbers: dict[frozenset[int], int] = {}
        order = [beginning]
        rows: list[tuple[int, ...]] = []
        for subset in order:
            row: list[int] = []
            for successor in self._successors(subset):
                number = numbers.get(successor)
                if number is None:
                    number = numbers[successor] = len(order)
                    order.append(successor)
                row.append(number)
            rows.append(tuple(row))
            self._check(len(order))
        accepting = tuple(self._accepts(subset, at_begin=state == 0) for state, subset in enumerate(order))
        return Automaton(self.alphabet, tuple(rows), accepting)

    def _successors(self, subset: frozenset[int]) -> list[frozenset[int]]:
        targets: list[set[int]] = [set() for _ in range(self.alphabet.size)]
        for state in subset:
            edge = self.nfa.chars[state]
            if edge is not None:
                reached = self._closure_after(edge[1])
                symbols = self.symbols[edge[0]]
                self.work += len(symbols) + len(reached)
                for symbol in symbols:
                    targets[symbol] |= reached
        return [frozenset(target) for target in targets]

    def _closure_after(self, state: int) -> frozenset[int]:
        found = self.after.get(state)
        if found is None:
            reached = self.nfa.closure((state,), at_begin=False, at_end=False)
            found = self.after[state] = self._kept(reached)
            self.work += len(reached)
            self._check(0)
        return found

    def _kept(self, states: frozenset[int]) -> frozenset[int]:
        nfa = self.nfa
        return frozenset(s for s in states if nfa.chars[s] is not None or nfa.end[s] or s == nfa.accept)

    def _accepts(self, subset: frozenset[int], *, at_begin: bool) -> bool:
        return self.nfa.accept in self.nfa.closure(subset, at_begin=at_begin, at_end=True)

    def _check(self, count: int) -> None:
        if count > MAX_SUBSETS:
            raise PatternTooLarge(f"the pattern needs more than {MAX_SUBSETS} states")
        if self.work > MAX_WORK:
            raise PatternTooLarge(f"the pattern needs more than {MAX_WORK} steps to become an automaton")
