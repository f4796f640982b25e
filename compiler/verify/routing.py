"""What routes take and leave: branches that nothing reaches, requests that no branch takes, and what rules say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.smt.region import Conditional, Region, Satisfying, SentBy, Taken, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.graph import leads_to
from meshproof.compiler.verify.properties import ALLOWED, implies
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Example
from meshproof.compiler.verify.witness import Witness


@dataclass(frozen=True, slots=True)
class UnreachableBranch:
    """A branch that takes nothing at any port of its route.

    `cover` are the branches before it that together take all that agrees with it, by name and fewest by inclusion;
    none if nothing agrees with it at all.
    """

    route: str
    branch: str
    cover: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unrouted:
    """A request to the route's node that no branch takes."""

    route: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class Refused:
    """A branch all of whose requests are refused where they arrive; `targets` are the ports, by name."""

    route: str
    branch: str
    targets: tuple[str, ...]


def unreachable_branches(analysis: Analysis) -> Iterable[UnreachableBranch]:
    """Every branch that no request reaches, first match first. Raises Undecided."""
    for route in analysis.mesh.routes:
        scopes = scopes_of_route(analysis, route)
        for position, branch in enumerate(route.branches):
            if scopes and all(scope.is_empty(Taken(branch.id)) for scope in scopes):
                earlier = tuple(one.id for one in route.branches[:position])
                yield UnreachableBranch(route.id, branch.id, _cover(scopes, branch.id, earlier))


def _cover(scopes: tuple[Scope, ...], branch: str, earlier: tuple[str, ...]) -> tuple[str, ...]:
    kept = list(earlier)
    for one in reversed(earlier):
        rest = [other for other in kept if other != one]
        region: Region = Conditional(branch)
        for other in rest:
            region = implies(region, Conditional(other))
        if all(scope.is_empty(region) for scope in scopes):
            kept = rest
    return tuple(kept)


def unrouted(analysis: Analysis) -> Iterable[Unrouted]:
    """For each route a request that no branch takes, if there is one; one that cannot be decided is left out."""
    yield from _left_over(analysis, Taken(None))


def allowed_not_routed(analysis: Analysis) -> Iterable[Unrouted]:
    """For each route a request that is allowed and that no branch takes, if there is one."""
    yield from _left_over(analysis, both(ALLOWED, Taken(None)))


def _left_over(analysis: Analysis, region: Region) -> Iterable[Unrouted]:
    for route in analysis.mesh.routes:
        answers = (scope.is_satisfiable(region) for scope in scopes_of_route(analysis, route))
        witness = next((answer.witness for answer in answers if isinstance(answer, Example)), None)
        if witness is not None:
            yield Unrouted(route.id, witness)


def routed_not_allowed(analysis: Analysis) -> Iterable[Refused]:
    """Every branch that takes requests none of which is allowed where it arrives.

    A branch that rewrites the path or edits headers is left out, and so is what cannot be decided.
    """
    for route in analysis.mesh.routes:
        for branch in route.branches:
            if branch.settings.rewrite_path is None and not branch.settings.headers and branch.targets:
                try:
                    found = _refused(analysis, route, branch)
                except Undecided:
                    continue
                if found is not None:
                    yield found


def _refused(analysis: Analysis, route: Route, branch: Branch) -> Refused | None:
    scopes = scopes_of_route(analysis, route)
    taking = tuple(scope for scope in scopes if not scope.is_empty(Taken(branch.id)))
    if not taking:
        return None
    gateway = analysis.mesh.node(route.node)
    if isinstance(gateway, Gateway):
        region = both(ALLOWED, SentBy((gateway.name,)), Satisfying(branch.condition))
        taking = tuple(analysis.scope(key) for key in analysis.keys if leads_to(route, branch, key))
    else:
        region = both(ALLOWED, Taken(branch.id))
    if any(not scope.is_empty(region) for scope in taking):
        return None
    return Refused(route.id, branch.id, tuple(scope.name for scope in taking))


def scopes_of_route(analysis: Analysis, route: Route) -> tuple[Scope, ...]:
    """The ports whose requests or connections the route is for."""
    scopes = (analysis.scope(key) for key in analysis.scopes() if key.node == route.node)
    return tuple(scope for scope in scopes if route in {scope.policy.route, scope.policy.route_tcp})
