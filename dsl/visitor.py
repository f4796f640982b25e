"""Walking a tree without knowing its kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from meshproof.dsl.ast.node import Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly in `node`, in the order of its fields."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node) -> Iterator[Node]:
    """`node` and every node below it, parents first."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(tuple(children(current))))
