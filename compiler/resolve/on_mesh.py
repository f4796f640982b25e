"""Claims, tests and requests that are asked about a mesh that exists already (`query`, `why`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.ir.entities import External, Gateway
from meshproof.compiler.resolve.assertions import resolve_prove
from meshproof.compiler.resolve.cases import case_requests
from meshproof.compiler.resolve.context import Context
from meshproof.compiler.resolve.directory import Directory
from meshproof.compiler.resolve.domains import TrustDomains
from meshproof.compiler.resolve.findings import Findings
from meshproof.compiler.resolve.scope import Declared, Kind, Scope
from meshproof.compiler.resolve.tests import resolve_suite
from meshproof.compiler.resolve.unseen_ports import unseen_ports
from meshproof.compiler.resolve.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.assertions import Prove, TestBlock
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.ast import claims as ast_claims
    from meshproof.dsl.ast import tests as ast_tests
    from meshproof.dsl.diagnostic import Diagnostic

_T = TypeVar("_T")


def resolve_claims(written: ast_claims.Prove, mesh: Mesh) -> tuple[Prove | None, tuple[Diagnostic, ...]]:
    """The block about that mesh; None if anything in it is an error. The mesh's values (`$x`) are gone."""
    ctx = context_of(mesh, Findings())
    return _answer(resolve_prove(written, ctx), ctx)


def resolve_tests(written: ast_tests.Suite, mesh: Mesh) -> tuple[TestBlock | None, tuple[Diagnostic, ...]]:
    """The same for tests."""
    ctx = context_of(mesh, Findings())
    return _answer(resolve_suite(written, ctx), ctx)


def resolve_request(
    written: ast_tests.CaseRequest, mesh: Mesh
) -> tuple[tuple[Request, ...] | None, tuple[Diagnostic, ...]]:
    """The requests of a test line without an outcome, one for each member of its source."""
    ctx = context_of(mesh, Findings())
    return _answer(case_requests(written, ctx), ctx)


def _answer(found: _T, ctx: Context) -> tuple[_T | None, tuple[Diagnostic, ...]]:
    diagnostics = ctx.findings.diagnostics((None,))
    return (None if ctx.findings.has_errors else found), diagnostics


def context_of(mesh: Mesh, findings: Findings, scope: Scope | None = None) -> Context:
    """The context in which a mesh was resolved, as far as the mesh still has it."""
    names = Scope(declared_in(mesh)) if scope is None else scope
    return Context(
        findings=findings,
        scope=names,
        values=Values(names, findings),
        domains=TrustDomains(mesh.trust_domain, mesh.aliases, mesh.trusts),
        environment=mesh.environment,
        namespace=mesh.namespace,
        unseen_ports=unseen_ports(mesh),
        directory=Directory.of(mesh.nodes),
        issuers={issuer.name: issuer for issuer in mesh.issuers},
        authorizers={authorizer.name: authorizer for authorizer in mesh.authorizers},
        zones={zone.name: zone for zone in mesh.zones},
        rules={rule.id: rule for rule in mesh.rules},
    )


def declared_in(mesh: Mesh) -> dict[str, Declared]:
    """What the names of a mesh stand for."""
    return dict(_declared(mesh))


def _declared(mesh: Mesh) -> Iterator[tuple[str, Declared]]:
    for node in mesh.nodes:
        kind = Kind.SERVICE
        if isinstance(node, Gateway | External):
            kind = Kind.GATEWAY if isinstance(node, Gateway) else Kind.EXTERNAL
        yield node.name, Declared(kind, node.origin.span)
    for issuer in mesh.issuers:
        yield issuer.name, Declared(Kind.ISSUER, issuer.origin.span)
    for authorizer in mesh.authorizers:
        yield authorizer.name, Declared(Kind.AUTHORIZER, authorizer.origin.span)
    for zone in mesh.zones:
        yield zone.name, Declared(Kind.ZONE, zone.origin.span)
