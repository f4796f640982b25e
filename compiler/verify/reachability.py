"""Who reaches whom, to look at: the calls that are allowed, by which rules, and the chains that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import OTHER_PORTS, Destination, External, Gateway, SourceSet
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import MatchedBy, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.graph import INTERNET, Edge, Graph, Place, Stop, shortest_chain
from meshproof.compiler.verify.invariants_path import goals_of, starts_of
from meshproof.compiler.verify.properties import ALLOWED

_FIRST_UNASSIGNED = 49152


class PlaceKind(StrEnum):
    """What a place of the graph is."""

    SERVICE = "service"
    GATEWAY = "gateway"
    EXTERNAL = "external"
    INTERNET = "internet"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A step from one place to the next: a call to a port, a mirrored copy, or to an undeclared caller.

    `rules` are the allows that let some request of the source in; none where nothing is refused, or for a mirror.
    """

    source: str
    source_kind: PlaceKind
    destination: str
    destination_kind: PlaceKind
    port: int | None
    port_name: str | None
    is_mirror: bool
    rules: tuple[RuleId, ...]


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """The shortest chain from a place to a port that is asked about."""

    links: tuple[Link, ...]

    @property
    def is_direct(self) -> bool:
        """Whether the first place itself may call the last."""
        return len(self.links) == 1


def links(analysis: Analysis) -> tuple[Link, ...]:
    """Every call that is allowed and every mirror, by name. Raises Undecided."""
    graph = analysis.graph()
    linker = _Linker(graph)
    return tuple(sorted(linker.link(edge) for edge in graph.edges))


def who_reaches(analysis: Analysis, destinations: Iterable[Destination]) -> tuple[Way, ...]:
    """From every place with a chain to one of the ports: the shortest to each. Raises Undecided."""
    graph = analysis.graph()
    every = (*graph.declared.values(), graph.internet, *graph.stations)
    return _ways(graph, every, goals_of(graph, destinations))


def reached_by(analysis: Analysis, sources: SourceSet) -> tuple[Way, ...]:
    """To every port with a chain from one of the callers: the shortest to each. Raises Undecided."""
    graph = analysis.graph((sources,))
    return _ways(graph, starts_of(graph, sources), analysis.keys)


def _ways(graph: Graph, starts: Iterable[Place], goals: Iterable[PortKey]) -> tuple[Way, ...]:
    linker = _Linker(graph)
    found = []
    wanted = tuple(goals)
    for start in starts:
        for goal in wanted:
            chain = shortest_chain(graph, (start,), (goal,), (), Stop())
            if chain is not None:
                found.append(Way(tuple(linker.link(edge) for edge in chain)))
    return tuple(sorted(dict.fromkeys(found), key=lambda way: (len(way.links), way)))


class _Linker:
    """Edges of a graph as links; what each rule lets in at a port is asked once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._masks: dict[PortKey, tuple[tuple[RuleId, int], ...]] = {}

    def link(self, edge: Edge) -> Link:
        """The edge, with what lets it be."""
        is_call = edge.key is not None and edge.branch is None
        return Link(
            source=edge.source.title,
            source_kind=self._kind(edge.source),
            destination=edge.target.title,
            destination_kind=self._kind(edge.target),
            port=edge.key.port if edge.key is not None and is_call else None,
            port_name=self._port_name(edge.key) if edge.key is not None and is_call else None,
            is_mirror=edge.branch is not None,
            rules=self._rules(edge.source, edge.key) if edge.key is not None and is_call else (),
        )

    def _kind(self, place: Place) -> PlaceKind:
        if not place.is_declared:
            return PlaceKind.INTERNET if place.title == INTERNET else PlaceKind.UNDECLARED
        match self._graph.node(NodeName(place.title)):
            case Gateway():
                return PlaceKind.GATEWAY
            case External():
                return PlaceKind.EXTERNAL
            case _:
                return PlaceKind.SERVICE

    def _port_name(self, key: PortKey) -> str:
        if not key.is_declared and key.port >= _FIRST_UNASSIGNED:
            return OTHER_PORTS
        return self._graph.analysis.scope(key).name.partition(":")[2]

    def _rules(self, source: Place, key: PortKey) -> tuple[RuleId, ...]:
        caller = self._graph.caller_at(source, key)
        return tuple(rule for rule, mask in self._let_in(key) if mask >> caller & 1)

    def _let_in(self, key: PortKey) -> tuple[tuple[RuleId, int], ...]:
        if key not in self._masks:
            scope = self._graph.analysis.scope(key)
            self._masks[key] = tuple(
                (rule.id, scope.callers_in(both(ALLOWED, MatchedBy(rule.id))))
                for rule in scope.rules()
                if rule.effect is Effect.ALLOW
            )
        return self._masks[key]
