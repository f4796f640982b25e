"""Workloads that are known from elsewhere: of a policy whose emitted files name pods by their labels alone."""

from __future__ import annotations

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.workloads import Role, Workload


def known_workloads(mesh: Mesh) -> tuple[Workload, ...]:
    """The services and gateways as workloads: names, labels, ports and identities, and nothing of what rules say."""
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return tuple(_workload(node) for node in nodes)


def _workload(node: Service | Gateway) -> Workload:
    return Workload(
        name=node.name,
        namespace=node.namespace,
        labels=tuple(sorted(node.labels)),
        account=node.account,
        ports=node.ports,
        services=(),
        membership=Membership.SIDECAR,
        role=Role.GATEWAY if isinstance(node, Gateway) else Role.SIDECAR,
        origin=node.origin,
        node=node,
    )
