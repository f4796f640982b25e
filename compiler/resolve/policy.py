"""From files to a mesh for each environment."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.resolve.environment import Policy
from meshproof.compiler.resolve.findings import Findings
from meshproof.compiler.resolve.header import find_mesh
from meshproof.compiler.resolve.statements import Statements, check_environments
from meshproof.dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.ast import declarations as ast
    from meshproof.dsl.ast.document import Document
    from meshproof.dsl.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Resolution:
    """What files mean, and what is to be said about them.

    `meshes` has one for each environment, in the order in which the mesh lists them; exactly one, whose environment
    is None, if it lists none; and none at all if any diagnostic is an error: half a policy is never judged.
    """

    meshes: tuple[Mesh, ...]
    diagnostics: tuple[Diagnostic, ...]


def resolve(
    documents: Sequence[Document],
    *,
    environments: Sequence[str] | None = None,
    packs: Mapping[str, str] | None = None,
) -> Resolution:
    """Resolve the files of one policy.

    `environments` keeps it to these; one that the mesh does not list is MP210. `packs` tells by pack name which of
    the documents (by its path) is the pack. The order of documents does not matter.
    """
    findings = Findings()
    statements = Statements.of(documents)
    mesh = find_mesh(statements, _start(documents), findings)
    if mesh is None:
        return Resolution((), findings.diagnostics((None,)))
    listed = tuple(dict.fromkeys(name.text for name in mesh.environments))
    check_environments(statements, listed, findings)
    chosen = _chosen(mesh, listed, environments, findings)
    policy = Policy(tuple(documents), statements, mesh, dict(packs or {}), findings)
    with _collector_paused():
        meshes = tuple(policy.resolve(environment) for environment in chosen)
    return Resolution(() if findings.has_errors else meshes, findings.diagnostics(chosen))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Leave the garbage collector out: a mesh has no cycles, and looking for them is a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _start(documents: Sequence[Document]) -> Span:
    return Span(min((document.span.file for document in documents), default=""), 0, 0)


def _chosen(
    mesh: ast.Mesh, listed: tuple[str, ...], wanted: Sequence[str] | None, findings: Findings
) -> tuple[str | None, ...]:
    if wanted is None:
        return listed or (None,)
    for name in wanted:
        if name not in listed:
            advice = "there are " + ", ".join(f"`{one}`" for one in listed) if listed else "the mesh lists none"
            findings.add("MP210", f"there is no environment `{name}`", mesh.name.span, help=advice)
    return tuple(name for name in listed if name in wanted)
