"""Who can cause a call to whom: nodes, what they may call, and chains through them.

Nodes are the declared services, gateways and externals, `internet`, and a station for each class of callers that
nobody declared and that some rule lets in. Any call received may cause any call that its receiver may make.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import External, Gateway, Node
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.smt.callers import Callers, members
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import Taken
from meshproof.compiler.verify.properties import ALLOWED

if TYPE_CHECKING:
    from meshproof.compiler.verify.analysis import Analysis


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A node of the graph. `caller` is the class of callers that it calls as, -1 if it calls nobody."""

    title: str
    caller: int
    is_declared: bool


INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Edge:
    """From a node to a port of another, by a call; or by a mirror of what is sent to `source`, by `branch`."""

    source: Place
    target: Place
    key: PortKey | None
    branch: str | None = None


class Graph:
    """The graph of one policy. Raises Undecided where an edge cannot be decided."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.callers: Callers = analysis.callers()
        self._reaching = {key: analysis.scope(key).callers_in(ALLOWED) for key in analysis.keys}
        self._nodes = {node.name: node for node in analysis.mesh.nodes}
        self.declared = {name: Place(str(name), self._caller_of(name), is_declared=True) for name in self._nodes}
        self.internet = Place(INTERNET, self.anonymous, is_declared=False)

    @property
    def anonymous(self) -> int:
        """The class of callers without identity."""
        return len(self.callers.classes) - 1

    def _caller_of(self, name: NodeName) -> int:
        return next((number for number, one in enumerate(self.callers.classes) if name in one.nodes), -1)

    @cached_property
    def stations(self) -> tuple[Place, ...]:
        """The classes of undeclared callers that are let in somewhere; without identity behind a gateway alone."""
        found = 0
        for key, mask in self._reaching.items():
            is_gateway = isinstance(self._nodes[key.node], Gateway)
            found |= mask & ~self.callers.anonymous if is_gateway else mask
        return tuple(
            Place(self.callers.classes[number].title, number, is_declared=False)
            for number in members(found)
            if not self.callers.classes[number].is_declared
        )

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge between nodes that are no stations, and from stations; those into stations are understood."""
        return (*self._calls(), *self._mirrors())

    @cached_property
    def by_source(self) -> Mapping[Place, tuple[Edge, ...]]:
        """The edges that leave each node, in the order of their targets."""
        found: dict[Place, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source, []).append(edge)
        return {place: tuple(edges) for place, edges in found.items()}

    def _calls(self) -> Iterable[Edge]:
        sources = (*self.declared.values(), self.internet, *self.stations)
        for key, mask in self._reaching.items():
            target = self.declared[key.node]
            are_alike = self.analysis.scope(key).policy.mode is MtlsMode.DISABLED  # nobody has an identity here
            if are_alike and not mask & self.callers.anonymous:
                continue
            for source in sources:
                is_let_in = are_alike or (source.caller >= 0 and mask >> source.caller & 1)
                if is_let_in and self._may_send(source, key):
                    yield Edge(source, target, key)

    def _may_send(self, source: Place, key: PortKey) -> bool:
        """Whether a node that is let in calls the port at all."""
        if source == self.internet and not isinstance(self._nodes[key.node], Gateway):
            return False
        if source.is_declared and isinstance(self._nodes[NodeName(source.title)], External):
            return False
        return self._is_forwarded(source, key)

    def _is_forwarded(self, source: Place, key: PortKey) -> bool:
        """Whether a gateway sends anything there: it makes no calls but those of its routes."""
        node = self._nodes.get(NodeName(source.title)) if source.is_declared else None
        if not isinstance(node, Gateway) or isinstance(self._nodes[key.node], External):
            return True
        return any(leads_to(route, branch, key) for route in self.routes_of(node.name) for branch in route.branches)

    def node(self, name: NodeName) -> Node:
        """The declared node of that name."""
        return self._nodes[name]

    def caller_at(self, source: Place, key: PortKey) -> int:
        """The class of callers as which a node calls a port: without identity where mTLS is disabled."""
        is_disabled = self.analysis.scope(key).policy.mode is MtlsMode.DISABLED
        return self.anonymous if is_disabled else source.caller

    def routes_of(self, name: NodeName) -> tuple[Route, ...]:
        """The routes for what is sent to a node; those of a gateway say where it sends on."""
        return tuple(route for route in self.analysis.mesh.routes if route.node == name)

    def _mirrors(self) -> Iterable[Edge]:
        for key, branch in mirroring(self.analysis):
            mirror = branch.settings.mirror
            if mirror is not None and mirror.target.node in self.declared:
                target = self.declared[mirror.target.node]
                yield Edge(self.declared[key.node], target, PortKey(mirror.target.node, key.port), branch.id)

    def is_end(self, place: Place) -> bool:
        """Whether nothing goes on from here but mirrors of what is sent to it: "externals are ends"."""
        return place.is_declared and isinstance(self._nodes[NodeName(place.title)], External)

    def next_edges(self, place: Place, unreachable: Collection[Place]) -> Iterable[Edge]:
        """The edges that leave a node, those to stations too but for the unreachable ones."""
        edges = self.by_source.get(place, ())
        if self.is_end(place):
            yield from (edge for edge in edges if edge.branch is not None)
            return
        yield from edges
        for station in self.stations:
            if station != place and station not in unreachable:
                yield Edge(place, station, None)


