"""Claims about chains of calls: `no path`, `is isolated from`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.compiler.ir.assertions import Assumption, IsIsolated, NoPath
from meshproof.compiler.ir.entities import Destination, Gateway, SourceSet
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.chain import witness_of
from meshproof.compiler.verify.claim_result import Holds, Outcome, weakest
from meshproof.compiler.verify.graph import Graph, Place, Stop, shortest_chain
from meshproof.compiler.verify.premises import listed, premises_of
from meshproof.compiler.verify.verdict import Premise, PremiseKind, Refuted


def check_no_path(analysis: Analysis, claim: NoPath, assumptions: Sequence[Assumption]) -> Outcome:
    """No chain of calls and mirrors from the sources to the destinations, once the nodes in between are gone."""
    graph = graph_of(analysis, (claim.sources, claim.bypassing, *(one.sources for one in assumptions)))
    gone = frozenset() if claim.bypassing is None else removed(graph, claim.bypassing)
    starts = starts_of(graph, claim.sources)
    goals = goals_of(graph, claim.destinations)
    stop = Stop(claim.within_hops, unreachable_of(graph, assumptions))
    chain = shortest_chain(graph, starts, goals, gone, stop)
    if chain is not None:
        return Refuted(witness_of(graph, chain))
    is_vacuous = (bool(starts) and gone.issuperset(starts)) or all(graph.declared[goal.node] in gone for goal in goals)
    return Holds(premises_of_paths(graph, stop), is_vacuous)


def check_isolated(analysis: Analysis, claim: IsIsolated, assumptions: Sequence[Assumption]) -> Outcome:
    """No path and no mirror, either way; mirrors are edges of the graph."""
    there = NoPath(claim.left, claim.right_destinations, None, None)
    back = NoPath(claim.right, claim.left_destinations, None, None)
    ways = (way for way in (there, back) if way.destinations)
    found = weakest([check_no_path(analysis, way, assumptions) for way in ways])
    return Holds(found.premises) if isinstance(found, Holds) else found


def graph_of(analysis: Analysis, sets: Iterable[SourceSet | None]) -> Graph:
    """The graph, in which the sets are unions of nodes. Raises Undecided."""
    return analysis.graph(one for one in sets if one is not None)


def starts_of(graph: Graph, sources: SourceSet) -> tuple[Place, ...]:
    """The nodes of the set: what it names, who shares an identity with it, stations in it, the internet."""
    mask = graph.callers.of_predicate(sources.matches)
    named = {*sources.members, *sources.shared}
    declared = [
        place
        for name, place in graph.declared.items()
        if name in named or (place.caller >= 0 and mask >> place.caller & 1)
    ]
    stations = [station for station in graph.stations if mask >> station.caller & 1]
    return (*declared, *stations, *((graph.internet,) if sources.has_internet else ()))


def removed(graph: Graph, sources: SourceSet) -> frozenset[Place]:
    """The nodes that are gone with a set: what it names, and no one else who has the same identity."""
    mask = graph.callers.of_predicate(sources.matches)
    declared = {graph.declared[name] for name in sources.members if name in graph.declared}
    stations = {station for station in graph.stations if mask >> station.caller & 1}
    return frozenset({*declared, *stations, *((graph.internet,) if sources.has_internet else ())})


def unreachable_of(graph: Graph, assumptions: Iterable[Assumption]) -> frozenset[Place]:
    """The stations that are assumed to be none, as of the day."""
    day = graph.analysis.day
    found: set[Place] = set()
    for assumption in assumptions:
        if assumption.until is None or day <= assumption.until:
            mask = graph.callers.of_predicate(assumption.sources.matches)
            found.update(station for station in graph.stations if mask >> station.caller & 1)
    return frozenset(found)


def goals_of(graph: Graph, destinations: Iterable[Destination]) -> tuple[PortKey, ...]:
    """The ports that are meant, whether anything is allowed there or not."""
    found: dict[PortKey, None] = {}
    for place in destinations:
        known = {key.port: key for key in graph.analysis.keys if key.node == place.node}
        ports = known if place.ports is None else place.ports
        found.update(dict.fromkeys(known.get(port, PortKey(place.node, port, is_declared=False)) for port in ports))
    return tuple(found)


def premises_of_paths(graph: Graph, stop: Stop) -> tuple[Premise, ...]:
    """What a proof about chains takes for granted."""
    analysis = graph.analysis
    found = list(premises_of(analysis, tuple(analysis.scope(key) for key in analysis.keys)))
    open_stations = [station.title for station in graph.stations if station not in stop.unreachable]
    if open_stations:
        text = f"callers that nobody declared may be reached by anyone: {listed(open_stations)}"
        found.append(Premise(PremiseKind.STATION, text))
    shut = sorted(station.title for station in stop.unreachable)
    if shut:
        found.append(Premise(PremiseKind.UNREACHABLE, f"nobody declared reaches {listed(shut)}"))
    for node in analysis.mesh.nodes:
        if isinstance(node, Gateway):
            text = f"gateway `{node.name}` sends on nothing but what its routes say"
            found.append(Premise(PremiseKind.ROUTE, text, node.origin))
    for route in analysis.mesh.routes:
        if route.weights_by is not None:
            text = f"whatever shares `{route.weights_by}` gives to the targets of route `{route.id}`"
            found.append(Premise(PremiseKind.ROUTE, text, route.origin))
    return tuple(found)
