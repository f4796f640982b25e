"""The reader, as the compiler knows it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, Lifted, Pods
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.appmesh.lift.reading import read_appmesh


@dataclass(frozen=True, slots=True)
class AppMeshReader:
    """`--from app-mesh`."""

    name: str = "app-mesh"

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        """What resources of App Mesh mean. They say themselves what runs, so nothing known from elsewhere counts."""
        del known, also
        return read_appmesh(files, options.settings)
