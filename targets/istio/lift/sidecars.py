"""Sidecar objects: which hosts and routes a sender's proxy knows, and what it does with the rest."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.hosts import ANY, covers, meet
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import mapping, mappings, number, pairs, text, texts
from meshproof.targets.istio.lift.workloads import Workload


@dataclass(frozen=True, slots=True)
class Import:
    """Hosts that an `egress` item brings: `NAMESPACE/HOST`, at one port or (None) at all."""

    namespace: str
    host: str
    port: int | None

    def brings(self, namespace: str, host: str, port: int | None) -> bool:
        """Whether a host that an object in the namespace declares is brought, at a port that is dialled."""
        is_at = self.port is None or port is None or self.port == port
        return is_at and self.namespace in {ANY, namespace} and covers(self.host, host)


@dataclass(frozen=True, slots=True)
class View:
    """What the proxies of some senders know. `imports` None is everything that is exported to the namespace.

    `is_closed`: what the proxy does not know is refused (REGISTRY_ONLY).
    """

    namespace: str
    imports: tuple[Import, ...] | None
    is_closed: bool

    def knows(self, namespace: str, host: str, port: int | None = None) -> bool:
        """Whether it knows a host that is exported to it."""
        return self.imports is None or any(one.brings(namespace, host, port) for one in self.imports)

    def knows_some(self, namespace: str, hosts: tuple[str, ...]) -> bool:
        """Whether it knows an object with these hosts: one of them is enough, and it comes as a whole."""
        if self.imports is None:
            return True
        near = [one for one in self.imports if one.namespace in {ANY, namespace}]
        return any(meet(one.host, host) is not None for one in near for host in hosts)


class Sidecars:
    """All Sidecar objects and the mesh's own policy for what goes outside."""

    def __init__(self, context: LiftContext) -> None:
        self._root = context.settings.root_namespace
        self._is_closed = _is_closed(context.settings.config.get("outboundTrafficPolicy")) or False
        objects = sorted(context.objects.of(Kind.SIDECAR), key=lambda one: one.age_key)
        self._selecting = [one for one in objects if _labels(one)]
        self._plain = [one for one in objects if not _labels(one)]

    @property
    def selecting_namespaces(self) -> frozenset[str]:
        """The namespaces in which workloads have Sidecar objects of their own."""
        return frozenset(one.namespace for one in self._selecting)

    def view(self, namespace: str, workload: Workload | None) -> View:
        """What a sender knows, by the one Sidecar that is in force: its own, its namespace's, or the root's."""
        found = self._in_force(namespace, workload)
        if found is None:
            return View(namespace, None, self._is_closed)
        own = _is_closed(found.spec.get("outboundTrafficPolicy"))
        egress = mappings(found.spec.get("egress"))
        imports = tuple(dict.fromkeys(one for item in egress for one in _imports(item, namespace)))
        return View(namespace, imports if egress else None, self._is_closed if own is None else own)

    def _in_force(self, namespace: str, workload: Workload | None) -> KubeObject | None:
        if workload is not None:
            for one in self._selecting:
                if one.namespace == namespace and workload.has_labels(_labels(one)):
                    return one
        for place in (namespace, self._root):
            for one in self._plain:
                if one.namespace == place:
                    return one
        return None


def _labels(source: KubeObject) -> tuple[tuple[str, str], ...]:
    return pairs(source.spec.at("workloadSelector", "labels"))


def _is_closed(policy: object) -> bool | None:
    """What an `outboundTrafficPolicy` says: one without a mode is REGISTRY_ONLY, none says nothing."""
    if not isinstance(policy, MapNode):
        return None
    return text(policy.get("mode")) != "ALLOW_ANY"


def _imports(item: MapNode, own: str) -> tuple[Import, ...]:
    port = number(mapping(item.get("port")).get("number"))
    found: list[Import] = []
    for one in texts(item.get("hosts")):
        namespace, slash, host = one.value.partition("/")
        if not slash:
            namespace, host = ANY, namespace
        if namespace != "~":
            found.append(Import(own if namespace == "." else namespace, host, port))
    return tuple(found)
