"""What foreign files mean once that is left out which nobody wrote in them: what a policy is held equal to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.ir.routing import Branch, Route, Settings

if TYPE_CHECKING:
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.routing import Retry

UNASKED_ATTEMPTS = 2
UNASKED_REASONS = frozenset(
    ("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"),
)
"""When and how often Istio's proxies try again where no object says anything (ADR 0110)."""

RETRY_WORDS = {"refused-stream": "refused"}
"""Envoy's words for reasons to retry that are others in the language."""


def is_unasked(retry: Retry) -> bool:
    """Whether the retries are those that nobody asked for."""
    return (
        retry.attempts == UNASKED_ATTEMPTS
        and retry.within_ms is None
        and frozenset(retry.conditions) == UNASKED_REASONS
    )


def without_unasked(mesh: Mesh) -> tuple[Mesh, int]:
    """The mesh without retries that nobody asked for, in the language's words; and the number of routes with such."""
    routes = tuple(route for route in map(_plain, mesh.routes) if not _is_default(route))
    count = sum(
        any(one.settings.retry is not None and is_unasked(one.settings.retry) for one in route.branches)
        for route in mesh.routes
    )
    return replace(mesh, routes=routes), count


def says_nothing(route: Route) -> bool:
    """Whether every request goes on as it is called, and nothing is done to it but retries that nobody asked for."""
    is_bare = route.limits is None and route.ejection is None and route.balance is None and route.weights_by is None
    return is_bare and bool(route.branches) and all(_goes_on(branch, route) for branch in route.branches)


def _goes_on(branch: Branch, route: Route) -> bool:
    retry = branch.settings.retry
    is_plain = branch.settings == Settings(retry=retry) and (retry is None or branch.is_implied or is_unasked(retry))
    if not is_plain or branch.redirect is not None or branch.answer is not None or len(branch.targets) != 1:
        return False
    (target,) = branch.targets
    return target.node == route.node and target.version is None and target.port in {None, route.port}


def _is_default(route: Route) -> bool:
    """Whether nobody wrote any of the route, and whoever sends, requests go on as they are called.

    Its branches are for classes of senders that are all there are, whether or not an identity tells which one it is.
    """
    return says_nothing(route) and all(branch.is_implied for branch in route.branches)


def _plain(route: Route) -> Route:
    return replace(route, branches=tuple(_plain_branch(branch) for branch in route.branches))


def _plain_branch(branch: Branch) -> Branch:
    retry = branch.settings.retry
    if retry is None:
        return branch
    if branch.is_implied or is_unasked(retry):
        settings: Settings = replace(branch.settings, retry=None)
        return replace(branch, settings=settings)
    conditions = tuple(RETRY_WORDS.get(one, one) for one in retry.conditions)
    return replace(branch, settings=replace(branch.settings, retry=replace(retry, conditions=conditions)))
