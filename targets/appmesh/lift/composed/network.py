"""NetworkPolicies among the files: which ports of pods they open, and which namespaces they close.

Nothing is read but what is plain. Whatever else an object says may open more or less, and is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.names import Origin
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.residue.network import API_VERSION, INGRESS, KIND, TCP
from meshproof.targets.appmesh.residue.workloads import Labels
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed

_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Isolating:
    """The pods of `namespace` with these labels (all, if there are none) are isolated but for `ports`."""

    name: str
    namespace: str
    labels: Labels
    ports: frozenset[int]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Policies:
    """All that were understood."""

    every: tuple[Isolating, ...] = ()

    def ports(self, namespace: str, labels: Labels) -> frozenset[int] | None:
        """The ports that are open at pods with these labels; None if they are not isolated, so that all are."""
        own = [one for one in self.every if one.namespace == namespace and set(one.labels) <= set(labels)]
        return frozenset(port for one in own for port in one.ports) if own else None

    @property
    def closed(self) -> dict[str, Origin]:
        """The namespaces of which pods that no other policy selects take nothing."""
        whole = [one for one in self.every if not one.labels]
        opened = {one.namespace for one in whole if one.ports}
        return {one.namespace: one.origin for one in whole if one.namespace not in opened}


def policies_of(trees: Iterable[MapNode], doubts: Doubts) -> Policies:
    """The policies among these objects; others are passed over."""
    found: dict[tuple[str, str], Isolating] = {}
    for tree in trees:
        if (_text(tree.get("apiVersion")), _text(tree.get("kind"))) != (API_VERSION, KIND):
            continue
        try:
            one = _policy(tree)
        except _UnclearError as error:
            doubts.add(_text(tree.at("metadata", "name")) or KIND, str(error), Origin(tree.span))
            continue
        if found.setdefault((one.namespace, one.name), one) is not one:
            doubts.add(one.name, "stands twice, and one of them takes the place of the other", one.origin)
    return Policies(tuple(found[key] for key in sorted(found)))


class _UnclearError(Exception):
    """An object says something that is not plain."""


def _policy(tree: MapNode) -> Isolating:
    name, namespace = _text(tree.at("metadata", "name")), _text(tree.at("metadata", "namespace"))
    spec = tree.get("spec")
    if not name or not namespace or not isinstance(spec, MapNode):
        raise _UnclearError("has no name, no namespace or no spec")
    if not _has_only(spec, "podSelector", "policyTypes", "ingress"):
        raise _UnclearError("says more than what comes in")
    types = spec.get("policyTypes")
    if not isinstance(types, ListNode) or [_text(one) for one in types.items] != [INGRESS]:
        raise _UnclearError("is not for what comes in alone")
    rules = spec.get("ingress")
    if spec.entry("ingress") is not None and not isinstance(rules, ListNode):
        raise _UnclearError("opens something that is no list")
    ports = frozenset(port for rule in (rules.items if isinstance(rules, ListNode) else ()) for port in _ports(rule))
    return Isolating(name, namespace, _labels(spec.get("podSelector")), ports, Origin(tree.span))


def _labels(selector: Placed | None) -> Labels:
    """The labels of a selector. Kubernetes takes no policy without one."""
    if not isinstance(selector, MapNode) or not _has_only(selector, "matchLabels"):
        raise _UnclearError("selects pods otherwise than by labels that they have")
    written = selector.get("matchLabels")
    if selector.entry("matchLabels") is None:
        return ()
    if not isinstance(written, MapNode) or not all(_is_text(entry.value) for entry in written.entries):
        raise _UnclearError("selects pods by what are no labels")
    return tuple(sorted((entry.key, _text(entry.value)) for entry in written.entries))


def _ports(rule: Placed) -> Iterator[int]:
    """The ports of a rule. One without any opens all of them, and one without callers is for everybody."""
    ports = rule.get("ports") if isinstance(rule, MapNode) else None
    if not isinstance(ports, ListNode) or not ports.items:
        raise _UnclearError("opens every port")
    if not isinstance(rule, MapNode) or not _has_only(rule, "ports"):
        raise _UnclearError("opens ports to some callers alone")
    for one in ports.items:
        port = one.get("port") if isinstance(one, MapNode) else None
        number = port.value if isinstance(port, Leaf) else None
        if not isinstance(one, MapNode) or not _has_only(one, "protocol", "port") or _text(one.get("protocol")) != TCP:
            raise _UnclearError("opens ports otherwise than one by one, for TCP")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _MOST_PORT:
            raise _UnclearError("opens ports otherwise than by their numbers")
        yield number


def _has_only(tree: MapNode, *names: str) -> bool:
    return all(entry.key in names for entry in tree.entries)


def _is_text(tree: Placed) -> bool:
    return isinstance(tree, Leaf) and isinstance(tree.value, str)


def _text(tree: Placed | None) -> str:
    return tree.value if isinstance(tree, Leaf) and isinstance(tree.value, str) else ""