def leads_to(route: Route, branch: Branch, key: PortKey) -> bool:
    """Whether a branch sends anything to a port; a share of none counts if a controller moves the shares."""
    return any(
        target.node == key.node
        and target.port in {None, key.port}
        and (target.weight > 0 or route.weights_by is not None)
        for target in branch.targets
    )


def mirroring(analysis: Analysis) -> Iterable[tuple[PortKey, Branch]]:
    """Every branch that takes some request and mirrors it, with the port that it is a route to. Raises Undecided."""
    for key in analysis.keys:
        scope = analysis.scope(key)
        for branch in branches_at(scope.policy.route, scope.policy.route_tcp):
            mirror = branch.settings.mirror
            if mirror is not None and mirror.percent > 0 and not scope.is_empty(Taken(branch.id)):
                yield key, branch


def branches_at(*routes: Route | None) -> tuple[Branch, ...]:
    """The branches of the routes of a port, each once."""
    return tuple(dict.fromkeys(branch for route in routes if route is not None for branch in route.branches))


def shortest_chain(
    graph: Graph, starts: Iterable[Place], goals: Collection[PortKey], gone: Collection[Place], stop: Stop
) -> tuple[Edge, ...] | None:
    """The first of the shortest chains of edges from a start to a goal that meets no node that is gone."""
    came: dict[Place, Edge | None] = {start: None for start in starts if start not in gone}
    queue = deque((start, 0) for start in came)
    while queue:
        place, length = queue.popleft()
        if stop.within is not None and length == stop.within:
            continue
        for edge in graph.next_edges(place, stop.unreachable):
            if edge.target in gone:
                continue
            if is_goal(edge, goals):
                return (*_back(came, place), edge)
            if edge.target not in came:
                came[edge.target] = edge
                queue.append((edge.target, length + 1))
    return None


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a search ends: after so many hops (None: never), and before stations that are assumed unreachable."""

    within: int | None = None
    unreachable: frozenset[Place] = frozenset()


def is_goal(edge: Edge, goals: Collection[PortKey]) -> bool:
    """Whether the edge comes to a port that is looked for; a mirror, to any port of the node."""
    if edge.key is None:
        return False
    if edge.branch is not None:
        return any(goal.node == edge.key.node for goal in goals)
    return edge.key in goals


def _back(came: Mapping[Place, Edge | None], place: Place) -> tuple[Edge, ...]:
    found: list[Edge] = []
    edge = came[place]
    while edge is not None:
        found.append(edge)
        edge = came[edge.source]
    return tuple(reversed(found))
