"""The settings of routes of which losses say that they are not compiled, taken out of the policy before it is compared.

Then whatever else such a route does has to be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.entities import External, Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.routing import Branch, Limits, Retry, Route

_RETRY = "retry"


def settled(mesh: Mesh, losses: Iterable[Loss]) -> tuple[Mesh, tuple[Loss, ...]]:
    """The policy without what losses of settings speak of, and the losses that are dealt with by that.

    A route for several ports has one set of settings, and may lose some of them at one port alone: what is lost of it
    stays, and explains what is done with its requests.
    """
    routes = {route.id: route for route in mesh.routes if _is_of_one_port(mesh, route)}
    several = {route.id for route in mesh.routes} - routes.keys()
    found = tuple(loss for loss in losses if loss.settings and loss.subject not in several)
    for route_id, route in routes.items():
        words = {word for loss in found if loss.subject == route_id for word in loss.settings}
        routes[route_id] = _without(route, words) if words else route
    return replace(mesh, routes=tuple(routes.get(route.id, route) for route in mesh.routes)), found


def _is_of_one_port(mesh: Mesh, route: Route) -> bool:
    node = mesh.node(route.node)
    if route.port is not None or node is None or isinstance(node, External):
        return True
    return sum(port.layer is not Layer.TCP for port in node.ports) <= 1


def _without(route: Route, words: Collection[str]) -> Route:
    return replace(
        route,
        balance=None if "balance" in words else route.balance,
        limits=_bounds(route.limits, words),
        branches=tuple(_tried(branch, words) for branch in route.branches),
    )


def _bounds(limits: Limits | None, words: Collection[str]) -> Limits | None:
    if limits is None:
        return None
    left = Limits(
        connections=None if "limit connections" in words else limits.connections,
        pending=None if "limit pending" in words else limits.pending,
        requests=None if "limit requests" in words else limits.requests,
    )
    return None if left == Limits() else left


def _tried(branch: Branch, words: Collection[str]) -> Branch:
    retry = branch.settings.retry
    return branch if retry is None else replace(branch, settings=replace(branch.settings, retry=_again(retry, words)))


def _again(retry: Retry, words: Collection[str]) -> Retry | None:
    left = tuple(one for one in retry.conditions if f"{_RETRY} {one}" not in words)
    return replace(retry, conditions=left) if left and _RETRY not in words else None
