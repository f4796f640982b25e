"""Destinations of rules as the language writes them: in as few words as they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.sets import Domains
from meshproof.compiler.ir.entities import Destination, Layer
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.values import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.ports import Ports
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName

_MANY = 3
"""From so many services on a namespace is named instead of all of them."""


class Destinations:
    """Writes sets of destinations."""

    def __init__(self, mesh: Mesh, names: Names, ports: Mapping[NodeName, Ports]) -> None:
        self._names = names
        self._ports = ports
        self._odd = Domains.of(mesh).odd
        self._services = tuple(service for service in mesh.services if ports[service.name])
        self._ranks = {node.name: number for number, node in enumerate(mesh.nodes)}

    def expression(self, places: Iterable[Destination], layer: Layer | None) -> sets.SetExpression | None:
        """The declared ports that are meant, those of one layer if one is given; None if that is none."""
        chosen = {
            place.node: ports for place in places if place.node in self._ports and (ports := self._chosen(place, layer))
        }
        terms = [term for _, term in sorted(self._terms(chosen, layer), key=lambda one: one[0])]
        if not terms:
            return None
        return terms[0] if len(terms) == 1 else sets.Braces(tuple(terms))

    def check(self, places: Iterable[Destination]) -> None:
        """Raises InexpressibleError if nothing that is meant has any port: then it may decide about requests."""
        taken = [place for place in places if place.node in self._ports]
        if not taken:
            raise InexpressibleError("nothing that it selects is taken, or known")
        if not any(self._ports[place.node] for place in taken):
            names = ", ".join(f"`{self._names.nodes[place.node]}`" for place in taken)
            raise InexpressibleError(f"no file says on which ports {names} listens")

    def _chosen(self, place: Destination, layer: Layer | None) -> tuple[int, ...]:
        return tuple(
            port.workload
            for port in self._ports[place.node]
            if (place.ports is None or port.workload in place.ports) and layer in {None, port.layer}
        )

    def _terms(
        self, chosen: Mapping[NodeName, tuple[int, ...]], layer: Layer | None
    ) -> Iterable[tuple[int, sets.SetTerm]]:
        """The terms with the place at which each stands."""
        whole = {name for name, ports in chosen.items() if set(ports) == self._all(name, layer)}
        left = set(chosen)
        for term, members in self._groups(layer):
            if len(members) >= _MANY and members <= whole & left:
                left -= members
                yield min(self._ranks[name] for name in members), term
        for name in left:
            yield self._ranks[name], self._term(name, chosen[name])

    def _groups(self, layer: Layer | None) -> Iterable[tuple[sets.SetTerm, frozenset[NodeName]]]:
        """Sets that have a short name, with those of their members that have such ports, the largest set first."""
        having = [one for one in self._services if self._all(one.name, layer)]
        yield sets.AllServices(), frozenset(one.name for one in having)
        for namespace in sorted({one.namespace for one in having}):
            members = [one for one in having if one.namespace == namespace]
            if namespace not in self._odd:
                yield sets.NamespaceSet(Name(namespace)), frozenset(one.name for one in members)

    def _all(self, name: NodeName, layer: Layer | None) -> set[int]:
        return {port.workload for port in self._ports[name] if layer in {None, port.layer}}

    def _term(self, name: NodeName, ports: tuple[int, ...]) -> sets.SetTerm:
        named = sets.Named(Name(self._names.nodes[name]))
        if set(ports) == {port.workload for port in self._ports[name]}:
            return named
        names = {port.workload: port.name for port in self._ports[name]}
        terms = tuple(sets.AtPort(named, Name(names[port])) for port in ports)
        return terms[0] if len(terms) == 1 else sets.Braces(terms)
