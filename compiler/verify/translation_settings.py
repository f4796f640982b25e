"""The settings of routes of which losses say that they are not compiled, taken out of the policy before it is compared.

Then whatever else such a route does has to be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.routing import Branch, Limits, Retry, Route

_RETRY = "retry"


def settled(mesh: Mesh, losses: Iterable[Loss]) -> tuple[Mesh, tuple[Loss, ...]]:
    """The policy without what losses of settings speak of, and the losses that are dealt with by that.

    A route for several ports may lose some of its settings at one port alone: it becomes one route for each of them.
    """
    found = tuple(loss for loss in losses if loss.settings)
    routes = (one for route in mesh.routes for one in _settled(mesh, route, found))
    return replace(mesh, routes=tuple(routes)), found


def _settled(mesh: Mesh, route: Route, losses: Iterable[Loss]) -> Iterator[Route]:
    own = tuple(loss for loss in losses if loss.subject == route.id)
    if not own:
        yield route
        return
    for one in _by_port(mesh, route) if any(loss.at is not None for loss in own) else (route,):
        lost = (loss for loss in own if one.port is None or loss.is_at(one.node, one.port))
        yield _without(one, {word for loss in lost for word in loss.settings})


def _by_port(mesh: Mesh, route: Route) -> tuple[Route, ...]:
    """The route for each port for requests that has none of its own, under the name that it has."""
    node = mesh.node(route.node)
    if route.port is not None or node is None:
        return (route,)
    taken = {one.port for one in mesh.routes if one.node == route.node and one.layer is not Layer.TCP}
    ports = dict.fromkeys(port.workload for port in node.ports if port.layer is not Layer.TCP)
    return tuple(replace(route, port=port, layer=Layer.HTTP) for port in ports if port not in taken)


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
