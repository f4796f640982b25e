"""Parts of a document as plain values. What has the wrong type is left out here: admission reports it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.source import Span
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed

EMPTY = MapNode((), Span("", 0, 0))


@dataclass(frozen=True, slots=True)
class Text:
    """A string and its place."""

    value: str
    origin: Origin


def origin_of(node: Placed) -> Origin:
    """The place of a value."""
    return Origin(node.span)


def mapping(node: Placed | None) -> MapNode:
    """The mapping, or an empty one for anything else."""
    return node if isinstance(node, MapNode) else EMPTY


def items(node: Placed | None) -> tuple[Placed, ...]:
    """The items of a sequence; none of anything else."""
    return node.items if isinstance(node, ListNode) else ()


def mappings(node: Placed | None) -> tuple[MapNode, ...]:
    """The items of a sequence that are mappings."""
    return tuple(item for item in items(node) if isinstance(item, MapNode))


def text(node: Placed | None) -> str | None:
    """The string; None of anything else, an empty string too."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) and node.value else None


def number(node: Placed | None) -> int | None:
    """The whole number; None of anything else. A float without a fraction is one, as in JSON."""
    if not isinstance(node, Leaf) or isinstance(node.value, bool):
        return None
    if isinstance(node.value, float) and node.value.is_integer():
        return int(node.value)
    return node.value if isinstance(node.value, int) else None


def flag(node: Placed | None) -> bool | None:
    """True or false; None of anything else."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, bool) else None


def texts(node: Placed | None) -> tuple[Text, ...]:
    """The strings of a sequence, empty ones too."""
    return tuple(
        Text(item.value, Origin(item.span))
        for item in items(node)
        if isinstance(item, Leaf) and isinstance(item.value, str)
    )


def pairs(node: Placed | None) -> tuple[tuple[str, str], ...]:
    """The entries of a mapping whose values are strings, sorted by key: labels and annotations."""
    found = mapping(node).entries
    return tuple(
        sorted(
            (entry.key, entry.value.value)
            for entry in found
            if isinstance(entry.value, Leaf) and isinstance(entry.value.value, str)
        )
    )
