"""Tests: requests and what is to become of them (language reference, "Tests")."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir import assertions as ir
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.resolve.cases import case_requests
from meshproof.compiler.resolve.route_targets import resolve_targets
from meshproof.compiler.resolve.written import written_case
from meshproof.dsl.ast import tests as ast
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.ir.routing import Target
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.values import Name

_WHOLE = 100


def resolve_suites(written: Iterable[ast.Suite], ctx: Context) -> tuple[ir.TestBlock, ...]:
    """The blocks by name; two with one name are a finding."""
    found: dict[str, ast.Suite] = {}
    for one in written:
        first = found.setdefault(one.name.text, one)
        if first is not one:
            ctx.findings.add(
                "MP202",
                f"two tests are named `{one.name.text}`",
                one.name.span,
                labels=(Label(first.name.span, "the first one"),),
            )
    return tuple(resolve_suite(found[name], ctx) for name in sorted(found))


def resolve_suite(written: ast.Suite, ctx: Context) -> ir.TestBlock:
    """One block, without the lines that cannot be read."""
    lines = (resolve_case(case, ctx) for case in written.cases)
    kept = tuple(line for line in lines if line is not None)
    return ir.TestBlock(written.name.text, kept, ctx.origin(written.span))


def resolve_case(written: ast.Case, ctx: Context) -> ir.TestLine | None:
    """One line; None if it cannot be read."""
    requests = case_requests(written.request, ctx)
    if requests is None:
        return None
    expected = _expected(written.outcome, requests[0], ctx)
    if expected is None:
        return None
    return ir.TestLine(requests, expected, written_case(written), ctx.origin(written.span))


def _expected(written: ast.Outcome, request: Request, ctx: Context) -> ir.ExpectDecision | ir.ExpectRoute | None:
    match written:
        case ast.ExpectAllow(by):
            return ir.ExpectDecision(is_allowed=True, by=_rule(by, ctx))
        case ast.ExpectDeny(by, at):
            return ir.ExpectDecision(is_allowed=False, at=None if at is None else at.value, by=_rule(by, ctx))
        case ast.ExpectRoute():
            return _route(written, request, ctx)
        case _ as never:
            assert_never(never)


def _rule(name: Name | None, ctx: Context) -> RuleId | None:
    if name is None:
        return None
    if name.text not in ctx.rules:
        ctx.findings.add(
            "MP201", f"there is no rule `{name.text}`", name.span, help=ctx.findings.did_you_mean(name.text, ctx.rules)
        )
    return RuleId(name.text)


def _route(written: ast.ExpectRoute, request: Request, ctx: Context) -> ir.ExpectRoute | None:
    node = ctx.directory.nodes[request.destination]
    targets = resolve_targets(written.targets, node, ctx)
    if len(targets) != len(written.targets):
        return None
    for target, one in zip(targets, written.targets, strict=True):
        _check_version(target, one.name, node, ctx)
    if sum(target.weight for target in targets) != _WHOLE:
        message = "the shares that a test expects sum to 100%"
        ctx.findings.add("MP233", message, written.span, help="write the percent of each, as the route does")
        return None
    return ir.ExpectRoute(tuple((_label(target, request), target.weight) for target in targets))


def _check_version(target: Target, name: Name, node: Node, ctx: Context) -> None:
    if isinstance(node, Gateway) or target.version is None:
        return
    versions = node.versions if isinstance(node, Service) else ()
    if target.version not in versions:
        advice = ctx.findings.did_you_mean(target.version, versions)
        ctx.findings.add("MP214", f"`{node.name}` has no version `{target.version}`", name.span, help=advice)


def _label(target: Target, request: Request) -> str:
    """As outcomes name it: the version of the node called, else `NODE:PORT` with the workload's port."""
    if target.version is not None:
        return target.version
    return f"{target.node}:{request.port if target.port is None else target.port}"
