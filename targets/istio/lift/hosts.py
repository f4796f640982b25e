"""Host names as Istio's objects write them: short ones, wildcards, which of two is closer, and who may see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from meshproof.compiler.ir.matchers import Exact, Suffix
from meshproof.compiler.ir.predicate import Always, Host, Predicate, Test
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import Placed
from meshproof.targets.istio.lift.values import texts

ItemT = TypeVar("ItemT")

ANY = "*"
MESH = "mesh"
"""The name under which sidecars stand among gateways."""


def full_host(host: str, namespace: str, cluster_domain: str) -> str:
    """The full name: one without a dot is short for the Service of that name in the namespace of the object.

    `NAME.NAMESPACE` is no short name to Istio's objects; it is taken as it stands.
    """
    host = lower_ascii(host)
    if host == ANY or "." in host:
        return host
    return f"{host}.{namespace}.svc.{cluster_domain}"


def is_wild(host: str) -> bool:
    """Whether the name is a pattern."""
    return host.startswith("*")


def covers(pattern: str, host: str) -> bool:
    """Whether every name that `host` takes is one that `pattern` takes."""
    if pattern in {ANY, host}:
        return True
    return is_wild(pattern) and host.endswith(pattern[1:]) and host != pattern[1:]


def meet(one: str, other: str) -> str | None:
    """The names that both take: the closer of the two, None where they have none in common."""
    if covers(one, other):
        return other
    return one if covers(other, one) else None


class ByHost(Generic[ItemT]):
    """Items with host names each, for finding those of which a name covers a host without asking all of them."""

    def __init__(self, items: Iterable[tuple[ItemT, tuple[str, ...]]]) -> None:
        self._items: list[ItemT] = []
        self._exact: dict[str, list[int]] = {}
        self._wild: list[tuple[str, int]] = []
        for index, (item, names) in enumerate(items):
            self._items.append(item)
            for name in names:
                if is_wild(name):
                    self._wild.append((name, index))
                else:
                    self._exact.setdefault(name, []).append(index)

    def covering(self, host: str) -> list[ItemT]:
        """The items of which some name covers the host, each once, in the order in which they were given."""
        found = {*self._exact.get(host, ()), *(index for name, index in self._wild if covers(name, host))}
        return [self._items[index] for index in sorted(found)]


def closeness(host: str) -> tuple[bool, int, str]:
    """Sorts names, the closest first: exact ones, then long wildcards before short ones."""
    return (is_wild(host), -len(host), host)


def host_test(host: str) -> Predicate:
    """That a request is for one of these names, whatever port stands behind them."""
    if host == ANY:
        return Always()
    return Test(Host(), Suffix(host[1:]) if is_wild(host) else Exact(host))


@dataclass(frozen=True, slots=True)
class Exports:
    """The namespaces that see an object: None is all of them."""

    namespaces: frozenset[str] | None

    def reach(self, namespace: str) -> bool:
        """Whether the namespace sees the object."""
        return self.namespaces is None or namespace in self.namespaces


def exports_of(node: Placed | None, namespace: str, default: Exports) -> Exports:
    """What `exportTo` of an object in the namespace says; nothing said is what the mesh's configuration says."""
    return exports_to((one.value for one in texts(node)), namespace, default)


def exports_to(values: Iterable[str], namespace: str, default: Exports) -> Exports:
    """The same of the values themselves: `*` is all, `.` the own namespace, `~` none."""
    found = tuple(values)
    if not found:
        return default if default.namespaces is None else _own(default, namespace)
    if ANY in found:
        return Exports(None)
    return Exports(frozenset(namespace if one == "." else one for one in found if one != "~"))


def _own(default: Exports, namespace: str) -> Exports:
    names = default.namespaces or frozenset()
    return Exports(frozenset(namespace if name == "." else name for name in names))


def default_exports(node: Placed | None) -> Exports:
    """What the mesh's configuration says for objects that say nothing: all namespaces, unless it says otherwise."""
    values = tuple(one.value for one in texts(node))
    if not values or ANY in values:
        return Exports(None)
    return Exports(frozenset(one for one in values if one != "~"))
