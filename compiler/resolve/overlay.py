"""An overlay: claims, tests, zones and waivers over a mesh that came from other people's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.resolve import packs as uses
from meshproof.compiler.resolve.assertions import resolve_proofs, resolve_waivers
from meshproof.compiler.resolve.findings import Findings
from meshproof.compiler.resolve.names import declared_names, report_second
from meshproof.compiler.resolve.on_mesh import context_of, declared_in
from meshproof.compiler.resolve.policy import Resolution
from meshproof.compiler.resolve.scope import Declared, Kind, Scope
from meshproof.compiler.resolve.statements import Statements, check_environments
from meshproof.compiler.resolve.tests import resolve_suites
from meshproof.compiler.resolve.zones import WrittenZone, resolve_zones
from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.declarations import Zone, ZoneParameter
from meshproof.dsl.ast.document import UseFile, UsePack, Waive
from meshproof.dsl.ast.tests import Suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.document import Document, Statement

OVERLAY: tuple[type[Statement], ...] = (Zone, ZoneParameter, Prove, Suite, Waive, UseFile, UsePack)
"""What an overlay may hold."""


def is_overlay(documents: Sequence[Document]) -> bool:
    """Whether files hold nothing but what an overlay may hold."""
    return all(isinstance(statement, OVERLAY) for document in documents for statement in document.statements)


def resolve_overlay(documents: Sequence[Document], mesh: Mesh, *, packs: Mapping[str, str] | None = None) -> Resolution:
    """The mesh with what the files add to it. Workloads of lifted files are named `"NAMESPACE/NAME"`.

    As with `resolve`, there is no mesh if any diagnostic is an error.
    """
    findings = Findings()
    statements = Statements.of(documents)
    _check_statements(documents, findings)
    check_environments(statements, () if mesh.environment is None else (mesh.environment,), findings)
    kept = statements.within(mesh.environment)
    brought = uses.used_files(documents, packs or {})
    ctx = _context(documents, kept, mesh, findings)
    ctx.chains = uses.chains(brought)
    asked = uses.parameters(documents)
    own = (WrittenZone(zone.name.text, zone.members, zone.span) for zone in kept.every(Zone))
    resolve_zones((*own, *uses.bound_zones(asked, brought, findings)), ctx)
    resolved = replace(
        mesh,
        zones=tuple(ctx.zones[name] for name in sorted(ctx.zones)),
        proofs=tuple(sorted((*mesh.proofs, *resolve_proofs(kept.every(Prove), ctx)), key=lambda one: one.title)),
        tests=tuple(sorted((*mesh.tests, *resolve_suites(kept.every(Suite), ctx)), key=lambda one: one.name)),
        waivers=(*mesh.waivers, *resolve_waivers(kept.every(Waive), ctx)),
    )
    return Resolution(() if findings.has_errors else (resolved,), findings.diagnostics((mesh.environment,)))


def _context(documents: Sequence[Document], kept: Statements, mesh: Mesh, findings: Findings) -> Context:
    declared = declared_in(mesh)
    for found, kind in sorted(declared_names(kept), key=lambda found: found[0].name.span):
        if kind is not Kind.ZONE:
            continue
        first = declared.setdefault(found.name.text, Declared(kind, found.name.span))
        if first.at is not found.name.span:
            report_second(found.name, first, findings)
    parameters = {file: frozenset(zones) for file, zones in uses.parameters(documents).items()}
    return context_of(mesh, findings, Scope(declared, parameters=parameters))


def _check_statements(documents: Sequence[Document], findings: Findings) -> None:
    for document in documents:
        for statement in document.statements:
            if not isinstance(statement, OVERLAY):
                findings.add(
                    "MP238",
                    "an overlay adds zones, claims, tests and waivers to files of another kind, and nothing else",
                    statement.span,
                    help="a policy of its own has a `mesh` block, and stands in another folder",
                )
