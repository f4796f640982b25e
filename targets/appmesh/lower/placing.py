"""Where the objects of Kubernetes stand, and which pods are of which node."""

from __future__ import annotations

from collections.abc import Collection

from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.naming import gate_labels
from meshproof.targets.appmesh.render.kubernetes import Placement


def placement(context: Context, gates: Collection[str]) -> Placement:
    """Nodes and gateways where their pods are, since they select pods of their own namespace; all else in one."""
    pods = {gate: dict(gate_labels(gate)) for gate in gates}
    placed = dict.fromkeys(gates, context.gate_namespace)
    for service in context.mesh.services:
        for version in service.versions or (None,):
            labels = dict(service.labels) | ({} if version is None else {"version": version})
            pods[context.node(service, version)] = labels
            placed[context.node(service, version)] = service.namespace
    for gateway in context.mesh.gateways:
        pods[context.gateway(gateway)] = dict(gateway.labels)
        placed[context.gateway(gateway)] = gateway.namespace
    namespaces = {*placed.values()}
    own = context.mesh.namespace
    main = own if own is not None and own in namespaces else min(namespaces, default=context.gate_namespace)
    return Placement(main, pods, {name: one for name, one in placed.items() if one != main})
