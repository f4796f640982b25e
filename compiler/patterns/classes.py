"""The exact partition of strings into the classes that given patterns can tell apart: the ground of every proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.partition import Limits, Partition
from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, to_automaton
from meshproof.compiler.patterns.product_classes import ProductPartition
from meshproof.compiler.patterns.segment_classes import SegmentLike, SegmentPartition
from meshproof.compiler.patterns.segments import SegmentPattern
from meshproof.compiler.patterns.simplify import simplify
from meshproof.compiler.patterns.universe import Universe, any_text, is_uninhabited, of_automaton

Within: TypeAlias = Universe | Automaton | Pattern | None
_DEFAULT_LIMITS = Limits()
_DOT_IN_FRONT = re.compile(r"(?<![^/])\.")


@dataclass(frozen=True, slots=True)
class StringClass:
    """The strings that match exactly these patterns: bit `i` of `signature` is the `i`th pattern. Never empty.

    `witness` is one of them.
    """

    signature: int
    witness: str


def string_classes(
    patterns: Sequence[Pattern],
    within: Within = None,
    samples: Sequence[str] = (),
    limits: Limits = _DEFAULT_LIMITS,
) -> tuple[StringClass, ...]:
    """Every set of the patterns that some string of the universe matches, exactly once, sorted by signature.

    The universe is all text by default. The witness of a class is the first of `samples`, then of the universe's own
    examples, that is in it; else the string that reads best. Equal input gives equal output.
    Raises PatternRefused for an expression that cannot be taken, PatternTooLarge past the limits.
    """
    universe = _universe(within)
    if is_uninhabited(universe):
        return ()
    masks: dict[Pattern, int] = {}
    for bit, pattern in enumerate(patterns):
        plain = simplify(pattern, universe)
        masks[plain] = masks.get(plain, 0) | 1 << bit
    always = masks.pop(AnyText(), 0)
    partition = _partition(universe, masks, limits)
    witnesses = {mask: _plainer(text, mask, universe, partition) for mask, text in partition.witnesses.items()}
    for sample in reversed(tuple(_members(universe, (*samples, *universe.examples)))):
        signature = partition.signature_of(sample)
        if signature not in witnesses:
            raise AssertionError(f"the partition misses the class of {sample!r}")
        witnesses[signature] = sample
    return tuple(
        StringClass(signature, witness)
        for signature, witness in sorted((signature | always, text) for signature, text in witnesses.items())
    )


def _plainer(text: str, signature: int, universe: Universe, partition: Partition) -> str:
    """`/a.html` for `/.html`, `/api/a` for `/api/`, if that is in the same class."""
    filled = _DOT_IN_FRONT.sub("a.", text)
    for candidate in dict.fromkeys((filled + "a", filled) if len(filled) > 1 and filled[-1] == "/" else (filled,)):
        is_member = candidate != text and universe.language.accepts(candidate)
        if is_member and partition.signature_of(candidate) == signature:
            return candidate
    return text


def _universe(within: Within) -> Universe:
    if within is None:
        return any_text()
    if isinstance(within, Universe):
        return within
    return of_automaton(within if isinstance(within, Automaton) else to_automaton(within))


def _members(universe: Universe, texts: Iterable[str]) -> Iterable[str]:
    return (text for text in dict.fromkeys(texts) if universe.language.accepts(text))


def _partition(universe: Universe, masks: dict[Pattern, int], limits: Limits) -> Partition:
    if universe.segment is not None:
        segmental = [(pattern, mask) for pattern, mask in masks.items() if isinstance(pattern, SegmentLike)]
        if len(segmental) == len(masks) and not any(_ignores_case(pattern) for pattern, _ in segmental):
            return SegmentPartition(universe.segment, segmental, limits)
    return product_partition(universe, masks, limits)


def product_partition(universe: Universe, masks: dict[Pattern, int], limits: Limits = _DEFAULT_LIMITS) -> Partition:
    """The partition by automata, which takes patterns of every kind. Masks of different patterns share no bit."""
    exact: dict[str, int] = {}
    others: list[tuple[Automaton, int]] = []
    for pattern, mask in masks.items():
        if isinstance(pattern, Exact) and not pattern.ignore_case:
            exact[pattern.value] = mask
        else:
            others.append((to_automaton(pattern), mask))
    return ProductPartition(universe.language, exact, others, limits)


def _ignores_case(pattern: SegmentLike) -> bool:
    return not isinstance(pattern, SegmentPattern) and pattern.ignore_case
