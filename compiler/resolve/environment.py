"""One environment: what each step needs from those before it, and in which order they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.resolve import entities, packs, tokens
from meshproof.compiler.resolve.assertions import resolve_proofs, resolve_waivers
from meshproof.compiler.resolve.authz import resolve_rules
from meshproof.compiler.resolve.context import Context
from meshproof.compiler.resolve.directory import Directory
from meshproof.compiler.resolve.domains import TrustDomains
from meshproof.compiler.resolve.header import LANGUAGE, resolve_header
from meshproof.compiler.resolve.mtls import resolve_mtls
from meshproof.compiler.resolve.names import scope_of, values_of
from meshproof.compiler.resolve.placement import Placement
from meshproof.compiler.resolve.routing import resolve_routes
from meshproof.compiler.resolve.tests import resolve_suites
from meshproof.compiler.resolve.values import Values
from meshproof.compiler.resolve.zones import WrittenZone, resolve_zones
from meshproof.dsl.ast import declarations as ast
from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.document import Document, Waive
from meshproof.dsl.ast.routes import Route
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.ast.tests import Suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshproof.compiler.ir.entities import Namespace, Node
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.compiler.resolve.statements import Statements


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)
_Written = TypeVar("_Written", ast.Service, ast.Gateway, ast.External, ast.Issuer, ast.Authorizer, ast.Zone)


@dataclass(frozen=True, slots=True)
class Policy:
    """The files of a policy, before an environment is chosen."""

    documents: tuple[Document, ...]
    statements: Statements
    mesh: ast.Mesh
    packs: Mapping[str, str]
    findings: Findings

    def resolve(self, environment: str | None) -> Mesh:
        """The mesh of one environment, as far as it can be read."""
        self.findings.environment = environment
        statements = self.statements.within(environment)
        ctx = self._context(statements, environment)
        header = resolve_header(self.mesh, statements, ctx.values, self.findings)
        ctx.domains, ctx.namespace = header.domains, header.namespace
        namespaces = _once(entities.resolve_namespace(one, ctx) for one in statements.every(ast.Namespace))
        ctx.issuers = tokens.resolve_issuers(_first(statements, ast.Issuer), ctx)
        ctx.authorizers = {
            one.name.text: tokens.resolve_authorizer(one, ctx) for one in _first(statements, ast.Authorizer)
        }
        self._resolve_nodes(statements, namespaces, ctx)
        self._resolve_zones(statements, ctx)
        placement = Placement(namespaces, ctx)
        ctx.rules = resolve_rules(statements.every(Rule), placement, ctx)
        nodes = ctx.directory.nodes.values()
        return Mesh(
            name=self.mesh.name.text,
            language=LANGUAGE,
            trust_domain=ctx.domains.own,
            namespace=ctx.namespace,
            origin=ctx.origin(self.mesh.span),
            environment=environment,
            aliases=ctx.domains.aliases,
            trusts=ctx.domains.trusts,
            egress=header.egress,
            namespaces=namespaces,
            services=tuple(node for node in nodes if isinstance(node, Service)),
            gateways=tuple(node for node in nodes if isinstance(node, Gateway)),
            externals=tuple(node for node in nodes if isinstance(node, External)),
            issuers=_by_name(ctx.issuers),
            authorizers=_by_name(ctx.authorizers),
            zones=_by_name(ctx.zones),
            rules=tuple(ctx.rules[name] for name in sorted(ctx.rules)),
            routes=resolve_routes(statements.every(Route), placement, ctx),
            mtls=resolve_mtls(self.mesh, statements, placement, ctx),
            proofs=resolve_proofs(statements.every(Prove), ctx),
            tests=resolve_suites(statements.every(Suite), ctx),
            waivers=resolve_waivers(statements.every(Waive), ctx),
        )

    def _context(self, statements: Statements, environment: str | None) -> Context:
        uses = packs.used_files(self.documents, self.packs)
        asked = {file: frozenset(zones) for file, zones in packs.parameters(self.documents).items()}
        scope = scope_of(statements, self.statements, asked, self.findings)
        values = Values(scope, self.findings, values_of(statements, environment))
        return Context(
            findings=self.findings,
            scope=scope,
            values=values,
            domains=TrustDomains(""),
            environment=environment,
            chains=packs.chains(uses),
        )

    def _resolve_nodes(self, statements: Statements, namespaces: tuple[Namespace, ...], ctx: Context) -> None:
        observed = {namespace.name: namespace.observe for namespace in namespaces}
        written = _first(statements, ast.Service)
        nodes: list[Node | None] = [
            entities.resolve_service(one, observed.get(_namespace_of(one, ctx)), ctx) for one in written
        ]
        nodes += [entities.resolve_gateway(one, ctx) for one in _first(statements, ast.Gateway)]
        nodes += [entities.resolve_external(one, ctx) for one in _first(statements, ast.External)]
        tags = {tag.text for service in self.statements.every(ast.Service) for tag in service.tags}
        ctx.directory = Directory.of((node for node in nodes if node is not None), tags)
        for service in written:
            node = ctx.directory.nodes.get(entities.node_name(service.name))
            if service.calls and isinstance(node, Service):
                ctx.directory.nodes[node.name] = entities.with_calls(node, service.calls, ctx)

    def _resolve_zones(self, statements: Statements, ctx: Context) -> None:
        own = (WrittenZone(one.name.text, one.members, one.span) for one in _first(statements, ast.Zone))
        asked = packs.parameters(self.documents)
        bound = packs.bound_zones(asked, packs.used_files(self.documents, self.packs), self.findings)
        resolve_zones((*own, *bound), ctx)


def _first(statements: Statements, kind: type[_Written]) -> tuple[_Written, ...]:
    """The declarations of a kind, of two with one name the first: the second is a finding already."""
    found: dict[str, _Written] = {}
    for declaration in statements.every(kind):
        found.setdefault(declaration.name.text, declaration)
    return tuple(found.values())


def _namespace_of(service: ast.Service, ctx: Context) -> str:
    return (ctx.namespace or "") if service.namespace is None else service.namespace.text


def _once(namespaces: Iterable[Namespace]) -> tuple[Namespace, ...]:
    return _by_name({namespace.name: namespace for namespace in namespaces})


def _by_name(found: Mapping[str, _T]) -> tuple[_T, ...]:
    return tuple(found[name] for name in sorted(found))
