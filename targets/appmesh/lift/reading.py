"""Files of App Mesh, whoever wrote them, as a mesh: the entry of the lift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.assemble import assemble
from meshproof.targets.appmesh.lift.notices import notices
from meshproof.targets.appmesh.lift.selected import selected


def read_appmesh(files: tuple[Artifact, ...], settings: Iterable[tuple[str, str]] = ()) -> Lifted:
    """The mesh that the files make. There is none if anything in them is refused: half of one is never judged."""
    found = selected(files, settings)
    if found.mesh is None:
        return found.lifted(None)
    meshes = found.resources.meshes
    origin = meshes[0].origin if meshes else Origin(Span(files[0].path, 0, 0))
    mesh = assemble(found.resources, found.mesh, origin, found.options.judgement)
    lifted = found.lifted(mesh)
    return replace(lifted, diagnostics=(*lifted.diagnostics, *notices(found.resources, mesh)))
