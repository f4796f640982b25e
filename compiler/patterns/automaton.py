"""Deterministic finite automata over all code points, and the operations that proofs rest on.

An automaton is complete: every state has a successor for every symbol. State 0 is the start. The operations are the
textbook constructions (Hopcroft, Motwani and Ullman, Introduction to Automata Theory, chapters 2 to 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from meshproof.compiler.patterns.alphabet import Alphabet, common_refinement
from meshproof.compiler.patterns.readability import best_character
from meshproof.compiler.patterns.refusal import PatternTooLarge

MAX_STATES = 20_000


@dataclass(frozen=True, slots=True)
class Automaton:
    """A complete deterministic automaton: `rows[state][symbol]` is the next state."""

    alphabet: Alphabet
    rows: tuple[tuple[int, ...], ...]
    accepting: tuple[bool, ...]

    def accepts(self, text: str) -> bool:
        """Whether the whole text is in the language."""
        return self.accepting[self.run(text)]

    def run(self, text: str, state: int = 0) -> int:
        """The state after reading `text` from `state`."""
        symbol = self.alphabet.symbol
        rows = self.rows
        for char in text:
            state = rows[state][symbol(ord(char))]
        return state


def complement(automaton: Automaton) -> Automaton:
    """The strings that `automaton` does not accept, surrogates included."""
    return Automaton(automaton.alphabet, automaton.rows, tuple(not accepts for accepts in automaton.accepting))


def product(
    one: Automaton,
    other: Automaton,
    combine: Callable[[bool, bool], bool],
    max_states: int = MAX_STATES,
) -> Automaton:
    """The automaton that accepts where `combine` says so of the two; only states that can be reached are built.

    Raises PatternTooLarge past `max_states`.
    """
    alphabet, (left_map, right_map) = common_refinement((one.alphabet, other.alphabet))
    numbers: dict[tuple[int, int], int] = {(0, 0): 0}
    order = [(0, 0)]
    rows: list[tuple[int, ...]] = []
    for left, right in order:
        left_row, right_row = one.rows[left], other.rows[right]
        row: list[int] = []
        for left_symbol, right_symbol in zip(left_map, right_map, strict=True):
            pair = (left_row[left_symbol], right_row[right_symbol])
            number = numbers.get(pair)
            if number is None:
                number = numbers[pair] = len(order)
                order.append(pair)
            row.append(number)
        rows.append(tuple(row))
        if len(order) > max_states:
            raise PatternTooLarge(f"the combined automaton has more than {max_states} states")
    accepting = tuple(combine(one.accepting[left], other.accepting[right]) for left, right in order)
    return Automaton(alphabet, tuple(rows), accepting)


def intersection(one: Automaton, other: Automaton) -> Automaton:
    """What both accept."""
    return product(one, other, lambda left, right: left and right)


def union(one: Automaton, other: Automaton) -> Automaton:
    """What either accepts."""
    return product(one, other, lambda left, right: left or right)


def difference(one: Automaton, other: Automaton) -> Automaton:
    """What the first accepts and the second does not."""
    return product(one, other, lambda left, right: left and not right)


def live_states(automaton: Automaton) -> frozenset[int]:
    """The states from which an accepting state can be reached."""
    sources: list[set[int]] = [set() for _ in automaton.rows]
    for state, row in enumerate(automaton.rows):
        for target in set(row):
            sources[target].add(state)
    stack = [state for state, accepts in enumerate(automaton.accepting) if accepts]
    live = set(stack)
    while stack:
        for source in sources[stack.pop()]:
            if source not in live:
                live.add(source)
                stack.append(source)
    return frozenset(live)


def is_empty(automaton: Automaton) -> bool:
    """Whether no string is accepted."""
    return 0 not in live_states(automaton)


def includes(larger: Automaton, smaller: Automaton) -> bool:
    """Whether every string of `smaller` is one of `larger`."""
    return is_empty(difference(smaller, larger))


def is_equivalent(one: Automaton, other: Automaton) -> bool:
    """Whether both accept the same strings."""
    return is_empty(product(one, other, lambda left, right: left != right))


def shortest_witness(automaton: Automaton) -> str | None:
    """The accepted string that reads best (short, lower-case letters first); None if there is none."""
    characters = tuple(best_character(automaton.alphabet.charset(symbol)) for symbol in range(automaton.alphabet.size))
    heap: list[tuple[int, str, int]] = [(0, "", 0)]
    done: set[int] = set()
    while heap:
        cost, text, state = heappop(heap)
        if state in done:
            continue
        if automaton.accepting[state]:
            return text
        done.add(state)
        for target, found in zip(automaton.rows[state], characters, strict=True):
            if target not in done and found is not None:
                heappush(heap, (cost + found[0], text + found[1], target))
    return None
