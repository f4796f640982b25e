"""Where the objects of Kubernetes stand, and which pods are of which node."""

from __future__ import annotations

from collections.abc import Collection

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.naming import gate_labels
from meshproof.targets.appmesh.options import PREFIX, Rendering
from meshproof.targets.appmesh.render.kubernetes import Placement


def placement(context: Context, gates: Collection[str]) -> Placement:
    """One namespace for all: an object selects pods of its own alone. MP709 where the policy has several."""
    workloads: tuple[Service | Gateway, ...] = (*context.mesh.services, *context.mesh.gateways)
    namespaces = {one.namespace for one in workloads} | ({context.gate_namespace} if gates else set())
    pods: dict[str, dict[str, str]] = {gate: dict(gate_labels(gate)) for gate in gates}
    for service in context.mesh.services:
        for version in service.versions or (None,):
            labels = dict(service.labels) | ({} if version is None else {"version": version})
            pods[context.node(service, version)] = labels
    for gateway in context.mesh.gateways:
        pods[context.gateway(gateway)] = dict(gateway.labels)
    if len(namespaces) > 1 and context.options.rendering is Rendering.KUBERNETES:
        named = ", ".join(f"`{one}`" for one in sorted(namespaces))
        message = f"objects of App Mesh's controller select pods of one namespace, and these are of {named}"
        advice = f"write a template, with `--option {PREFIX}rendering=cloudformation`"
        context.findings.add("MP709", Severity.ERROR, message, context.mesh.name, context.mesh.origin, advice)
    return Placement(min(namespaces, default=context.gate_namespace), pods)
