"""The mesh of manifests with the pods that a request names: those whose labels no file spells out are workloads too.

A policy of Istio selects pods by labels, and a request may be for pods that no manifest makes. What is in force there
is told by the labels alone, so the manifests are read again with those pods among the workloads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.backend.target import Pods
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.policy import lift_again
from meshproof.compiler.ir.entities import External

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.mesh import Mesh

_MOST_KEPT = 64


class MeshOfPods:
    """Gives the mesh that each request is asked of. `prepared` is what is done to a mesh before it is asked."""

    def __init__(self, policy: Policy, mesh: Mesh, prepared: Callable[[Mesh], Mesh]) -> None:
        self._policy = policy
        self._mesh = mesh
        self._prepared = prepared
        self._found: dict[Pods, Mesh] = {}

    def mesh_for(self, request: str) -> Mesh:
        """The mesh for a request in JSON: of manifests one in which the pods that it names are a workload."""
        pods = named_pods(request) if self._policy.origin is Origin.ISTIO else None
        if pods is None or _is_there(self._mesh, pods):
            return self._mesh
        if pods not in self._found:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            again = lift_again(self._policy, (pods,))
            self._found[pods] = self._mesh if again is None else self._prepared(again)
        return self._found[pods]


def named_pods(request: str) -> Pods | None:
    """The pods that are the destination of the request, by namespace and labels; None for any other text."""
    try:
        value = json.loads(request)
    except (ValueError, RecursionError):
        return None
    destination = value.get("destination") if isinstance(value, dict) else None
    if not isinstance(destination, dict):
        return None
    namespace, labels = destination.get("namespace"), destination.get("labels")
    if not isinstance(namespace, str) or not isinstance(labels, dict) or "service" in destination:
        return None
    if not all(isinstance(text, str) for text in labels.values()):
        return None
    return Pods(namespace, tuple(sorted(labels.items())))


def _is_there(mesh: Mesh, pods: Pods) -> bool:
    return any(
        not isinstance(node, External) and node.namespace == pods.namespace and node.labels == pods.labels
        for node in mesh.nodes
    )
