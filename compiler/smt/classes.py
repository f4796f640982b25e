"""The classes of the values of one attribute that the matchers in play can tell apart, as bit masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.patterns import authorities, cidr, pattern, readability, template
from meshproof.compiler.patterns.classes import string_classes
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.patterns.universe import Universe
from meshproof.compiler.smt.solver import Undecided


@dataclass(frozen=True, slots=True)
class Classes:
    """A partition: one readable member of each class, best first, and for each matcher the classes that it takes.

    The order of the classes is the order in which an example prefers them.
    """

    witnesses: tuple[str, ...]
    masks: tuple[tuple[Matcher, int], ...]

    @property
    def every(self) -> int:
        """The mask of all classes."""
        return (1 << len(self.witnesses)) - 1


def pattern_of(matcher: Matcher) -> pattern.Pattern | None:
    """The matcher as a pattern over strings, None for an address block, which takes no other text.

    Raises PatternRefused for text that no front end lets in.
    """
    match matcher:
        case Exact(value, ignore_case):
            return pattern.Exact(value, ignore_case)
        case Prefix(value, ignore_case):
            return pattern.Prefix(value, ignore_case)
        case Suffix(value, ignore_case):
            return pattern.Suffix(value, ignore_case)
        case Segments(text):
            return parse_segments(text)
        case Template(text):
            return template.parse_template(text)
        case Regex(text):
            return pattern.Regex(text)
        case Present():
            return pattern.AnyText()
        case Cidr():
            return None
        case _:
            assert_never(matcher)


def is_match(matcher: Matcher, text: str) -> bool:
    """Whether one known string passes the matcher."""
    try:
        found = pattern_of(matcher)
        return found is not None and pattern.matches(found, text)
    except (PatternRefused, PatternTooLarge) as refusal:
        raise Undecided(refusal.reason) from refusal


@lru_cache(maxsize=4096)
def text_classes(matchers: tuple[Matcher, ...], universe: Universe, samples: tuple[str, ...] = ()) -> Classes:
    """The classes of strings of a universe. Classes that hold a sample come first, in the order of the samples.

    Raises Undecided if there are too many, or an expression that cannot be taken.
    """
    try:
        return _classes(matchers, [pattern_of(matcher) for matcher in matchers], universe, samples)
    except (PatternRefused, PatternTooLarge) as refusal:
        raise Undecided(refusal.reason) from refusal


@lru_cache(maxsize=1024)
def authority_classes(
    raw: tuple[Matcher, ...], hosts: tuple[Matcher, ...], samples: tuple[str, ...] = ()
) -> tuple[Classes, Mapping[Matcher, int]]:
    """The classes of authorities as they are sent, by tests of them and of their hosts; and what the latter take.

    Raises Undecided as `text_classes` does.
    """
    try:
        found = [pattern_of(matcher) for matcher in hosts]
        sent = [None if one is None else authorities.as_sent(one) for one in found]
        patterns = [*map(pattern_of, raw), *sent]
        classes = _classes((*raw, *hosts), patterns, authorities.authorities(), samples)
    except (PatternRefused, PatternTooLarge) as refusal:
        raise Undecided(refusal.reason) from refusal
    return Classes(classes.witnesses, classes.masks[: len(raw)]), dict(classes.masks[len(raw) :])


def _classes(
    matchers: tuple[Matcher, ...],
    patterns: Sequence[pattern.Pattern | None],
    universe: Universe,
    samples: tuple[str, ...],
) -> Classes:
    """The classes that the patterns tell apart, each of which stands for a matcher (None: it takes no text)."""
    known = [one for one in patterns if one is not None]
    found = string_classes(known, universe, samples)
    rank = {sample: position for position, sample in enumerate(dict.fromkeys((*samples, *universe.examples)))}
    ordered = sorted(found, key=lambda one: (rank.get(one.witness, len(rank)), *_plainness(one.witness)))
    bits = iter(range(len(known)))
    masks = []
    for matcher, one in zip(matchers, patterns, strict=True):
        bit = None if one is None else next(bits)
        masks.append((matcher, 0 if bit is None else _mask([entry.signature >> bit & 1 for entry in ordered])))
    return Classes(tuple(entry.witness for entry in ordered), tuple(masks))


@lru_cache(maxsize=1024)
def address_classes(matchers: tuple[Matcher, ...]) -> Classes:
    """The classes of IP addresses. A single address may stand as text; other matchers of text are refused."""
    blocks: dict[Matcher, cidr.Network] = {}
    for matcher in matchers:
        block = _block(matcher)
        if block is not None:
            blocks[matcher] = block
    found = cidr.address_classes(tuple(blocks.values()))
    ordered = sorted(found, key=lambda one: (one.signature != 0, ":" in one.witness, one.witness))
    masks: dict[Matcher, int] = {
        matcher: _mask([entry.signature >> bit & 1 for entry in ordered]) for bit, matcher in enumerate(blocks)
    }
    every = (1 << len(ordered)) - 1
    known = tuple((one, every if isinstance(one, Present) else masks.get(one, 0)) for one in matchers)
    return Classes(tuple(entry.witness for entry in ordered), known)


def _block(matcher: Matcher) -> cidr.Network | None:
    """The addresses that the matcher takes as a block; None if it takes all (`Present`) or none."""
    try:
        match matcher:
            case Cidr(network):
                return cidr.parse_network(network)
            case Exact(value):
                address = cidr.canonical_address(value)
                return cidr.parse_network(value) if str(address) == value else None
            case Present():
                return None
            case _:
                raise Undecided("an address is compared with a pattern of text")
    except PatternRefused as refusal:
        raise Undecided(refusal.reason) from refusal


def _mask(bits: Sequence[int]) -> int:
    return sum(bit << position for position, bit in enumerate(bits))


def _plainness(text: str) -> tuple[int, str]:
    return readability.cost_of(text), text
