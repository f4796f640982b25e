"""NetworkPolicies: what the network of Kubernetes keeps away from proxies, and from pods that have none.

A pod is isolated as soon as one policy for its ingress selects it; then it takes what one of them opens, and what its
own node sends (Kubernetes, "Network Policies"; fields: networking.k8s.io/v1). Who calls is for listeners to judge, so
ports are open to everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from meshproof.compiler.backend.residual import Residual
from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.render.naming import object_name
from meshproof.targets.appmesh.residue.workloads import Kind, Labels, Workload

API_VERSION = "networking.k8s.io/v1"
KIND = "NetworkPolicy"
INGRESS = "Ingress"
TCP = "TCP"
_CLOSED = "meshproof-closed"

_PORTS = (
    "NetworkPolicies alone close ports without a listener, 15001 and 9901 among them: apply them, with a network "
    "plugin that enforces them"
)
_PODS = "NetworkPolicies alone keep callers from what the policy does not declare: the namespace is closed by them"
_MORE = "NetworkPolicies add up: any other one there can open more, and whatever has the labels of a workload is one"
_NODES = "NetworkPolicies hold neither for pods with hostNetwork nor for what the node of a pod sends to it"


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The pods with these labels (all, if there are none) take connections at `ports`, and elsewhere by others' leave.

    `subject` is the workload or namespace that it is about.
    """

    namespace: str
    name: str
    labels: Labels
    ports: tuple[int, ...]
    subject: str


def network_policies(workloads: Iterable[Workload], closed: Collection[str]) -> tuple[NetworkPolicy, ...]:
    """One for each workload and one for each closed namespace, sorted. Every workload has labels."""
    return tuple(sorted((*_closing(closed), *map(_opening, workloads)), key=lambda one: (one.namespace, one.name)))


def document(policy: NetworkPolicy) -> dict[str, Json]:
    """The object, as the API server takes it."""
    ports: list[Json] = [{"protocol": TCP, "port": port} for port in policy.ports]
    selector: dict[str, Json] = {"matchLabels": dict(policy.labels)} if policy.labels else {}
    spec: dict[str, Json] = {"podSelector": selector, "policyTypes": [INGRESS]}
    if ports:
        spec["ingress"] = [{"ports": ports}]
    metadata: dict[str, Json] = {
        "name": policy.name,
        "namespace": policy.namespace,
        "labels": {"app.kubernetes.io/managed-by": "meshproof"},
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def network_residuals(policies: Collection[NetworkPolicy]) -> Iterator[Residual]:
    """What is left to others where these close the network."""
    namespaces = _sorted(one.namespace for one in policies)
    closed = _sorted(one.namespace for one in policies if not one.labels)
    for text, names in ((_PORTS, namespaces), (_PODS, closed), (_MORE, namespaces), (_NODES, namespaces)):
        if names:
            yield Residual("R11", text, names)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _closing(closed: Collection[str]) -> Iterator[NetworkPolicy]:
    yield from (NetworkPolicy(name, _CLOSED, (), (), name) for name in closed)


def _opening(one: Workload) -> NetworkPolicy:
    # Without labels it would be for every pod, and open the ports of one at all.
    assert one.labels, f"no pods are known of {one.name}"
    # The names of gates are of no other form, and begin in the same way.
    name = one.name if one.kind is Kind.GATE else object_name(f"meshproof-{one.kind}-{one.name}")
    return NetworkPolicy(one.namespace, name, one.labels, one.ports, one.name)
