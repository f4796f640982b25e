"""Strongly connected components (Tarjan, Depth-first search and linear graph algorithms, 1972), without recursion."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)


def components(successors: Mapping[Vertex, Sequence[Vertex]]) -> tuple[tuple[Vertex, ...], ...]:
    """The components, each after all that it leads to. A vertex that is no key has no successors."""
    order: dict[Vertex, int] = {}
    low: dict[Vertex, int] = {}
    open_vertices: dict[Vertex, None] = {}
    found: list[tuple[Vertex, ...]] = []
    for root in successors:
        if root in order:
            continue
        work: list[tuple[Vertex, Iterator[Vertex]]] = [(root, iter(successors[root]))]
        order[root] = low[root] = len(order)
        open_vertices[root] = None
        while work:
            vertex, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[vertex])
                if low[vertex] == order[vertex]:
                    found.append(_closed(open_vertices, vertex))
            elif following not in order:
                order[following] = low[following] = len(order)
                open_vertices[following] = None
                work.append((following, iter(successors.get(following, ()))))
            elif following in open_vertices:
                low[vertex] = min(low[vertex], order[following])
    return tuple(found)


def _closed(open_vertices: dict[Vertex, None], root: Vertex) -> tuple[Vertex, ...]:
    """Take the component with this root off the open vertices, which are in the order in which they were met."""
    members: list[Vertex] = []
    while True:
        vertex, _ = open_vertices.popitem()
        members.append(vertex)
        if vertex == root:
            return tuple(reversed(members))
