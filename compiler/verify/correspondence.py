"""Which node of one policy is which of another."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from meshproof.compiler.ir.entities import External, Gateway, Node, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Pairs of nodes, each node in one pair at most; the others are on one side alone."""

    pairs: tuple[tuple[NodeName, NodeName], ...]

    @property
    def to_new(self) -> dict[NodeName, NodeName]:
        """The new name of each old node that has one."""
        return dict(self.pairs)

    @property
    def to_old(self) -> dict[NodeName, NodeName]:
        """The old name of each new node that has one."""
        return {new: old for old, new in self.pairs}


def by_name(old: Mesh, new: Mesh) -> Correspondence:
    """Nodes of one kind and one name."""
    return _matched(old, new, (_name,))


def by_place(old: Mesh, new: Mesh) -> Correspondence:
    """Nodes of one kind and one name; else, for policies against what a platform runs, with one platform name in one
    namespace; else with one identity, or for externals one host. What fits several is matched with none of them.
    """  # noqa: D205
    return _matched(old, new, (_name, _platform_name, _labels, _identity, _hosts))


_Key = Callable[[Node], Hashable | None]


def _matched(old: Mesh, new: Mesh, keys: Iterable[_Key]) -> Correspondence:
    pairs: dict[NodeName, NodeName] = {}
    taken: set[NodeName] = set()
    for key in keys:
        olds = _by(key, (node for node in old.nodes if node.name not in pairs))
        news = _by(key, (node for node in new.nodes if node.name not in taken))
        for value, names in olds.items():
            found = news.get(value, [])
            if len(names) == 1 and len(found) == 1:
                pairs[names[0]] = found[0]
                taken.add(found[0])
    return Correspondence(tuple(sorted(pairs.items())))


def _by(key: _Key, nodes: Iterable[Node]) -> dict[Hashable, list[NodeName]]:
    found: dict[Hashable, list[NodeName]] = {}
    for node in nodes:
        value = key(node)
        if value is not None:
            found.setdefault((_kind(node), value), []).append(node.name)
    return found


def _kind(node: Node) -> str:
    """Whether it is inside, at the edge, or outside: what a lift cannot tell apart is not told apart here."""
    return "external" if isinstance(node, External) else "gateway" if isinstance(node, Gateway) else "service"


def _name(node: Node) -> Hashable:
    return node.name


def _platform_name(node: Node) -> Hashable | None:
    """For a lifted workload, whose name is `NAMESPACE/NAME`, that name."""
    match node:
        case Service(namespace=namespace, platform_name=name):
            return (namespace, name)
        case Gateway(namespace=namespace, name=name):
            return (namespace, str(name).removeprefix(f"{namespace}/"))
        case External():
            return None


def _labels(node: Node) -> Hashable | None:
    return None if isinstance(node, External) else (node.namespace, node.labels)


def _identity(node: Node) -> Hashable | None:
    return None if isinstance(node, External) else node.identity.path


def _hosts(node: Node) -> Hashable | None:
    return frozenset(node.hosts) if isinstance(node, External) else None
