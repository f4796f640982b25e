"""Sets of characters as sorted, disjoint, non-adjacent ranges of code points.

The alphabet is every code point that a Python string can hold. Text never holds surrogates; patterns of RE2 never match
them (`SCALARS`), and only a universe may let them in, as bytes that are not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
CharSet: TypeAlias = tuple[Range, ...]

LAST = 0x10FFFF
EVERY: CharSet = ((0, LAST),)
SURROGATES: CharSet = ((0xD800, 0xDFFF),)
SCALARS: CharSet = ((0, 0xD7FF), (0xE000, LAST))


def of(text: str) -> CharSet:
    """The set of the characters of `text`."""
    return union((ord(char), ord(char)) for char in text)


def union(ranges: Iterable[Range]) -> CharSet:
    """The set that the ranges, in any order and overlapping at will, cover together."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(charset: CharSet) -> CharSet:
    """Every code point, surrogates included, that is not in the set."""
    gaps: list[Range] = []
    following = 0
    for low, high in charset:
        if low > following:
            gaps.append((following, low - 1))
        following = high + 1
    if following <= LAST:
        gaps.append((following, LAST))
    return tuple(gaps)


def intersection(one: CharSet, other: CharSet) -> CharSet:
    """What is in both sets."""
    common: list[Range] = []
    left = right = 0
    while left < len(one) and right < len(other):
        low = max(one[left][0], other[right][0])
        high = min(one[left][1], other[right][1])
        if low <= high:
            common.append((low, high))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return tuple(common)


def difference(one: CharSet, other: CharSet) -> CharSet:
    """What is in the first set and not in the second."""
    return intersection(one, complement(other))


def fold_ascii(charset: CharSet) -> CharSet:
    """The set with both cases of each ASCII letter in it."""
    upper = intersection(charset, ((ord("A"), ord("Z")),))
    lower = intersection(charset, ((ord("a"), ord("z")),))
    swapped = [(low + 32, high + 32) for low, high in upper] + [(low - 32, high - 32) for low, high in lower]
    return union([*charset, *swapped])
