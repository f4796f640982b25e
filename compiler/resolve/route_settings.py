"""Settings of routes: those of the block, overridden by those of a branch."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from meshproof.compiler.ir.routing import (
    Balance,
    BalanceKind,
    Cors,
    Ejection,
    Fault,
    HeaderAction,
    HeaderEdit,
    Limits,
    Mirror,
    Retry,
    Settings,
)
from meshproof.compiler.resolve.header_names import header_name
from meshproof.compiler.resolve.route_targets import resolve_mirror
from meshproof.dsl.ast import routes as ast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.operations import PathPattern
    from meshproof.dsl.ast.values import Number

_ABORTS = range(200, 600)


@dataclass(frozen=True, slots=True)
class OfRoute:
    """The settings that hold for a destination as a whole."""

    limits: Limits | None
    ejection: Ejection | None
    balance: Balance | None
    weights_by: str | None


def joined(around: ast.RouteSettings, own: ast.RouteSettings | None) -> ast.RouteSettings:
    """What holds for a branch: each of its own settings in place of the block's.

    An edit of a header replaces the block's edits of that header; the block's other edits stay, and come first.
    """
    if own is None:
        return around
    edited = {edit.name.value.lower() for edit in own.headers}
    kept = tuple(edit for edit in around.headers if edit.name.value.lower() not in edited)
    given = {field.name: getattr(own, field.name) for field in fields(own) if field.name not in {"span", "headers"}}
    written = {name: value for name, value in given.items() if value not in (None, ())}
    return replace(around, headers=(*kept, *own.headers), **written)


def of_route(written: ast.RouteSettings, ctx: Context) -> OfRoute:
    """Limits, ejection, balance, and who moves the weights."""
    return OfRoute(
        limits=_limits(written.limits, ctx) if written.limits else None,
        ejection=None if written.ejection is None else _ejection(written.ejection, ctx),
        balance=None if written.balance is None else _balance(written.balance, ctx),
        weights_by=None if written.weights_by is None else written.weights_by.value,
    )


def of_branch(written: ast.RouteSettings, taken: ast.Branch, node: Node, ctx: Context) -> Settings:
    """What is done to the requests that a branch takes; `written` are its settings joined with the block's."""
    return Settings(
        timeout_ms=None if written.timeout is None else written.timeout.milliseconds,
        retry=None if written.retry is None else _retry(written.retry, ctx),
        mirror=None if written.mirror is None else _mirror(written.mirror, node, ctx),
        rewrite_path=None if written.rewrite is None else _rewrite(written.rewrite, taken, ctx),
        headers=_headers(written.headers, ctx),
        cors=None if written.cors is None else _cors(written.cors, ctx),
        fault=_fault(written, ctx),
    )


def check_branch(written: ast.RouteSettings | None, ctx: Context) -> None:
    """What holds for a destination as a whole stands in the block, not with one of its branches."""
    if written is None:
        return
    whole = (*written.limits, written.ejection, written.balance, written.weights_by)
    for setting in whole:
        if setting is not None:
            message = "this holds for the destination as a whole, not for the requests of one branch"
            ctx.findings.add("MP232", message, setting.span, help="write it in the route, outside of the branch")


def check_rest(path: PathPattern, taken: ast.Branch, ctx: Context) -> None:
    """A last `**` of a new path stands for what the branch's own `**` took, so the branch must have one."""
    if path.has_rest and (taken.path is None or not taken.path.has_rest):
        message = "`**` stands for what the branch's own `**` takes, and the branch has none"
        ctx.findings.add("MP232", message, path.span, help="give the branch a path that ends in `/**`")


def _rewrite(written: ast.Rewrite, taken: ast.Branch, ctx: Context) -> str:
    """The new start of the path; a branch that ends in `/**` keeps its rest, whether the rewrite says so or not."""
    check_rest(written.path, taken, ctx)
    return written.path.text.removesuffix("/**") or "/"


def _retry(written: ast.Retry, ctx: Context) -> Retry | None:
    attempts = ctx.values.number(written.attempts)
    if not attempts:
        return None
    conditions = (
        on.reason.value if isinstance(on.reason, ast.RetryReason) else str(on.reason) for on in written.conditions
    )
    within = None if written.within is None else written.within.milliseconds
    return Retry(attempts, tuple(dict.fromkeys(conditions)), within, ctx.origin(written.span))


def _mirror(written: ast.Mirror, node: Node, ctx: Context) -> Mirror | None:
    target = resolve_mirror(written.target, node, ctx)
    share = written.target.weight
    return None if target is None else Mirror(target, 100 if share is None else share.value, ctx.origin(written.span))


def _headers(written: Iterable[ast.HeaderEdit], ctx: Context) -> tuple[HeaderEdit, ...]:
    edits: list[HeaderEdit] = []
    for edit in written:
        name = header_name(edit.name.value, edit.name.span, ctx.findings)
        value = "" if edit.value is None else ctx.values.string(edit.value)
        if name is None or value is None:
            continue
        edits.append(HeaderEdit(HeaderAction(edit.action.value), name, value))
    return tuple(edits)


def _cors(written: ast.Cors, ctx: Context) -> Cors:
    names = (header_name(header.value, header.span, ctx.findings) for header in written.headers)
    return Cors(
        origins=ctx.values.strings(written.origins),
        methods=tuple(dict.fromkeys(written.methods)),
        headers=tuple(dict.fromkeys(name for name in names if name is not None)),
        allows_credentials=written.credentials is not None,
        max_age_ms=None if written.max_age is None else written.max_age.milliseconds,
    )


def _fault(written: ast.RouteSettings, ctx: Context) -> Fault | None:
    delay, abort = written.fault_delay, written.fault_abort
    if delay is None and abort is None:
        return None
    return Fault(
        delay_ms=None if delay is None else delay.delay.milliseconds,
        delay_percent=0 if delay is None else delay.share.value,
        abort_status=None if abort is None else _status(abort.status, ctx),
        abort_percent=0 if abort is None else abort.share.value,
    )


def _status(written: Number, ctx: Context) -> int:
    if written.value not in _ABORTS:
        ctx.findings.add("MP236", f"{written.value} is no status to answer with", written.span, help="from 200 to 599")
    return written.value


def _limits(written: Iterable[ast.Limit], ctx: Context) -> Limits:
    amounts = {limit.kind: ctx.values.number(limit.amount) for limit in written}
    return Limits(
        connections=amounts.get(ast.LimitKind.CONNECTIONS),
        pending=amounts.get(ast.LimitKind.PENDING),
        requests=amounts.get(ast.LimitKind.REQUESTS),
    )


def _ejection(written: ast.Ejection, ctx: Context) -> Ejection:
    return Ejection(ctx.values.number(written.errors) or 0, written.duration.milliseconds, written.share.value)


def _balance(written: ast.Balance, ctx: Context) -> Balance:
    header = written.header
    name = None if header is None else header_name(header.value, header.span, ctx.findings)
    return Balance(BalanceKind(written.kind.value), name)
