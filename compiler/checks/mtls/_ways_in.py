"""How callers without identity come in where manifests say what runs: one finding for all that one cause opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed, request_row
from meshproof.compiler.ir.mtls import MeshScope, MtlsMode, MtlsPolicy, ServiceScope
from meshproof.compiler.ir.names import written_name
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshproof.compiler.checks.check import Check
    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Way:
    """A request without identity that comes in at a port of a node, which `name` names: by a rule, or without one."""

    node: Service | Gateway
    name: str
    rule: RuleId | None
    request: Request
    statement: MtlsPolicy | None
    is_observed: bool = False


@dataclass(slots=True)
class _Cause:
    """A statement about mTLS and what comes in because of it; all workloads without a sidecar are one."""

    statement: MtlsPolicy | None
    is_outside: bool
    ways: list[Way] = field(default_factory=list)

    @property
    def nodes(self) -> tuple[Service | Gateway, ...]:
        return tuple({way.node.name: way.node for way in self.ways}.values())

    @property
    def rules(self) -> tuple[RuleId, ...]:
        """The rules that let them in, each in one of its forms."""
        return tuple({written_name(way.rule): way.rule for way in self.ways if way.rule is not None}.values())


def by_statement(ctx: CheckContext, ways: Iterable[Way], check: Check) -> Iterator[Diagnostic]:
    """A finding for each PeerAuthentication that takes plaintext, for there being none, and for missing sidecars.

    Of App Mesh, where each listener says for itself how it takes connections, one for all that do it alike.
    """
    causes: dict[MtlsPolicy | str, _Cause] = {}
    for way in ways:
        statement = way.statement
        if ctx.is_app_mesh and statement is not None:
            causes.setdefault(statement.mode, _Cause(statement, is_outside=False)).ways.append(way)
            continue
        is_outside = statement is not None and _is_outside(way.node, statement)
        key = "outside" if is_outside or statement is None else statement
        causes.setdefault(key, _Cause(statement, is_outside)).ways.append(way)
    for cause in causes.values():
        yield _finding(ctx, cause, check)


def _is_outside(node: Service | Gateway, statement: MtlsPolicy) -> bool:
    """Whether nothing of the mesh stands before the workload: then the statement is there by that alone."""
    is_own = statement.scope == ServiceScope(node.name) and statement.origin == node.origin
    return is_own and statement.mode is MtlsMode.DISABLED


def _is_default(mesh: Mesh, statement: MtlsPolicy | None) -> bool:
    """Whether the mode is what holds where no PeerAuthentication says one."""
    return statement is None or (isinstance(statement.scope, MeshScope) and statement.origin == mesh.origin)


def _finding(ctx: CheckContext, cause: _Cause, check: Check) -> Diagnostic:
    names = tuple(str(node.name) for node in cause.nodes)
    counted = f"{len(names)} workloads" if len(names) > 1 else "1 workload"
    rules = Rules(ctx)
    labels = [rules.label(rule, "takes callers without identity too") for rule in cause.rules[:MOST_NAMES]]
    nodes = [Label(node.origin.span, "") for node in cause.nodes[1:MOST_NAMES]]
    if cause.is_outside:
        message = f"no sidecar stands before {listed(names)}: no policy is in force there, and anyone may call"
        at, text = cause.nodes[0].origin.span, "is outside of the mesh"
        labels = [Label(label.span, "so is this") for label in nodes]
        advice = "let Istio inject a sidecar, or guard them with a NetworkPolicy"
    elif _is_default(ctx.mesh, cause.statement) or cause.statement is None:
        message = f"no PeerAuthentication asks for mTLS: plaintext is accepted at {counted}, {listed(names)}"
        at, text = cause.nodes[0].origin.span, "whoever calls needs no identity"
        advice = "add a PeerAuthentication with `mtls: {mode: STRICT}` once every caller has a sidecar"
    elif ctx.is_app_mesh:
        is_asking = cause.statement.mode is MtlsMode.PERMISSIVE
        asked = "plaintext is taken beside TLS" if is_asking else "nobody is asked for a certificate"
        message = f"{asked} at {counted}, {listed(names)}: callers without identity come in"
        at, text = cause.statement.origin.span, "takes whoever comes"
        advice = "give the listener TLS of the mode STRICT, with `validation` and the names of its callers"
    else:
        mode = "PERMISSIVE" if cause.statement.mode is MtlsMode.PERMISSIVE else "DISABLE"
        message = f"mTLS is {mode} at {counted}, {listed(names)}: callers without identity come in"
        at, text = cause.statement.origin.span, "takes plaintext"
        advice = "set `mode: STRICT` once every caller has a sidecar"
    return check.finding(
        message,
        at,
        text,
        subject=names[0],
        labels=tuple(label for label in labels if label.span != at),
        notes=every(names),
        help=advice,
        evidence=(request_row(cause.ways[0].request),),
    )
