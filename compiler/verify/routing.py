"""What routes take and leave: branches that nothing reaches, requests that no branch takes, and what rules say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from meshproof.compiler.ir.entities import External, Gateway, Node
from meshproof.compiler.ir.matchers import Exact, Matcher, Present, Suffix
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Header,
    Host,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Predicate,
    Query,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import Conditional, Outside, Region, Satisfying, Taken, both, either
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.graph import leads_to, mirroring
from meshproof.compiler.verify.properties import ALLOWED, implies, sent_by
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Example, Unknown
from meshproof.compiler.verify.witness import Witness

_FORWARDED = (Method, Path, Host, Header, Query)


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
    """A branch all of whose requests (or all copies of them) are refused where they arrive: the ports, by name."""

    route: str
    branch: str
    targets: tuple[str, ...]
    is_mirror: bool = False


def unreachable_branches(analysis: Analysis) -> Iterable[UnreachableBranch]:
    """Every written branch that no request reaches, first match first. Raises Undecided."""
    for route in analysis.mesh.routes:
        scopes = scopes_of_route(analysis, route)
        for position, branch in enumerate(route.branches):
            if scopes and not branch.is_implied and all(scope.is_empty(Taken(branch.id)) for scope in scopes):
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


def unrouted(analysis: Analysis, *, is_addressed: bool = False) -> Iterable[Unrouted]:
    """For each route a request that no branch takes, if there is one.

    With `is_addressed` only requests to a host of the gateway or external count: others are not meant for it. Raises
    Undecided once everything that was found has been given.
    """
    yield from _left_over(analysis, Taken(None), is_addressed=is_addressed)


def allowed_not_routed(analysis: Analysis, *, is_addressed: bool = False) -> Iterable[Unrouted]:
    """For each route a request that is allowed and that no branch takes, if there is one; as `unrouted` else."""
    yield from _left_over(analysis, both(ALLOWED, Taken(None)), is_addressed=is_addressed)


def _left_over(analysis: Analysis, region: Region, *, is_addressed: bool) -> Iterable[Unrouted]:
    unknown: list[Unknown] = []
    for route in analysis.mesh.routes:
        hosts = _hosts_of(analysis.mesh.node(route.node)) if is_addressed else ()
        wanted = both(region, *hosts)
        answers = [scope.is_satisfiable(wanted) for scope in scopes_of_route(analysis, route)]
        witness = next((answer.witness for answer in answers if isinstance(answer, Example)), None)
        if witness is not None:
            yield Unrouted(route.id, witness)
        else:
            unknown += [answer for answer in answers if isinstance(answer, Unknown)]
    if unknown:
        raise Undecided(unknown[0].reason)


def _hosts_of(node: Node | None) -> tuple[Region, ...]:
    """The requests to a host of the node, where it has any: nothing is taken away from the others."""
    if not isinstance(node, Gateway | External) or not node.hosts or "*" in node.hosts:
        return ()
    wanted = disjunction(tuple(Test(Host(), _host_matcher(host)) for host in node.hosts))
    return (either(Satisfying(wanted), Outside(Satisfying(Test(Method(), Present())))),)


def _host_matcher(host: str) -> Matcher:
    return Suffix(host[1:], ignore_case=True) if host.startswith("*.") else Exact(host, ignore_case=True)


def routed_not_allowed(analysis: Analysis) -> Iterable[Refused]:
    """Every branch that takes requests none of which is allowed where it arrives.

    A branch that rewrites the path or edits headers is left out. Raises Undecided once everything that was found has
    been given.
    """
    unknown: list[Undecided] = []
    for route in analysis.mesh.routes:
        for branch in route.branches:
            if not branch.is_editing and not branch.is_implied and branch.targets:
                try:
                    found = _refused(analysis, route, branch)
                except Undecided as undecided:
                    unknown.append(undecided)
                    continue
                if found is not None:
                    yield found
    if unknown:
        raise unknown[0]


def _refused(analysis: Analysis, route: Route, branch: Branch) -> Refused | None:
    scopes = scopes_of_route(analysis, route)
    taking = tuple(scope for scope in scopes if not scope.is_empty(Taken(branch.id)))
    if not taking:
        return None
    gateway = analysis.mesh.node(route.node)
    if isinstance(gateway, Gateway):
        taking = tuple(analysis.scope(key) for key in analysis.keys if leads_to(route, branch, key))
        regions = [_onward(scope, gateway, branch) for scope in taking]
    else:
        regions = [both(ALLOWED, Taken(branch.id)) for _ in taking]
    if any(not scope.is_empty(region) for scope, region in zip(taking, regions, strict=True)):
        return None
    # Where nothing is declared nothing is allowed, and there is no scope to name it by.
    names = tuple(scope.name for scope in taking) or tuple(f"{one.node}:{one.port}" for one in branch.targets)
    return Refused(route.id, branch.id, names)


def mirrored_not_allowed(analysis: Analysis) -> Iterable[Refused]:
    """Every branch that mirrors requests to another port, where no copy is allowed. Raises Undecided.

    A branch that rewrites the path or edits headers is left out.
    """
    routes = {branch.id: route for route in analysis.mesh.routes for branch in route.branches}
    seen: set[str] = set()
    for key, branch in mirroring(analysis):
        target = _copied_to(branch, key)
        if target is None or branch.id in seen:
            continue
        seen.add(branch.id)
        scope = analysis.scope(target)
        if scope.is_empty(_onward(scope, analysis.mesh.node(key.node), branch)):
            yield Refused(routes[branch.id].id, branch.id, (scope.name,), is_mirror=True)


def _copied_to(branch: Branch, key: PortKey) -> PortKey | None:
    """The port of another node that gets copies of what the branch takes as it is.

    A copy for another version of the same node is judged as the request is.
    """
    mirror = branch.settings.mirror
    if mirror is None or branch.is_editing:
        return None
    target = PortKey(mirror.target.node, mirror.target.port or key.port)
    return None if target == key else target


def _onward(scope: Scope, through: Node | None, branch: Branch) -> Region:
    """What is allowed at a port of the requests that a branch sends on through a gateway, or copies."""
    region = both(ALLOWED, Satisfying(forwarded_condition(branch.condition)))
    return both(region, sent_by(scope.policy, through.name)) if isinstance(through, Gateway) else region


def forwarded_condition(predicate: Predicate) -> Predicate:
    """What a condition at a gateway still says of the request that goes on from there.

    Method, path, host, headers and query are the same there; whatever else it reads may be anything by then (the caller
    is the gateway, the port another, a token may be stripped or not looked at), so that a test of it says nothing.
    """
    return _forwarded(predicate, is_negated=False)


def _forwarded(predicate: Predicate, *, is_negated: bool) -> Predicate:
    match predicate:
        case Always() | Never():
            return negation(predicate) if is_negated else predicate
        case Test(attribute):
            if not isinstance(attribute, _FORWARDED):
                return Always()
            return Not(predicate) if is_negated else predicate
        case Not(operand):
            return _forwarded(operand, is_negated=not is_negated)
        case And(operands) | Or(operands):
            parts = tuple(_forwarded(operand, is_negated=is_negated) for operand in operands)
            return conjunction(parts) if isinstance(predicate, And) != is_negated else disjunction(parts)
        case Opaque():
            return Always()
        case _:
            assert_never(predicate)


def scopes_of_route(analysis: Analysis, route: Route) -> tuple[Scope, ...]:
    """The ports whose requests or connections the route is for."""
    scopes = (analysis.scope(key) for key in analysis.scopes() if key.node == route.node)
    return tuple(scope for scope in scopes if route in {scope.policy.route, scope.policy.route_tcp})
