"""The whole policy in the words of App Mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from meshproof.compiler.backend.artifact import SourceMap
from meshproof.compiler.backend.companion import Companion
from meshproof.compiler.backend.loss import Loss, to_diagnostics
from meshproof.compiler.backend.residual import Dial, Residual
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.targets.appmesh.lower.context import Context, context_of
from meshproof.targets.appmesh.lower.doors import doors_of
from meshproof.targets.appmesh.lower.egress import Outside, outside, outside_backends, outside_resources
from meshproof.targets.appmesh.lower.handing import hand_over, tell_shared_numbers, wirings
from meshproof.targets.appmesh.lower.ingress import policy_gateways
from meshproof.targets.appmesh.lower.network import Closing, closing, tell_namespaces
from meshproof.targets.appmesh.lower.nodes import gate_nodes, virtual_nodes
from meshproof.targets.appmesh.lower.placing import placement
from meshproof.targets.appmesh.lower.refusals import (
    tell_end,
    tell_refusals,
    tell_undeclared,
    tell_unjudged,
)
from meshproof.targets.appmesh.lower.rows import rows
from meshproof.targets.appmesh.lower.services import virtual_services
from meshproof.targets.appmesh.model.mesh import EgressFilter, MeshSpec
from meshproof.targets.appmesh.model.mesh import Mesh as AppMesh
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import outside_name
from meshproof.targets.appmesh.options import Options
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.render.kubernetes import Placement
from meshproof.targets.appmesh.residue.residuals import number_of, residuals
from meshproof.targets.appmesh.residue.wiring import BUNDLE, FOLDER, TARGET, Wiring, wiring_residuals
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.findings import Findings

_KINDS = ("Mesh", "VirtualNode", "VirtualRouter", "Route", "VirtualService", "VirtualGateway", "GatewayRoute")


@dataclass(frozen=True, slots=True)
class AppMeshLowered:
    """The resources, sorted by kind and name, and what was said on the way.

    `proxied` are the resources but for those nodes that stand for hosts outside, which have no proxy.
    `residuals` are what App Mesh does not enforce of them, `kept_by_callers` what of the policy is so; `gates` are the
    gateways that judge calls inside the mesh; `placement` is where objects and pods are in Kubernetes, `closing` what
    closes the network around them. `wirings` are the sidecars behind nodes, `companions` says which ports they judge.
    """

    resources: tuple[Value, ...]
    diagnostics: tuple[Diagnostic, ...]
    losses: tuple[Loss, ...]
    source_map: SourceMap
    residuals: tuple[Residual, ...]
    dials: tuple[Dial, ...]
    kept_by_callers: tuple[str, ...]
    gates: frozenset[str]
    proxied: tuple[Value, ...]
    placement: Placement
    closing: Closing
    wirings: tuple[Wiring, ...]
    companions: tuple[Companion, ...]
    compile_options: CompileOptions
    options: Options


def lower(mesh: Mesh, options: CompileOptions) -> AppMeshLowered:
    """The policy as resources. What App Mesh cannot say is an error at the rule; the resources are then incomplete."""
    findings = Findings("app-mesh", "App Mesh")
    context = context_of(mesh, options, findings)
    every = rows(mesh, options.day)
    hand_over(context, every)
    tell_end(context)
    tell_refusals(context)
    tell_namespaces(context)
    doors = doors_of(context, every)
    tell_unjudged(context, every, doors)
    tell_undeclared(context, every)
    tell_shared_numbers(context, every)
    behind = wirings(context)
    found: list[Value] = [_mesh(context)]
    beyond = outside(context)
    found += virtual_nodes(context, every, doors, partial(outside_backends, beyond))
    found += outside_resources(context, beyond)
    found += gate_nodes(context, doors)
    found += virtual_services(context, every, doors)
    found += doors.resources
    found += policy_gateways(context, every)
    ordered = tuple(sorted(found, key=lambda one: (_KINDS.index(key_of(one).kind), key_of(one).names)))
    gates = frozenset(door.gate for door in doors.every)
    placed = placement(context, gates)
    closed = closing(context, ordered, gates)
    listed = residuals(_inside(ordered, beyond), gates, context.kept, is_network_closed=closed.is_closed)
    left = sorted((*listed, *closed.residuals, *wiring_residuals(behind)), key=lambda one: number_of(one.code))
    return AppMeshLowered(
        resources=ordered,
        diagnostics=(*findings.diagnostics, *to_diagnostics(tuple(findings.losses), "App Mesh")),
        losses=tuple(findings.losses),
        source_map=tuple(sorted(context.pieces, key=lambda one: (one.kind, one.name, one.index or 0, one.subject))),
        residuals=tuple(left),
        dials=tuple(sorted(context.dials)),
        kept_by_callers=tuple(context.kept),
        gates=gates,
        proxied=_inside(ordered, beyond),
        placement=placed,
        closing=closed,
        wirings=behind,
        companions=_companions(context),
        compile_options=options,
        options=context.options,
    )


def _inside(resources: tuple[Value, ...], beyond: Sequence[Outside]) -> tuple[Value, ...]:
    """The resources but for the nodes of hosts outside, which have no proxy."""
    hosts = {outside_name(str(one.external.name), host) for one in beyond for host in one.external.hosts}
    return tuple(one for one in resources if not (isinstance(one, VirtualNode) and one.virtual_node_name in hosts))


def _companions(context: Context) -> tuple[Companion, ...]:
    return (Companion(TARGET, FOLDER, BUNDLE, frozenset(context.handed)),) if context.handed else ()


def _mesh(context: Context) -> AppMesh:
    """Callers' proxies refuse what they do not know, if nothing is to leave the mesh but what a rule allows."""
    closed = context.mesh.egress is Egress.CLOSED
    found = AppMesh(context.mesh_name, MeshSpec(EgressFilter("DROP_ALL" if closed else "ALLOW_ALL")))
    context.place(found, context.mesh.name)
    return found
