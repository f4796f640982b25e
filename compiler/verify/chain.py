"""From edges of the graph to requests, one for each hop, replayed."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.compiler.smt.region import Region, Taken
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.graph import Edge, Graph
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.verdict import Example
from meshproof.compiler.verify.witness import Hop, HopKind, Witness, replayed_chain


def witness_of(graph: Graph, edges: Iterable[Edge], note: str = "", wishes: tuple[Region, ...] = ()) -> Witness:
    """The chain as requests. `wishes[i]` is a region that the ith request is taken from if it can be.

    Raises Undecided where a request cannot be found within limits.
    """
    hops = []
    for number, edge in enumerate(edges):
        wish = wishes[number] if number < len(wishes) else ALLOWED
        hops.append(hop_of(graph, edge, wish))
    return replayed_chain(graph.analysis.mesh, graph.analysis.day, hops, note)


def hop_of(graph: Graph, edge: Edge, wish: Region = ALLOWED) -> Hop:
    """One edge as a hop: with the request that is sent, or copied."""
    if edge.key is None:
        return Hop(HopKind.UNDECLARED, edge.source.title, edge.target.title)
    if edge.branch is not None:
        return _mirror(graph, edge)
    scope = graph.analysis.scope(edge.key)
    caller = graph.caller_at(edge.source, edge.key)
    answer = scope.is_satisfiable(wish, caller)
    if not isinstance(answer, Example) and wish != ALLOWED:
        answer = scope.is_satisfiable(ALLOWED, caller)
    if not isinstance(answer, Example):
        raise Undecided(f"no request from `{edge.source.title}` to `{scope.name}` was found again")
    sent = answer.witness.hops[0]
    return Hop(HopKind.CALL, edge.source.title, edge.target.title, sent.request, None, sent.deciding, sent.is_minimal)


def _mirror(graph: Graph, edge: Edge) -> Hop:
    """A request to the mirrored node that its branch takes, for some port that has the branch."""
    for key in graph.analysis.keys:
        if str(key.node) == edge.source.title:
            answer = graph.analysis.scope(key).is_satisfiable(Taken(edge.branch))
            if isinstance(answer, Example):
                sent = answer.witness.hops[0]
                return Hop(HopKind.MIRROR, edge.source.title, edge.target.title, sent.request, None, sent.deciding)
    raise Undecided(f"no request that `{edge.branch}` mirrors was found again")
