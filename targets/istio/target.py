"""The target, as the compiler knows it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.features import Capabilities
from meshproof.compiler.backend.target import CompileOptions, Lifted, Pods
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio.capabilities import CAPABILITIES
from meshproof.targets.istio.emit import emit
from meshproof.targets.istio.lift.kinds import WORKLOADS
from meshproof.targets.istio.lift.listing import OF_MESH, lifted_object
from meshproof.targets.istio.lift.reading import read_istio
from meshproof.targets.istio.lower import IstioLowered, lower
from meshproof.targets.istio.mesh_config import STATED_IN_FILES


@dataclass(frozen=True, slots=True)
class IstioTarget:
    """`--target istio`."""

    name: str = "istio"
    title: str = "Istio"
    capabilities: Capabilities = CAPABILITIES
    stated_in_files: frozenset[str] = STATED_IN_FILES

    def lower(self, mesh: Mesh, options: CompileOptions) -> IstioLowered:
        """The policy as Istio's objects; see `meshproof.targets.istio.lower`."""
        return lower(mesh, options)

    def emit(self, lowered: IstioLowered) -> tuple[Artifact, ...]:
        """The files; see `meshproof.targets.istio.emit`."""
        return emit(lowered)

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        """What objects of Istio and Kubernetes mean; see `meshproof.targets.istio.lift`."""
        found = read_istio(files, options.settings, known, also)
        context = found.context
        objects = tuple(lifted_object(one) for one in context.objects.objects if one.kind in OF_MESH)
        return Lifted(
            mesh=found.mesh,
            diagnostics=found.diagnostics,
            sources=context.sources,
            skipped=context.objects.skipped,
            objects=objects,
            transport=found.transport,
            has_workloads=any(one.kind in WORKLOADS for one in context.objects.objects),
        )
