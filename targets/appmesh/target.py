"""The target, as the compiler knows it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.features import Capabilities
from meshproof.compiler.backend.target import CompileOptions, Lifted, Pods
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.appmesh.capabilities import CAPABILITIES
from meshproof.targets.appmesh.emit import BESIDE, emit
from meshproof.targets.appmesh.lift.composed.reading import read_composed
from meshproof.targets.appmesh.lift.reading import read_appmesh
from meshproof.targets.appmesh.lower.lower import AppMeshLowered, lower
from meshproof.targets.appmesh.options import MESH


@dataclass(frozen=True, slots=True)
class AppMeshTarget:
    """`--target app-mesh`, and `--from app-mesh`."""

    name: str = "app-mesh"
    title: str = "App Mesh"
    capabilities: Capabilities = CAPABILITIES
    stated_in_files: frozenset[str] = frozenset((MESH,))
    judgements: tuple[Judgement, ...] = (Judgement.ENFORCED, Judgement.COOPERATIVE)

    def lower(self, mesh: Mesh, options: CompileOptions) -> AppMeshLowered:
        """The policy as resources; see `meshproof.targets.appmesh.lower`."""
        return lower(mesh, options)

    def emit(self, lowered: AppMeshLowered) -> tuple[Artifact, ...]:
        """The files; see `meshproof.targets.appmesh.emit`."""
        return emit(lowered)

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        """What resources of App Mesh mean.

        They say themselves what runs, so pods that are known from elsewhere do not count. With `known` they are what
        was emitted for that policy: then gates inside the mesh are no workloads, but a part of what judges calls.
        """
        del also
        if known is None:
            return read_appmesh(files, options.settings)
        return read_composed(tuple(one for one in files if one.path not in BESIDE), options.settings, known)
