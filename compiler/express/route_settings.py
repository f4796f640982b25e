"""Settings of routes as the language writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshproof.compiler.express.conditions import path_pattern
from meshproof.compiler.express.durations import duration
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.unwritten import RETRY_WORDS, is_unasked
from meshproof.compiler.ir.matchers import Matcher, Prefix, Segments
from meshproof.compiler.ir.routing import BalanceKind
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.values import Number, Percent, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshproof.compiler.ir.routing import Branch, Cors, Redirect, Retry, Route, Target

_REASONS = {reason.value: reason for reason in ast.RetryReason}
_STATUSES = range(100, 600)


def of_route(route: Route) -> ast.RouteSettings:
    """What holds for the destination as a whole."""
    limits, ejection, balance = route.limits, route.ejection, route.balance
    if balance is not None and balance.kind is BalanceKind.HASH and balance.header is None:
        raise InexpressibleError("it chooses endpoints by a hash of something else than a header")
    return ast.RouteSettings(
        limits=() if limits is None else tuple(_limits(limits.connections, limits.pending, limits.requests)),
        ejection=None
        if ejection is None
        else ast.Ejection(Number(ejection.errors), duration(ejection.for_ms), Percent(ejection.percent)),
        balance=None
        if balance is None
        else ast.Balance(ast.BalanceKind(balance.kind.value), None if balance.header is None else Text(balance.header)),
        weights_by=None if route.weights_by is None else Text(route.weights_by),
    )


def _limits(connections: int | None, pending: int | None, requests: int | None) -> Iterator[ast.Limit]:
    amounts = ((ast.LimitKind.CONNECTIONS, connections), (ast.LimitKind.PENDING, pending))
    for kind, amount in (*amounts, (ast.LimitKind.REQUESTS, requests)):
        if amount is not None:
            yield ast.Limit(kind, Number(amount))


def of_branch(branch: Branch, target: Callable[[Target], ast.Target]) -> ast.RouteSettings:
    """What is done to the requests of a branch. Raises InexpressibleError."""
    own = branch.settings
    if own.rewrite_host is not None:
        raise InexpressibleError(f"it sends requests on for another host, `{own.rewrite_host}`")
    fault = own.fault
    has_delay = fault is not None and fault.delay_ms is not None and fault.delay_percent > 0
    has_abort = fault is not None and fault.abort_status is not None and fault.abort_percent > 0
    return ast.RouteSettings(
        timeout=None if own.timeout_ms is None else duration(own.timeout_ms),
        retry=None if own.retry is None or is_unasked(own.retry) else _retry(own.retry),
        mirror=None if own.mirror is None else ast.Mirror(_mirrored(target(own.mirror.target), own.mirror.percent)),
        rewrite=None if own.rewrite_path is None else ast.Rewrite(_rewrite(own.rewrite_path, branch.path)),
        redirect=None if branch.redirect is None else _redirect(branch.redirect),
        headers=tuple(
            ast.HeaderEdit(
                ast.HeaderAction(one.action.value),
                Text(one.name),
                None if ast.HeaderAction(one.action.value) is ast.HeaderAction.REMOVE else Text(one.value),
            )
            for one in own.headers
        ),
        cors=None if own.cors is None else _cors(own.cors),
        fault_delay=ast.FaultDelay(duration(fault.delay_ms), Percent(fault.delay_percent))
        if fault is not None and has_delay and fault.delay_ms is not None
        else None,
        fault_abort=ast.FaultAbort(Number(fault.abort_status), Percent(fault.abort_percent))
        if fault is not None and has_abort and fault.abort_status is not None
        else None,
    )


def _mirrored(target: ast.Target, percent: int) -> ast.Target:
    return ast.Target(target.name, target.port, Percent(percent))


def _retry(retry: Retry) -> ast.Retry:
    conditions = tuple(ast.RetryOn(_reason(RETRY_WORDS.get(one, one))) for one in retry.conditions)
    within = None if retry.within_ms is None else duration(retry.within_ms)
    return ast.Retry(Number(retry.attempts), conditions, within)


def _reason(word: str) -> ast.RetryReason | int:
    if word in _REASONS:
        return _REASONS[word]
    if word.isdecimal() and int(word) in _STATUSES:
        return int(word)
    raise InexpressibleError(f"it tries again on `{word}`")


def _rewrite(rewrite: str, taken: Matcher | None) -> PathPattern:
    """The new path. A prefix that ends in a slash, as the new one, is put in place of whole segments."""
    match taken:
        case Prefix(start):
            if not (start.endswith("/") and rewrite.endswith("/")):
                raise InexpressibleError(f"it puts `{rewrite}` in place of `{start}` at the start of paths")
            return _literal(rewrite[:-1], has_rest=True)
        case Segments(pattern) if pattern.endswith("/**"):
            return _literal(rewrite.removesuffix("/"), has_rest=True)
        case _:
            return _literal(rewrite, has_rest=False)


def _literal(path: str, *, has_rest: bool) -> PathPattern:
    found = PathPattern(()) if not path else path_pattern(path)
    if found is None or (not path and not has_rest):
        raise InexpressibleError(f"it makes the path `{path}`, which is not in normal form")
    return PathPattern(found.segments, has_rest)


def _redirect(redirect: Redirect) -> ast.Redirect:
    said = {"scheme": redirect.scheme, "port": redirect.port}
    for name, value in said.items():
        if value is not None:
            raise InexpressibleError(f"it answers with another {name}, `{value}`")
    if redirect.replaces_prefix or redirect.status not in {301, 302, 307, 308}:
        raise InexpressibleError("it answers with a redirect of another kind")
    if redirect.host is None and redirect.path is None:
        raise InexpressibleError("it answers with a redirect to where it came from")
    to = redirect.path
    path = None if to is None else _literal(to.removesuffix("/**"), has_rest=to.endswith("/**"))
    return ast.Redirect(
        None if redirect.status == 301 else Number(redirect.status),  # noqa: PLR2004  what is meant without a number
        None if redirect.host is None else Text(redirect.host),
        path,
    )


def _cors(cors: Cors) -> ast.Cors:
    for origin in cors.origins:
        if origin.startswith("regex:") or (origin.endswith("*") and origin != "*"):
            raise InexpressibleError(f"its cross-origin rules take the pattern `{origin}`")
    return ast.Cors(
        origins=tuple(map(Text, cors.origins)),
        methods=cors.methods,
        headers=tuple(map(Text, cors.headers)),
        credentials=Flag() if cors.allows_credentials else None,
        max_age=duration(cors.max_age_ms) if cors.max_age_ms else None,
    )
