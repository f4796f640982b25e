"""Which field of which kind means something here, and which does not: all of them are accounted for.

A table names fields by dotted paths: `[]` after a list, `*` for any key of a map, and `**` last for everything below;
a key with dots stands in single quotes. The longest pattern that fits a field decides. What no pattern fits is a field
that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from meshproof.compiler.ir.names import Origin
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed


class Status(StrEnum):
    """`READ`: it is in the lifted mesh. `IRRELEVANT`: no request is decided or routed differently for it.

    `UNMODELLED`: it may matter and is not in the mesh; verdicts that it may change are unknown.
    """

    READ = "read"
    IRRELEVANT = "irrelevant"
    UNMODELLED = "unmodelled"


_PART = re.compile(r"'([^']*)'|(\[\]|[^.\[\]']+)")

FieldTable: TypeAlias = Mapping[str, Status]
"""Patterns of paths, and what holds for the fields that they fit."""


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field of one object: a value that holds no others. `status` is None for one that is not known."""

    path: str
    status: Status | None
    origin: Origin


@dataclass(slots=True)
class _Branch:
    status: Status | None = None
    rest: Status | None = None
    below: dict[str, _Branch] = field(default_factory=dict)


class FieldPatterns:
    """A table, made ready for looking up."""

    def __init__(self, table: FieldTable) -> None:
        self._root = _Branch()
        for pattern, status in table.items():
            self._add(pattern, status)

    def _add(self, pattern: str, status: Status) -> None:
        branch = self._root
        for quoted, bare in _PART.findall(pattern):
            part = quoted or bare
            if part == "**":
                branch.rest = status
                return
            branch = branch.below.setdefault(part, _Branch())
        branch.status = status

    def uses_in(self, tree: MapNode) -> tuple[FieldUse, ...]:
        """Every field of the object. Empty mappings and lists are fields too, and null is none."""
        found: list[FieldUse] = []
        _add_uses((found, {}), tree, (self._root, None), "")
        return tuple(found)

    def others_in(self, tree: MapNode, counts: dict[Status, int]) -> tuple[FieldUse, ...]:
        """The fields whose status is none of those that are counted; of the latter the numbers are added up."""
        found: list[FieldUse] = []
        _add_uses((found, counts), tree, (self._root, None), "")
        return tuple(found)


_Account: TypeAlias = tuple[list[FieldUse], dict[Status, int]]


def _add_uses(account: _Account, node: Placed, at: tuple[_Branch | None, Status | None], path: str) -> None:
    """Count the fields below a value if their status is counted, else add them.

    `at` is where the path of the value leads in a table, and what holds there for all below.
    """
    branch, rest = at
    if branch is not None and branch.rest is not None:
        rest = branch.rest
    match node:
        case Leaf(value=None):
            return
        case MapNode(entries=entries) if entries:
            for entry in entries:
                place = f"{path}.{entry.key}" if path else entry.key
                _add_uses(account, entry.value, (_below(branch, entry.key), rest), place)
        case ListNode(items=items) if items:
            inner = _below(branch, "[]")
            for index, item in enumerate(items):
                _add_uses(account, item, (inner, rest), f"{path}[{index}]")
        case _:
            own = None if branch is None else branch.status
            is_container = branch is not None and bool(branch.below) and not isinstance(node, Leaf)
            status = own or rest or (Status.READ if is_container else None)
            found, counts = account
            if status is not None and status in counts:
                counts[status] += 1
            else:
                found.append(FieldUse(path, status, Origin(node.span)))


def _below(branch: _Branch | None, key: str) -> _Branch | None:
    if branch is None:
        return None
    found = branch.below.get(key)
    return branch.below.get("*") if found is None and key != "[]" else found
