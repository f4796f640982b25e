"""Findings about the routes of a small world, and about who gets in without identity, against trying every request."""

from __future__ import annotations

from collections import Counter

from tests.strategies.brute import Judged, World

from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.semantics import route as routed
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.verify import (
    allowed_not_routed,
    plaintext_reachable,
    routed_not_allowed,
    unreachable_branches,
    unrouted,
)
from meshproof.compiler.verify.routing import forwarded_condition


def compare_routes(world: World) -> Counter[str]:
    """How many findings of each kind there were."""
    taken: dict[str, list[Judged]] = {branch.id: [] for one in world.mesh.routes for branch in one.branches}
    left: list[tuple[str, Judged]] = []
    for judged in world.judged.values():
        for one in judged:
            chosen = _route_of(world, one)
            if chosen is not None:
                outcome = routed(world.mesh, one.request, world.day)
                if outcome is None:
                    left.append((chosen.id, one))
                elif outcome.branch is not None:
                    taken[outcome.branch].append(one)
    dead = {(one.id, branch.id) for one in world.mesh.routes for branch in one.branches if not taken[branch.id]}
    assert {(one.route, one.branch) for one in unreachable_branches(world.analysis)} == dead
    lost = {name for name, _ in left}
    assert {one.route for one in unrouted(world.analysis)} == lost
    allowed = {name for name, one in left if one.is_allowed}
    assert {one.route for one in allowed_not_routed(world.analysis)} == allowed
    shut = {
        (one.id, branch.id)
        for one in world.mesh.routes
        for branch in one.branches
        if _is_refused(world, one, branch, taken[branch.id])
    }
    assert {(one.route, one.branch) for one in routed_not_allowed(world.analysis)} == shut
    return Counter(
        {
            "dead branch": len(dead),
            "unrouted": len(lost),
            "allowed, not routed": len(allowed),
            "routed, not allowed": len(shut),
        }
    )


def _route_of(world: World, one: Judged) -> Route | None:
    policy = world.analysis.scope(one.key).policy
    if not one.key.is_declared:
        return None
    return policy.route_tcp if one.facts.layer is Layer.TCP else policy.route


def _is_refused(world: World, route: Route, branch: Branch, taken: list[Judged]) -> bool:
    """Whether a branch takes something, nothing of which is allowed where it arrives."""
    if branch.settings.rewrite_path is not None or branch.settings.headers or not branch.targets or not taken:
        return False
    gateway = world.nodes[route.node]
    if not isinstance(gateway, Gateway):
        return not any(one.is_allowed for one in taken)
    identity = canonical_identity(world.mesh, gateway.identity).uri
    condition = forwarded_condition(branch.condition)
    return not any(
        one.is_allowed and one.satisfies(condition) and _is_sent(world, one, identity)
        for key, judged in world.judged.items()
        if _leads_to(route, branch, (key.node, key.port))
        for one in judged
    )


def _leads_to(route: Route, branch: Branch, place: tuple[str, int]) -> bool:
    node, port = place
    return any(
        target.node == node and target.port in {None, port} and (target.weight > 0 or route.weights_by is not None)
        for target in branch.targets
    )


def _is_sent(world: World, one: Judged, identity: str) -> bool:
    """Whether a request may be one of the gateway's: where mTLS is disabled nobody has an identity."""
    return one.facts.identity == identity or world.mode(one.key) == "disabled"


def compare_exposure(world: World) -> Counter[str]:
    """How many ports of services let in somebody without identity."""
    expected = {
        key
        for key, judged in world.judged.items()
        if not isinstance(world.nodes[key.node], Gateway)
        and any(one.is_allowed and one.facts.identity is None for one in judged)
    }
    assert {one.key for one in plaintext_reachable(world.analysis)} == expected
    return Counter({"exposed": len(expected)})
