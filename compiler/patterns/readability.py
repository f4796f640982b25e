"""Which characters people like to read in an example: the order that decides between witnesses."""

from __future__ import annotations

from collections.abc import Container, Iterator

from meshproof.compiler.patterns.charset import LAST, CharSet

# (first, last, cost): a witness is the string of least total cost, so two letters beat one control character.
_TIERS: tuple[tuple[int, int, int], ...] = (
    (ord("a"), ord("z"), 10),
    (ord("0"), ord("9"), 12),
    (ord("A"), ord("Z"), 13),
    (ord("-"), ord("/"), 14),
    (ord("_"), ord("_"), 14),
    (ord("!"), ord("~"), 20),
    (ord(" "), ord(" "), 22),
    (0xC0, 0x24F, 60),
    (0x370, 0x1FFF, 62),
    (0xA0, 0xD7FF, 80),
    (0xE000, LAST, 90),
    (0, 0x9F, 200),
    (0xD800, 0xDFFF, 1000),
)


def _candidates(charset: CharSet) -> Iterator[tuple[int, int]]:
    for first, last, cost in _TIERS:
        for low, high in charset:
            for code in range(max(first, low), min(last, high) + 1):
                yield cost, code


def best_character(charset: CharSet, avoid: Container[str] = ()) -> tuple[int, str] | None:
    """The cost and the character of the set that reads best and is not in `avoid`; None if there is none."""
    for cost, code in _candidates(charset):
        if chr(code) not in avoid:
            return cost, chr(code)
    return None


def _character_cost(code: int) -> int:
    return next(cost for first, last, cost in _TIERS if first <= code <= last)


_ASCII_COSTS = {chr(code): _character_cost(code) for code in range(128)}


def cost_of(text: str) -> int:
    """The total cost of a string; shorter and plainer is less."""
    if text.isascii():
        return sum(map(_ASCII_COSTS.__getitem__, text))
    return sum(_character_cost(ord(char)) for char in text)
