"""What every node of the tree has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.dsl.source import Span

NOWHERE = Span("", 0, 0)
"""The place of a node that was built and not read; spans never take part in comparing trees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything written in a policy. `span` runs from its first to its last character and is not compared."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Flag(Node):
    """A word that says something by standing there (`closed`, `strip`, `originate`): present or `None`."""
