"""Alphabets: the code points, divided into the symbols that an automaton tells apart."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from meshproof.compiler.patterns.charset import LAST, CharSet

_ASCII = 128

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A partition of all code points into symbols `0 … size-1`.

    `cuts` are the starts of the intervals, the first is 0; `symbols[i]` is the symbol of the interval that starts at
    `cuts[i]`. Symbols are numbered in the order of their first interval, so equal partitions are equal values.
    """

    cuts: tuple[int, ...]
    symbols: tuple[int, ...]
    _ascii: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: list[int] = []
        for cut, end, symbol in zip(self.cuts, (*self.cuts[1:], _ASCII), self.symbols, strict=True):
            found.extend((symbol,) * (min(end, _ASCII) - cut))  # none of what begins beyond
        object.__setattr__(self, "_ascii", tuple(found))

    @property
    def size(self) -> int:
        """How many symbols there are."""
        return max(self.symbols) + 1

    def symbol(self, code: int) -> int:
        """The symbol of a code point."""
        return self._ascii[code] if code < _ASCII else self._search(code)

    def _search(self, code: int) -> int:
        return self.symbols[bisect_right(self.cuts, code) - 1]

    def charset(self, symbol: int) -> CharSet:
        """The code points of a symbol."""
        ends = (*(cut - 1 for cut in self.cuts[1:]), LAST)
        intervals = zip(self.cuts, ends, self.symbols, strict=True)
        return tuple((low, high) for low, high, owner in intervals if owner == symbol)

    def charsets(self) -> tuple[CharSet, ...]:
        """The code points of every symbol, in one pass."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.size)]
        ends = (*(cut - 1 for cut in self.cuts[1:]), LAST)
        for low, high, owner in zip(self.cuts, ends, self.symbols, strict=True):
            found[owner].append((low, high))
        return tuple(map(tuple, found))


def from_keys(cuts: Sequence[int], keys: Sequence[Key]) -> tuple[Alphabet, tuple[Key, ...]]:
    """The coarsest alphabet whose symbols have one key each, and the key of each symbol.

    `keys[i]` belongs to the interval from `cuts[i]`; neighbours with one key are joined.
    """
    numbers: dict[Key, int] = {}
    kept_cuts: list[int] = []
    symbols: list[int] = []
    for cut, key in zip(cuts, keys, strict=True):
        number = numbers.setdefault(key, len(numbers))
        if not symbols or symbols[-1] != number:
            kept_cuts.append(cut)
            symbols.append(number)
    return Alphabet(tuple(kept_cuts), tuple(symbols)), tuple(numbers)


def of_charsets(charsets: Sequence[CharSet]) -> tuple[Alphabet, tuple[tuple[int, ...], ...]]:
    """The coarsest alphabet that tells the sets apart, and the symbols that make up each set."""
    changes: dict[int, int] = {0: 0}
    for number, charset in enumerate(charsets):
        for low, high in charset:
            changes[low] = changes.get(low, 0) ^ (1 << number)
            changes[high + 1] = changes.get(high + 1, 0) ^ (1 << number)
    changes.pop(LAST + 1, None)
    cuts = sorted(changes)
    members: list[int] = []
    current = 0
    for cut in cuts:
        current ^= changes[cut]
        members.append(current)
    alphabet, keys = from_keys(cuts, members)
    owners: list[list[int]] = [[] for _ in charsets]
    for symbol, key in enumerate(keys):
        rest = key
        while rest:
            lowest = rest & -rest
            owners[lowest.bit_length() - 1].append(symbol)
            rest ^= lowest
    return alphabet, tuple(tuple(owner) for owner in owners)


def common_refinement(alphabets: Iterable[Alphabet]) -> tuple[Alphabet, tuple[tuple[int, ...], ...]]:
    """The coarsest alphabet that refines all, and for each given one the map from new symbols to its own."""
    parts = tuple(alphabets)
    cuts = sorted({cut for part in parts for cut in part.cuts})
    keys = list(zip(*([part.symbol(cut) for cut in cuts] for part in parts), strict=True))
    alphabet, symbol_keys = from_keys(cuts, keys)
    return alphabet, tuple(zip(*symbol_keys, strict=True))
