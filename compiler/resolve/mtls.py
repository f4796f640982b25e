"""mTLS statements by what they are for: at most one for each scope (language reference, "mTLS, routes")."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsPolicy,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
)
from meshproof.compiler.resolve.destinations import port_sets
from meshproof.compiler.resolve.members import domain_of
from meshproof.compiler.resolve.reasons import because, owner, until
from meshproof.compiler.resolve.written import written_set
from meshproof.dsl.ast.declarations import Namespace
from meshproof.dsl.ast.rules import MtlsStatement
from meshproof.dsl.ast.sets import AllServices, AtPort, Braces, NamespaceSet, Union
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.visitor import walk

if TYPE_CHECKING:
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.placement import Placement
    from meshproof.compiler.resolve.statements import Statements
    from meshproof.dsl.ast.declarations import Mesh
    from meshproof.dsl.ast.reasons import MtlsDefault
    from meshproof.dsl.ast.sets import SetExpression
    from meshproof.dsl.source import Span

_Placed: TypeAlias = tuple[MtlsPolicy, "Span"]


def resolve_mtls(mesh: Mesh, statements: Statements, placement: Placement, ctx: Context) -> tuple[MtlsPolicy, ...]:
    """One policy a scope, in the order of scopes; the mesh is strict unless something says otherwise."""
    policies: dict[MtlsScope, _Placed] = {}
    if mesh.mtls is not None:
        _add(policies, _default(MeshScope(), mesh.mtls, ctx), mesh.mtls.span, ctx)
    for namespace in statements.every(Namespace):
        if namespace.mtls is not None:
            own = NamespaceScope(namespace.name.text)
            _add(policies, _default(own, namespace.mtls, ctx), namespace.mtls.span, ctx)
    for statement in statements.every(MtlsStatement):
        for scope in dict.fromkeys(_scopes(statement.destinations, ctx)):
            _add(policies, _stated(scope, statement, ctx), statement.span, ctx)
            _check_place(scope, statement.span, placement)
    if MeshScope() not in policies:
        strict = MtlsPolicy(MeshScope(), MtlsMode.STRICT, ctx.origin(mesh.span))
        policies[MeshScope()] = (strict, mesh.span)
    return tuple(sorted((policy for policy, _ in policies.values()), key=lambda policy: _order(policy.scope)))


def _add(policies: dict[MtlsScope, _Placed], policy: MtlsPolicy, at: Span, ctx: Context) -> None:
    first = policies.setdefault(policy.scope, (policy, at))
    if first[0] is policy:
        return
    ctx.findings.add(
        "MP223",
        f"two mTLS statements are equally close to {_described(policy.scope, ctx)}",
        at,
        "the second statement",
        labels=(Label(first[1], "the first one"),),
        help="the closest statement holds: port, service, namespace, mesh; keep one of these",
    )


def _check_place(scope: MtlsScope, at: Span, placement: Placement) -> None:
    match scope:
        case MeshScope():
            placement.check_mesh("an mTLS statement", at)
        case NamespaceScope(namespace):
            placement.check_namespace("an mTLS statement", at, namespace)
        case ServiceScope(service) | PortScope(service):
            placement.check("an mTLS statement", at, (service,))
        case _ as never:
            assert_never(never)


def _default(scope: MtlsScope, written: MtlsDefault, ctx: Context) -> MtlsPolicy:
    reasons = written.reasons
    mode = MtlsMode(written.mode.value)
    return MtlsPolicy(scope, mode, ctx.origin(written.span), because(reasons), owner(reasons), until(reasons))


def _stated(scope: MtlsScope, written: MtlsStatement, ctx: Context) -> MtlsPolicy:
    reasons = written.reasons
    mode = MtlsMode(written.mode.value)
    return MtlsPolicy(scope, mode, ctx.origin(written.span), because(reasons), owner(reasons), until(reasons))


def _scopes(written: SetExpression, ctx: Context) -> tuple[MtlsScope, ...]:
    """`all` is the mesh and `namespace N` the namespace; every other set is its services, or ports of them."""
    match written:
        case AllServices():
            return (MeshScope(),)
        case NamespaceSet(namespace, domain) if domain is None or domain_of(written, ctx) == ctx.domains.own:
            return (NamespaceScope(namespace.text),)
        case Braces(items):
            return tuple(scope for item in items for scope in _scopes(item, ctx))
        case Union(operands):
            return tuple(scope for operand in operands for scope in _scopes(operand, ctx))
        case _:
            return _scopes_of_members(written, ctx)


def _scopes_of_members(written: SetExpression, ctx: Context) -> tuple[MtlsScope, ...]:
    found = port_sets(written, ctx)
    if found is None:
        return ()
    if not found:
        message = f"`{written_set(written)}` has no member, so the statement is for nothing"
        ctx.findings.add("MP234", message, written.span)
    has_ports = any(isinstance(node, AtPort) for node in walk(written))
    scopes: list[MtlsScope] = []
    for name, ports in sorted(found.items()):
        node = ctx.directory.nodes[name]
        if not isinstance(node, Service):
            kind = type(node).__name__.lower()
            message = f"`{name}` is {'an' if kind == 'external' else 'a'} {kind}, and mTLS modes are for services"
            ctx.findings.add("MP203", message, written.span)
        elif has_ports:
            scopes.extend(PortScope(name, port) for port in sorted(ports))
        else:
            scopes.append(ServiceScope(name))
    return tuple(scopes)


def _order(scope: MtlsScope) -> tuple[int, str, int]:
    match scope:
        case MeshScope():
            return (0, "", 0)
        case NamespaceScope(namespace):
            return (1, namespace, 0)
        case ServiceScope(service):
            return (2, service, 0)
        case PortScope(service, port):
            return (3, service, port)
        case _ as never:
            assert_never(never)


def _described(scope: MtlsScope, ctx: Context) -> str:
    match scope:
        case MeshScope():
            return "the whole mesh"
        case NamespaceScope(namespace):
            return f"namespace `{namespace}`"
        case ServiceScope(service):
            return f"`{service}`"
        case PortScope(service, port):
            names = (one.name for one in ctx.directory.nodes[service].ports if one.workload == port)
            return f"`{service}:{next(names, port)}`"
        case _ as never:
            assert_never(never)
