"""Everything that the lift of one kind of object may need: the objects, the mesh's settings, Services and workloads.

`read_context` reads the files. Each `lift_…` function takes a `LiftContext`, adds to its findings, and returns parts
of the mesh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Pods
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.dsl.source import SourceFile, Span
from meshproof.targets.common.documents import read_documents
from meshproof.targets.istio.lift.dangling import report_dangling
from meshproof.targets.istio.lift.findings import LiftFindings
from meshproof.targets.istio.lift.inferred import with_inferred, with_pods
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.known import known_workloads
from meshproof.targets.istio.lift.kube_services import KubeServices, read_services
from meshproof.targets.istio.lift.mesh_settings import MeshSettings, read_mesh_settings
from meshproof.targets.istio.lift.objects import ObjectIndex, index_objects
from meshproof.targets.istio.lift.options import read_settings
from meshproof.targets.istio.lift.values import mapping, pairs
from meshproof.targets.istio.lift.workload_entries import read_workload_entries
from meshproof.targets.istio.lift.workloads import Role, Workload, read_workloads


@dataclass(frozen=True, slots=True)
class LiftContext:
    """What was read. `workloads` are sidecars, gateways and what is outside of the mesh, each named `NAMESPACE/NAME`.

    A node of the lifted mesh is a workload: a Service in front of several (versions) is one host for several nodes.
    `sources` are the texts that places point into. `externals` are known from elsewhere, as their names and hosts are.
    """

    objects: ObjectIndex
    settings: MeshSettings
    services: KubeServices
    workloads: tuple[Workload, ...]
    sources: tuple[SourceFile, ...]
    findings: LiftFindings
    _by_namespace: dict[str, tuple[Workload, ...]] = field(default_factory=dict, repr=False, compare=False)
    externals: tuple[External, ...] = ()
    _by_name: dict[NodeName, Workload] = field(default_factory=dict, repr=False, compare=False)
    _by_label: dict[tuple[str, str], tuple[Workload, ...]] = field(default_factory=dict, repr=False, compare=False)

    def in_namespace(self, namespace: str) -> tuple[Workload, ...]:
        """The workloads of a namespace."""
        if not self._by_namespace:
            grouped: dict[str, list[Workload]] = {}
            for one in self.workloads:
                grouped.setdefault(one.namespace, []).append(one)
            self._by_namespace.update((name, tuple(found)) for name, found in grouped.items())
        return self._by_namespace.get(namespace, ())

    def workload(self, name: NodeName) -> Workload | None:
        """The workload of that name."""
        if not self._by_name:
            self._by_name.update((one.name, one) for one in reversed(self.workloads))  # of two the first
        return self._by_name.get(name)

    def selected(self, labels: Iterable[tuple[str, str]], namespace: str | None = None) -> tuple[Workload, ...]:
        """The workloads whose pods have all the labels, in one namespace or in all."""
        wanted = tuple(labels)
        if wanted:
            found = (one for one in self.with_label(wanted[0]) if namespace in {None, one.namespace})
            return tuple(one for one in found if one.has_labels(wanted))
        return self.workloads if namespace is None else self.in_namespace(namespace)

    def with_label(self, label: tuple[str, str]) -> tuple[Workload, ...]:
        """The workloads whose pods have a label, in the order in which they are known."""
        if not self._by_label:
            grouped: dict[tuple[str, str], list[Workload]] = {}
            for one in self.workloads:
                for own in dict.fromkeys(one.labels):
                    grouped.setdefault(own, []).append(one)
            self._by_label.update((own, tuple(found)) for own, found in grouped.items())
        return self._by_label.get(label, ())

    def behind(self, namespace: str, service: str) -> tuple[Workload, ...]:
        """The workloads that a Service stands for."""
        found = self.services.get(namespace, service)
        return () if found is None else tuple(one for one in self.in_namespace(namespace) if found in one.services)

    @property
    def is_of_known_nodes(self) -> bool:
        """Whether the nodes are those of a policy, for which the files were emitted."""
        return any(one.node is not None for one in self.workloads)

    @property
    def gateways(self) -> tuple[Workload, ...]:
        """The workloads that are gateways."""
        return tuple(one for one in self.workloads if one.role is Role.GATEWAY)


def read_context(
    files: tuple[Artifact, ...],
    settings: Iterable[tuple[str, str]],
    known: Mesh | None = None,
    also: tuple[Pods, ...] = (),
) -> LiftContext:
    """Read the files: a file that is refused is a finding, and the others are read all the same.

    With `known` the workloads are those of that mesh (its policies are not looked at); else they are those that the
    files make, those that they speak of, and the pods `also`.
    """
    findings = LiftFindings()
    documents = tuple(read_documents(one.path, one.content) for one in files)
    for one in documents:
        findings.extend(one.diagnostics)
    given, refused = read_settings(settings)
    findings.extend(refused)
    objects = index_objects(documents, findings)
    nowhere = Origin(Span(documents[0].source.path if documents else "", 0, 0))
    mesh = read_mesh_settings(objects, given, findings, nowhere)
    services = read_services(objects, mesh.cluster_domain)
    found = LiftContext(
        objects=objects,
        settings=mesh,
        services=services,
        workloads=_workloads(objects, services, mesh, also) if known is None else known_workloads(known),
        sources=tuple(one.source for one in documents),
        findings=findings,
        externals=() if known is None else known.externals,
    )
    if known is None:
        report_dangling(found.workloads, objects, mesh, findings)
    return found


def _workloads(
    objects: ObjectIndex, services: KubeServices, settings: MeshSettings, also: tuple[Pods, ...]
) -> tuple[Workload, ...]:
    entries = read_workload_entries(objects, services)
    made = _with_roles((*read_workloads(objects, services), *entries), objects)
    found = with_pods(with_inferred(made, objects, services, settings), also, objects, services)
    return _with_roles(found, objects)


def _with_roles(workloads: tuple[Workload, ...], objects: ObjectIndex) -> tuple[Workload, ...]:
    """The workloads with those as gateways that a `Gateway` of Istio selects, in whatever namespace it is."""
    selectors = [pairs(mapping(one.spec.get("selector"))) for one in objects.of(Kind.GATEWAY)]
    return tuple(
        one.with_role(Role.GATEWAY)
        if one.role is Role.SIDECAR and any(selector and one.has_labels(selector) for selector in selectors)
        else one
        for one in workloads
    )
