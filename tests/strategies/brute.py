"""The meaning of claims and findings by trying every request: one for each combination of classes, each decided by
the interpreter. Nothing here asks the solver anything; only the division into classes is the solver's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from math import prod

from meshproof.compiler.ir.entities import Destination, External, Gateway, Layer, Node, Service, SourceSet
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Predicate
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import Facts, decide, facts_of, holds, is_well_formed, passes_transport
from meshproof.compiler.semantics.authorize import source_truth
from meshproof.compiler.semantics.handshake import canonical_identity, mode_of
from meshproof.compiler.smt.callers import members
from meshproof.compiler.smt.concretize import request_at
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import Point
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import Everything, Satisfying
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.routing import forwarded_condition


class TooLarge(Exception):  # noqa: N818  the world is not faulty
    """The world has more requests than a test should try."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One request at a port, and the point of its classes: what conditions read of it, and what is decided.

    `caller` is its class of callers.
    """

    key: PortKey
    point: Point
    node: Node
    request: Request
    facts: Facts
    caller: int
    is_admitted: bool
    is_allowed: bool

    def satisfies(self, predicate: Predicate) -> bool:
        return holds(predicate, self.facts)

    def is_from(self, sources: SourceSet) -> bool:
        return source_truth(sources, self.node, self.facts, {}) is True

    @property
    def says_yes(self) -> bool:
        return all(answer for _, answer in self.request.answers)


class World:
    """Every request that the classes of a mesh tell apart, by port."""

    def __init__(self, analysis: Analysis, most: int) -> None:
        self.analysis = analysis
        self.mesh: Mesh = analysis.mesh
        self.day: date = analysis.day
        self.nodes = {node.name: node for node in self.mesh.nodes}
        for key in analysis.keys:  # a gateway's branches are asked about where it sends on
            analysis.scope(key).expect(_sent_on(self.mesh))
        self.encodings: dict[PortKey, Encoding] = {
            key: analysis.scope(key).encoding(Everything()) for key in analysis.keys
        }
        if sum(map(_size, self.encodings.values())) > most:
            raise TooLarge
        self.judged = {key: tuple(self._judge(key)) for key in analysis.keys}

    @property
    def count(self) -> int:
        return sum(map(len, self.judged.values()))

    def _judge(self, key: PortKey) -> Iterator[Judged]:
        environment = self.encodings[key].environment
        for point in product(*map(range, environment.formulas.sizes)):
            if not all(environment.formulas.holds(axiom, point) for axiom in environment.axioms):
                continue
            for caller in members(environment.local[point[environment.caller]]):
                request = request_at(environment, point, caller)
                assert is_well_formed(self.mesh, request, self.day) is None
                yield Judged(
                    key,
                    point,
                    self.nodes[key.node],
                    request,
                    facts_of(self.mesh, request, self.day),
                    caller,
                    passes_transport(self.mesh, request, self.day),
                    decide(self.mesh, request, self.day).is_allowed,
                )

    def at(self, destinations: Iterable[Destination]) -> Iterator[Judged]:
        for key in self.keys(destinations):
            yield from self.judged[key]

    def keys(self, destinations: Iterable[Destination]) -> tuple[PortKey, ...]:
        wanted = {place.node: place.ports for place in destinations}
        return tuple(
            key
            for key in self.judged
            if key.node in wanted and ((ports := wanted[key.node]) is None or key.port in ports)
        )

    def speaking(self, destinations: Iterable[Destination], *, is_http: bool) -> tuple[PortKey, ...]:
        keys = self.keys(destinations)
        http = {key.node for key in keys if self.layer(key) is not Layer.TCP}
        return tuple(key for key in keys if not is_http or self.layer(key) is not Layer.TCP or key.node not in http)

    def layer(self, key: PortKey) -> Layer:
        found = next((port for port in self.nodes[key.node].ports if port.workload == key.port), None)
        return Layer.SNIFFED if found is None else found.layer

    def mode(self, key: PortKey) -> MtlsMode:
        return mode_of(self.mesh, self.nodes[key.node], key.port, self.day)

    def identities(self, names: Iterable[NodeName]) -> set[str]:
        callers = (self.nodes[name] for name in names)
        return {
            canonical_identity(self.mesh, node.identity).uri for node in callers if isinstance(node, Service | Gateway)
        }

    def may_be_of(self, one: Judged, sources: SourceSet | None) -> bool:
        """Whether a request may be one of the set's: where mTLS is disabled any may; members count by name."""
        if sources is None or self.mode(one.key) is MtlsMode.DISABLED:
            return True
        return one.is_from(sources) or one.facts.identity in self.identities(sources.members)

    def untrusted(self, names: Iterable[NodeName]) -> bool:
        domains = {self.mesh.trust_domain, *self.mesh.aliases, *self.mesh.trusts}
        callers = (self.nodes[name] for name in names)
        return any(node.identity.trust_domain not in domains for node in callers if isinstance(node, Service | Gateway))

    def is_external(self, key: PortKey) -> bool:
        return isinstance(self.nodes[key.node], External)


def _size(encoding: Encoding) -> int:
    environment = encoding.environment
    return prod(environment.formulas.sizes) * max(group.bit_count() for group in environment.local)


def _sent_on(mesh: Mesh) -> tuple[Satisfying, ...]:
    gateways = {gateway.name for gateway in mesh.gateways}
    routes = (route for route in mesh.routes if route.node in gateways)
    return tuple(Satisfying(forwarded_condition(branch.condition)) for route in routes for branch in route.branches)
