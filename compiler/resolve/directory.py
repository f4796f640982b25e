"""The nodes of one environment, indexed: every look-up of the resolver is one access to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.names import NodeName


def namespace_prefix(domain: str, namespace: str) -> str:
    """How the identities begin that Kubernetes meshes give to the accounts of a namespace."""
    return f"spiffe://{domain}/ns/{namespace}/"


@dataclass(frozen=True, slots=True)
class Directory:
    """Services, gateways and externals by name, and the callers among them by what sets go by.

    `ports` are the workloads', `opaque` those of them that carry TCP. Names in the tables are sorted. `by_prefix`
    goes by the start of an identity, `spiffe://DOMAIN/ns/NAMESPACE/`. `tags` are those of any environment. `shared`
    has the identities that more than one caller has.
    """

    nodes: dict[NodeName, Node]
    ports: dict[NodeName, frozenset[int]]
    opaque: dict[NodeName, frozenset[int]]
    services: tuple[NodeName, ...]
    callers: tuple[NodeName, ...]
    by_namespace: dict[str, tuple[NodeName, ...]]
    by_prefix: dict[str, tuple[NodeName, ...]]
    by_tag: dict[str, tuple[NodeName, ...]]
    shared: dict[str, tuple[NodeName, ...]]
    tags: frozenset[str]

    @classmethod
    def of(cls, nodes: Iterable[Node], tags: Iterable[str] = ()) -> Directory:
        """The directory of these nodes; `tags` are known although no node here may have them."""
        by_name = {node.name: node for node in sorted(nodes, key=lambda node: node.name)}
        by_namespace: dict[str, list[NodeName]] = {}
        by_prefix: dict[str, list[NodeName]] = {}
        by_tag: dict[str, list[NodeName]] = {}
        by_identity: dict[str, list[NodeName]] = {}
        for node in by_name.values():
            if isinstance(node, External):
                continue
            by_namespace.setdefault(node.namespace, []).append(node.name)
            by_identity.setdefault(node.identity.uri, []).append(node.name)
            parts = node.identity.path.split("/", 3)
            if len(parts) == 4 and parts[1] == "ns":  # noqa: PLR2004  "", "ns", the namespace, the rest
                by_prefix.setdefault(namespace_prefix(node.identity.trust_domain, parts[2]), []).append(node.name)
            for tag in node.tags if isinstance(node, Service) else ():
                by_tag.setdefault(tag, []).append(node.name)
        return cls(
            nodes=by_name,
            ports={name: frozenset(port.workload for port in node.ports) for name, node in by_name.items()},
            opaque={name: _opaque(node) for name, node in by_name.items()},
            services=tuple(name for name, node in by_name.items() if isinstance(node, Service)),
            callers=tuple(name for name, node in by_name.items() if not isinstance(node, External)),
            by_namespace=_frozen(by_namespace),
            by_prefix=_frozen(by_prefix),
            by_tag=_frozen(by_tag),
            shared={uri: tuple(names) for uri, names in by_identity.items() if len(names) > 1},
            tags=frozenset((*by_tag, *tags)),
        )

    def caller(self, name: NodeName) -> Service | Gateway | None:
        """The node if it is one that calls with an identity."""
        node = self.nodes.get(name)
        return None if node is None or isinstance(node, External) else node


def _opaque(node: Node) -> frozenset[int]:
    return frozenset(port.workload for port in node.ports if port.layer is Layer.TCP)


def _frozen(table: dict[str, list[NodeName]]) -> dict[str, tuple[NodeName, ...]]:
    return {key: tuple(names) for key, names in table.items()}
