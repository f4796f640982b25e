"""Files that were emitted for a known policy, read back: the entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.mesh import Egress, Mesh, PathMode
from meshproof.compiler.ir.names import Origin, SpiffeId
from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.composed.admitted import admitted_by
from meshproof.targets.appmesh.lift.composed.callers import Callers
from meshproof.targets.appmesh.lift.composed.composing import Composing
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.edge_routing import routes_of_gateways
from meshproof.targets.appmesh.lift.composed.fitting import Fitting
from meshproof.targets.appmesh.lift.composed.gates import gates_of
from meshproof.targets.appmesh.lift.composed.hops import hops_of
from meshproof.targets.appmesh.lift.composed.leading import Leading
from meshproof.targets.appmesh.lift.composed.outside import outside_of
from meshproof.targets.appmesh.lift.composed.reach import reach_of
from meshproof.targets.appmesh.lift.composed.routing import routes_of_services
from meshproof.targets.appmesh.lift.composed.transport import is_closed, transport_of
from meshproof.targets.appmesh.lift.composed.wiring import Ports, passed, wired
from meshproof.targets.appmesh.lift.composed.workloads import workloads_of
from meshproof.targets.appmesh.lift.selected import Selected, selected
from meshproof.targets.appmesh.options import Options
from meshproof.targets.appmesh.residue.wiring import is_wiring
from meshproof.targets.common.callers import Identities

_DEFAULT_NAMESPACE = "meshproof"


def read_composed(files: tuple[Artifact, ...], settings: Iterable[tuple[str, str]], known: Mesh) -> Lifted:
    """The services and gateways of `known`, with what the files enforce between them.

    A caller may what the listener of its destination lets it do, or what a gate passes on that lets it in. Whatever is
    not understood is a diagnostic, and so are files that App Mesh would refuse; then nothing is proved.
    """
    found = selected(tuple(one for one in files if not is_wiring(one.path)), settings)
    if found.mesh is None:
        return found.lifted(None)
    doubts = Doubts()
    mesh, transport = _compose(found, known, wired(files, known, doubts), doubts)
    lifted = found.lifted(mesh)
    return replace(lifted, diagnostics=(*lifted.diagnostics, *doubts.every), transport=transport)


def _compose(found: Selected, known: Mesh, behind: Ports, doubts: Doubts) -> tuple[Mesh, LiftedTransport]:
    """What the resources make of the policy's workloads; `behind` are the ports with a sidecar behind their node."""
    resources = found.resources
    workloads = workloads_of(resources, known, doubts)
    gate, gate_namespace = _gate(known, found.options), _gate_namespace(known, found.options)
    reach = reach_of(found, workloads, gate, gate_namespace, doubts)
    admitted = reach.of_workloads(workloads, admitted_by(workloads, known, behind, doubts))
    leading = Leading(resources, doubts)
    gates = gates_of(resources, workloads, admitted, leading, gate, reach)
    identities = Identities((one.name, one.identity.uri) for one in workloads.declared)
    composing = Composing(workloads, admitted, leading, gates, identities)
    unread = passed(admitted.every, behind)
    hops = tuple(hops_of(resources, workloads, doubts))
    outside = outside_of(resources, workloads, hops)
    outside.check(doubts)
    callers = Callers(workloads, admitted, gates, hops, unread, found.options.discovery, frozenset(outside.hosts))
    callers.check(doubts)
    callers.check_edges(leading, doubts)
    space = _gate_namespace(known, found.options)
    Fitting(resources, workloads, found.options, _gate(known, found.options), space, doubts).check(leading)
    routes = (
        *routes_of_services(resources, workloads, gates, doubts),
        *routes_of_gateways(workloads, admitted, leading, doubts),
    )
    mesh = Mesh(
        name=known.name,
        language=1,
        trust_domain=known.trust_domain,
        namespace=known.namespace,
        origin=_origin(found),
        trusts=known.trusts,
        namespaces=reach.namespaces,
        egress=Egress.CLOSED if is_closed(resources) else Egress.OPEN,
        services=tuple(replace(one, tags=(), calls=(), observe=None, accepts=()) for one in known.services),
        gateways=tuple(replace(one, accepts=(), trusted_proxies=0) for one in known.gateways),
        externals=outside.externals,
        rules=tuple(sorted((*composing.rules(), *outside.rules(identities)), key=lambda one: one.id)),
        routes=tuple(sorted(routes, key=lambda one: one.id)),
        mtls=tuple(sorted((*composing.statements(), *reach.statements), key=lambda one: repr(one.scope))),
        paths=PathMode.MERGE_SLASHES,
    )
    transport = transport_of(resources, workloads, doubts)
    return mesh, replace(transport, outside=outside.transport(), handed_over=unread, unsent=callers.unsent())


def _gate(known: Mesh, options: Options) -> SpiffeId:
    return SpiffeId.of_account(known.trust_domain, _gate_namespace(known, options), options.gate_account)


def _gate_namespace(known: Mesh, options: Options) -> str:
    return options.gate_namespace or known.namespace or _DEFAULT_NAMESPACE


def _origin(found: Selected) -> Origin:
    meshes = found.resources.meshes
    return meshes[0].origin if meshes else Origin(Span("", 0, 0))
