"""The smallest automaton of a language (Hopcroft 1971), numbered so that equal languages are equal values."""

from __future__ import annotations

from meshproof.compiler.patterns.alphabet import from_keys, of_charsets
from meshproof.compiler.patterns.automaton import Automaton


def minimize(automaton: Automaton) -> Automaton:
    """The canonical minimal automaton: two automata accept the same strings exactly if their results are equal."""
    trimmed = _reachable(automaton)
    return _canonical(trimmed, _equivalence_blocks(trimmed))


def of_prefix(prefix: str) -> Automaton:
    """The canonical minimal automaton of all strings that begin with `prefix`.

    It is what `minimize` makes of any automaton of that language, without the detour: prefixes are most patterns.
    """
    chars = tuple(dict.fromkeys(prefix))
    alphabet, owners = of_charsets([((ord(char), ord(char)),) for char in chars])
    symbol_of = {char: owned[0] for char, owned in zip(chars, owners, strict=True)}
    symbols = [symbol_of[char] for char in prefix]
    # Numbered breadth first: the state for all else comes right after the start, or after the second state if the
    # first character is the first symbol. No two states accept the same, so there is nothing to merge.
    dead = 2 if symbols[:1] == [0] else 1
    states = [state + (state >= dead) for state in range(len(prefix) + 1)] if prefix else [0]
    rows = [(dead,) * alphabet.size] * (len(states) + 1)
    for state, symbol, target in zip(states, symbols, states[1:], strict=False):
        rows[state] = (*rows[state][:symbol], target, *rows[state][symbol + 1 :])
    end = states[-1]
    rows[end] = (end,) * alphabet.size
    kept = rows if prefix else rows[:1]
    return Automaton(alphabet, tuple(kept), tuple(state == end for state in range(len(kept))))


def _reachable(automaton: Automaton) -> Automaton:
    numbers = {0: 0}
    order = [0]
    for state in order:
        for target in automaton.rows[state]:
            if target not in numbers:
                numbers[target] = len(order)
                order.append(target)
    rows = tuple(tuple(numbers[target] for target in automaton.rows[state]) for state in order)
    return Automaton(automaton.alphabet, rows, tuple(automaton.accepting[state] for state in order))


def _inverse(automaton: Automaton) -> list[dict[int, list[int]]]:
    inverse: list[dict[int, list[int]]] = [{} for _ in range(automaton.alphabet.size)]
    for state, row in enumerate(automaton.rows):
        for symbol, target in enumerate(row):
            inverse[symbol].setdefault(target, []).append(state)
    return inverse


def _equivalence_blocks(automaton: Automaton) -> list[int]:
    """The number of the block of each state: states of one block accept the same strings."""
    accepting = {state for state, accepts in enumerate(automaton.accepting) if accepts}
    rejecting = set(range(len(automaton.rows))) - accepting
    blocks = [block for block in (accepting, rejecting) if block]
    block_of = [0] * len(automaton.rows)
    for number, block in enumerate(blocks):
        for state in block:
            block_of[state] = number
    inverse = _inverse(automaton)
    waiting = set(range(len(blocks)))
    while waiting:
        splitter = tuple(blocks[waiting.pop()])
        for sources in inverse:
            moved: dict[int, set[int]] = {}
            for target in splitter:
                for source in sources.get(target, ()):
                    moved.setdefault(block_of[source], set()).add(source)
            for number, inside in moved.items():
                if len(inside) < len(blocks[number]):
                    _split(blocks, block_of, number, inside, waiting)
    return block_of


def _split(blocks: list[set[int]], block_of: list[int], number: int, inside: set[int], waiting: set[int]) -> None:
    outside = blocks[number] - inside
    smaller, larger = sorted((inside, outside), key=len)
    fresh = len(blocks)
    blocks[number] = larger
    blocks.append(smaller)
    for state in smaller:
        block_of[state] = fresh
    # If the old block still waits, both halves must be used; if not, the smaller one is enough (Hopcroft).
    waiting.add(fresh)


def _canonical(automaton: Automaton, block_of: list[int]) -> Automaton:
    """Merge columns that never differ, then number states breadth first from the start."""
    representative: dict[int, int] = {}
    for state, block in enumerate(block_of):
        representative.setdefault(block, state)
    columns = [
        tuple(block_of[automaton.rows[state][symbol]] for state in representative.values())
        for symbol in range(automaton.alphabet.size)
    ]
    old = automaton.alphabet
    alphabet, keys = from_keys(old.cuts, [columns[symbol] for symbol in old.symbols])
    position = {block: index for index, block in enumerate(representative)}
    numbers = {block_of[0]: 0}
    order = [block_of[0]]
    rows: list[tuple[int, ...]] = []
    for block in order:
        targets = [column[position[block]] for column in keys]
        for target in targets:
            if target not in numbers:
                numbers[target] = len(order)
                order.append(target)
        rows.append(tuple(numbers[target] for target in targets))
    accepting = tuple(automaton.accepting[representative[block]] for block in order)
    return Automaton(alphabet, tuple(rows), accepting)
