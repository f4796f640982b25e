"""Security groups among the files: at which ports of a group's interfaces who may connect.

Nothing is read but what is plain. Whatever else a template says of groups may open more or less, and is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from meshproof.compiler.ir.names import Origin
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.residue.security_groups import ANYWHERE, FROM_GROUP, GROUP, INGRESS, TCP
from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode, Placed

_COMMON = {"GroupId", "IpProtocol", "FromPort", "ToPort"}
_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Groups:
    """Whom each group takes at which port: groups by their names in the template, None for everybody."""

    every: dict[str, dict[int, frozenset[str | None]]]
    origins: dict[str, Origin]


def groups_of(templates: Iterable[MapNode], doubts: Doubts) -> Groups:
    """The groups of these templates, with their rules."""
    reading = _Reading(doubts)
    for tree in templates:
        resources = tree.get("Resources")
        for entry in resources.entries if isinstance(resources, MapNode) else ():
            reading.resource(entry)
    return reading.groups()


class _UnclearError(Exception):
    """A resource says something that is not plain."""


@dataclass(slots=True)
class _Reading:
    doubts: Doubts
    origins: dict[str, Origin] = field(default_factory=dict)
    rules: set[tuple[str, int, str, str]] = field(default_factory=set)

    def resource(self, entry: Entry) -> None:
        """A group or a rule; other kinds of resources are passed over."""
        tree = entry.value
        kind = _text(tree.get("Type")) if isinstance(tree, MapNode) else ""
        if not isinstance(tree, MapNode) or not kind.startswith(GROUP):
            return
        try:
            self._read(kind, entry, _properties(tree))
        except _UnclearError as error:
            self.doubts.add(entry.key, str(error), Origin(tree.span))

    def _read(self, kind: str, entry: Entry, properties: dict[str, Placed]) -> None:
        if kind == INGRESS:
            self.rules.add(_rule(properties))
            return
        if kind != GROUP:
            raise _UnclearError(f"is a `{kind}`")
        if not properties.keys() <= {"GroupDescription", "VpcId"}:
            raise _UnclearError("has rules of its own")
        if entry.key in self.origins:
            raise _UnclearError("stands twice")
        self.origins[entry.key] = Origin(entry.value.span)

    def groups(self) -> Groups:
        """All of it. Everybody is who comes by IPv4 and IPv6."""
        every: dict[str, dict[int, frozenset[str | None]]] = {name: {} for name in self.origins}
        for group, port in sorted({(group, port) for group, port, _, _ in self.rules}):
            own = {(key, value) for at, number, key, value in self.rules if (at, number) == (group, port)}
            taken: set[str | None] = {value for key, value in own if key == FROM_GROUP}
            if own & {*ANYWHERE}:
                # By one of them alone is not everybody, and more than nobody.
                taken.add(None if own >= {*ANYWHERE} else "")
            every.setdefault(group, {})[port] = frozenset(taken)
        return Groups(every, self.origins)


def _properties(tree: MapNode) -> dict[str, Placed]:
    if not {one.key for one in tree.entries} <= {"Type", "Properties"}:
        raise _UnclearError("hangs on more than its properties")
    properties = tree.get("Properties")
    return {one.key: one.value for one in properties.entries} if isinstance(properties, MapNode) else {}


def _rule(properties: dict[str, Placed]) -> tuple[str, int, str, str]:
    """The group, the port, and who may connect: a field and its value."""
    others = properties.keys() - _COMMON
    if len(others) != 1 or not properties.keys() >= _COMMON or _text(properties["IpProtocol"]) != TCP:
        raise _UnclearError("is no rule for one port of TCP and one source")
    first, last = (_number(properties[key]) for key in ("FromPort", "ToPort"))
    if first is None or first != last:
        raise _UnclearError("is for more than one port")
    (key,) = others
    value = properties[key]
    if key == FROM_GROUP:
        return _group_id(properties["GroupId"]), first, key, _group_id(value)
    if (key, _text(value)) not in ANYWHERE:
        raise _UnclearError("is for some addresses")
    return _group_id(properties["GroupId"]), first, key, _text(value)


def _group_id(tree: Placed) -> str:
    """The name of the group of which it is the id."""
    parts = list(_attribute(tree))
    if len(parts) != 2 or parts[1] != "GroupId" or not parts[0]:  # noqa: PLR2004
        raise _UnclearError("names a group that is in no template")
    return parts[0]


def _attribute(tree: Placed) -> Iterator[str]:
    found = tree.get("Fn::GetAtt") if isinstance(tree, MapNode) and len(tree.entries) == 1 else None
    yield from (map(_text, found.items) if isinstance(found, ListNode) else ())


def _number(tree: Placed) -> int | None:
    value = tree.value if isinstance(tree, Leaf) else None
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_PORT
    return value if is_number and isinstance(value, int) else None


def _text(tree: Placed | None) -> str:
    return tree.value if isinstance(tree, Leaf) and isinstance(tree.value, str) else ""
