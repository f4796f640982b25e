"""The whole policy in Istio's words."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.artifact import MapEntry, SourceMap
from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Loss, to_diagnostics
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import reads_http
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.targets.common.findings import Findings, NotExpressibleError
from meshproof.targets.istio.authorization_policy import authorization_policies, closed_namespaces
from meshproof.targets.istio.callers import allowed_calls
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.destination_rule import destination_rules
from meshproof.targets.istio.gateway import gateways
from meshproof.targets.istio.kubernetes import tell_names
from meshproof.targets.istio.mesh_config import Fields, mesh_config
from meshproof.targets.istio.model import IstioObject
from meshproof.targets.istio.options import IstioOptions, read_options
from meshproof.targets.istio.peer_authentication import peer_authentications
from meshproof.targets.istio.relay import own_judgements, relay_judgements, relay_objects
from meshproof.targets.istio.request_authentication import request_authentications
from meshproof.targets.istio.selectors import tell_overlaps
from meshproof.targets.istio.service_entry import service_entries
from meshproof.targets.istio.sidecar import sidecars
from meshproof.targets.istio.virtual_service import virtual_services
from meshproof.targets.istio.workloads import Judgement, Workload, is_emitted, spoken_ports


@dataclass(frozen=True, slots=True)
class IstioLowered:
    """The objects, sorted by namespace, kind and name, and what was said on the way."""

    objects: tuple[IstioObject, ...]
    mesh_config: Fields
    diagnostics: tuple[Diagnostic, ...]
    losses: tuple[Loss, ...]
    compile_options: CompileOptions
    options: IstioOptions

    @property
    def source_map(self) -> SourceMap:
        """Where each rule, route and statement went."""
        return tuple(
            MapEntry(one.kind, one.namespace, one.name, piece.index, piece.subject)
            for one in self.objects
            for piece in one.pieces
        )


def lower(mesh: Mesh, options: CompileOptions) -> IstioLowered:
    """The policy as objects. What Istio cannot say is an error at the rule; the objects are then incomplete."""
    findings = Findings("istio", "Istio")
    context = Context(mesh, options.day, read_options(mesh, options, findings), findings)
    tell_names(context)
    tell_overlaps(context)
    _refuse_foreign(context)
    objects = list(closed_namespaces(context))
    for node in context.workloads:
        objects += authorization_policies(context, node, judgements(context, node))
    calls = allowed_calls(context)
    objects += peer_authentications(context)
    objects += request_authentications(context)
    objects += virtual_services(context, calls)
    objects += destination_rules(context)
    objects += service_entries(context, calls)
    objects += relay_objects(context, calls)
    objects += sidecars(context, calls)
    objects += gateways(context)
    config = mesh_config(context)
    losses = tuple(findings.losses)
    return IstioLowered(
        objects=tuple(sorted(objects, key=lambda one: (one.namespace, one.kind, one.name))),
        mesh_config=config,
        diagnostics=(*findings.diagnostics, *to_diagnostics(losses, "Istio")),
        losses=losses,
        compile_options=options,
        options=context.options,
    )


def judgements(context: Context, node: Workload) -> tuple[Judgement, ...]:
    """Every rule that the workload's proxy judges by, in the order of their names."""
    found: list[Judgement] = []
    for rule in context.mesh.rules:
        if not is_emitted(rule, context.day):
            continue
        speaks = bool(rule.operations) or reads_http(rule.when)
        ports = spoken_ports(rule, node, is_speaking_http=speaks)
        if isinstance(node, Gateway):
            found += own_judgements(context, node, rule, ports)
        elif ports:
            found.append(Judgement(rule, ports))
    if isinstance(node, Gateway):
        found += relay_judgements(context, node)
    return tuple(found)


def _refuse_foreign(context: Context) -> None:
    """Meshes of foreign files may allow by default; nothing of the language does, and it is not compiled."""
    for node in context.workloads:
        if node.default_allow:
            error = NotExpressibleError(
                Feature.FOREIGN_FILES, "what no rule decides is allowed there, which only foreign files can say"
            )
            context.findings.unsupported(str(node.name), node.origin, error)
