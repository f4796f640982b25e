"""The claim that retries do not multiply: `at most N attempts from S`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.assertions import Assumption, AtMostAttempts
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import Region, Taken, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.chain import witness_of
from meshproof.compiler.verify.claim_result import Holds, Outcome
from meshproof.compiler.verify.components import components
from meshproof.compiler.verify.graph import Edge, Graph, Place, Stop, branches_at, leads_to
from meshproof.compiler.verify.invariants_path import graph_of, premises_of_paths, starts_of, unreachable_of
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.verdict import Refuted


@dataclass(frozen=True, slots=True)
class _Step:
    """An edge, how often its sender may try, and the request that shows it best."""

    edge: Edge
    attempts: int
    wish: Region


def check_attempts(analysis: Analysis, claim: AtMostAttempts, assumptions: Sequence[Assumption]) -> Outcome:
    """The largest product of attempts along a chain of calls from the sources is within the bound.

    A cycle with a retry has no bound, so it refutes.
    """
    graph = graph_of(analysis, (claim.sources, *(one.sources for one in assumptions)))
    stop = Stop(None, unreachable_of(graph, assumptions))
    starts = starts_of(graph, claim.sources)
    steps = _steps(graph, starts, stop)
    chain, product = _longest(starts, steps)
    if product is not None and product <= claim.attempts:
        return Holds(premises_of_paths(graph, stop), not starts)
    factors = " x ".join(str(step.attempts) for step in chain if step.attempts > 1)
    note = f"{factors} attempts" if product is not None else f"a cycle in which a call is tried {factors} times"
    wishes = tuple(step.wish for step in chain)
    return Refuted(witness_of(graph, (step.edge for step in chain), note, wishes))


def _steps(graph: Graph, starts: Iterable[Place], stop: Stop) -> dict[Place, list[_Step]]:
    """The steps that leave each node that can be reached."""
    found: dict[Place, list[_Step]] = {}
    stack = list(starts)
    while stack:
        place = stack.pop()
        if place in found:
            continue
        found[place] = [_step(graph, edge) for edge in graph.next_edges(place, stop.unreachable)]
        stack.extend(step.edge.target for step in found[place])
    return found


def _step(graph: Graph, edge: Edge) -> _Step:
    best = _Step(edge, 1, ALLOWED)
    if edge.key is None or edge.branch is not None:
        return best
    for attempts, wish in _retries(graph, edge, edge.key):
        if attempts > best.attempts:
            best = _Step(edge, attempts, wish)
    return best


def _retries(graph: Graph, edge: Edge, key: PortKey) -> Iterable[tuple[int, Region]]:
    """How often the edge's sender may try, by each branch that takes some request that it sends."""
    if edge.source.is_declared and isinstance(graph.node(NodeName(edge.source.title)), Gateway):
        yield from _retries_of_gateway(graph, NodeName(edge.source.title), key)
        return
    if isinstance(graph.node(key.node), Gateway):
        return  # a gateway's routes are for what it sends on, not for its callers
    scope = graph.analysis.scope(key)
    for branch in branches_at(scope.policy.route, scope.policy.route_tcp):
        if branch.settings.retry is not None and branch.targets:
            wish = Taken(branch.id) if _is_changed(branch) else both(Taken(branch.id), ALLOWED)
            if not scope.is_empty(wish, graph.caller_at(edge.source, key)):
                yield 1 + branch.settings.retry.attempts, both(Taken(branch.id), ALLOWED)


def _retries_of_gateway(graph: Graph, gateway: NodeName, key: PortKey) -> Iterable[tuple[int, Region]]:
    for route in graph.routes_of(gateway):
        ports = (one for one in graph.analysis.keys if one.node == gateway and route.port in {None, one.port})
        scopes = tuple(graph.analysis.scope(port) for port in ports)
        for branch in route.branches:
            retry = branch.settings.retry
            if retry is None or not leads_to(route, branch, key):
                continue
            if any(not scope.is_empty(Taken(branch.id)) for scope in scopes):
                yield 1 + retry.attempts, ALLOWED


def _is_changed(branch: Branch) -> bool:
    """Whether rules see another request than the branch."""
    return branch.is_editing


def _longest(starts: Sequence[Place], steps: Mapping[Place, list[_Step]]) -> tuple[tuple[_Step, ...], int | None]:
    """The chain from a start with the largest product, and the product: None if there is a cycle with a retry."""
    groups = components({place: [step.edge.target for step in found] for place, found in steps.items()})
    group_of = {place: number for number, group in enumerate(groups) for place in group}
    for place, found in steps.items():
        for step in found:
            if step.attempts > 1 and group_of[place] == group_of[step.edge.target]:
                return _cycle(starts, steps, step), None
    best: dict[int, tuple[int, tuple[_Step, ...]]] = {}
    for number, group in enumerate(groups):  # components come in the order of what they lead to
        best[number] = _best_of(group, steps, group_of, best)
    found_best = max((best[group_of[start]] for start in starts), key=lambda one: one[0], default=(1, ()))
    return _connected(found_best[1], starts, steps), found_best[0]


def _best_of(
    group: Sequence[Place],
    steps: Mapping[Place, list[_Step]],
    group_of: Mapping[Place, int],
    best: Mapping[int, tuple[int, tuple[_Step, ...]]],
) -> tuple[int, tuple[_Step, ...]]:
    """The largest product of a chain that begins in a group, and the steps in it that leave groups."""
    result: tuple[int, tuple[_Step, ...]] = (1, ())
    for place in group:
        for step in steps.get(place, ()):
            target = group_of[step.edge.target]
            if target != group_of[place]:
                product = step.attempts * best[target][0]
                if product > result[0]:
                    result = (product, (step, *best[target][1]))
    return result


def _connected(
    leaving: Sequence[_Step], starts: Sequence[Place], steps: Mapping[Place, list[_Step]]
) -> tuple[_Step, ...]:
    """The chain that takes these steps, with the ways in between."""
    found: list[_Step] = []
    ends: Sequence[Place] = starts
    for step in leaving:
        found.extend(_way(ends, step.edge.source, steps))
        found.append(step)
        ends = (step.edge.target,)
    return tuple(found)


def _cycle(starts: Sequence[Place], steps: Mapping[Place, list[_Step]], step: _Step) -> tuple[_Step, ...]:
    """A chain from a start into a cycle and once round it, over the step."""
    there = _way(starts, step.edge.source, steps)
    return (*there, step, *_way((step.edge.target,), step.edge.source, steps))


def _way(starts: Iterable[Place], goal: Place, steps: Mapping[Place, list[_Step]]) -> tuple[_Step, ...]:
    """A shortest way from one of the starts to a node; none if it is a start."""
    came: dict[Place, tuple[_Step, ...]] = dict.fromkeys(starts, ())
    queue = list(came)
    for place in queue:
        if place == goal:
            return came[place]
        for step in steps.get(place, ()):
            if step.edge.target not in came:
                came[step.edge.target] = (*came[place], step)
                queue.append(step.edge.target)
    raise AssertionError(goal)
