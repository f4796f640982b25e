"""Who may do what at each port: what its listener takes, and what gates pass to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import Always, Never, Predicate, SourceIdentity, Test, disjunction, negation
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.edge_hosts import sent
from meshproof.targets.appmesh.lift.composed.gates import Gates
from meshproof.targets.appmesh.lift.composed.leading import Leading
from meshproof.targets.appmesh.lift.composed.workloads import EdgeGateway, Workloads
from meshproof.targets.common.callers import Identities
from meshproof.targets.common.callers_text import callers_text


@dataclass(frozen=True, slots=True)
class Composing:
    """Makes rules and statements of all that was read."""

    workloads: Workloads
    admitted: Admitted
    leading: Leading
    gates: Gates
    identities: Identities

    def rules(self) -> tuple[AuthzRule, ...]:
        """What is let in; whatever none of them allows is refused."""
        every = (*self._at_services(), *self._at_gateways(), *self._passages())
        # One that nobody meets would only look as if it let something in.
        felt = (one for one in every if Never() not in {one.sources.matches, one.when})
        return tuple(sorted(felt, key=lambda one: one.id))

    def statements(self) -> tuple[MtlsPolicy, ...]:
        """How connections are taken. Where a gate takes callers without identity, they come through."""
        open_ports = {(one.service, one.port) for one in self.gates.passages if one.door.is_open}
        services = {one.service.name for one in self.workloads.services}
        found = []
        for node, listeners in self.admitted.every.items():
            for one in listeners:
                mode = one.mode
                if mode is MtlsMode.STRICT and (node, one.port) in open_ports:
                    mode = MtlsMode.PERMISSIVE
                if node in services or mode is not MtlsMode.DISABLED:
                    found.append(MtlsPolicy(PortScope(node, one.port), mode, one.origin))
        return tuple(sorted(found, key=lambda one: repr(one.scope)))

    def _at_services(self) -> Iterator[AuthzRule]:
        edges = self._edges()
        without = self.gates.trusted | edges.keys()
        for one in self.workloads.services:
            name = one.service.name
            for listener in self.admitted.every[name]:
                yield self._rule(name, listener.port, "", listener.callers(without), Always(), listener.origin)
                if listener.mode is not MtlsMode.DISABLED:
                    yield from self._from_edges(name, listener, edges)

    def _from_edges(
        self, name: NodeName, listener: Admission, edges: dict[str, list[EdgeGateway]]
    ) -> Iterator[AuthzRule]:
        for uri, sharing in edges.items():
            if listener.takes(sharing[0].gateway.identity):
                when = disjunction(tuple(self._led(edge, name, listener.port) for edge in sharing))
                sources = Test(SourceIdentity(), Exact(uri))
                yield self._rule(name, listener.port, f"/{sharing[0].gateway.name}", sources, when, listener.origin)

    def _edges(self) -> dict[str, list[EdgeGateway]]:
        """The identities that gateways of the policy alone have.

        Such a gateway is trusted to send what its routes say: it is the proxy of whoever calls through it.
        """
        found: dict[str, list[EdgeGateway]] = {}
        for edge in self.workloads.gateways:
            found.setdefault(edge.gateway.identity.uri, []).append(edge)
        services = {one.service.identity.uri for one in self.workloads.services}
        return {uri: edges for uri, edges in found.items() if uri not in services}

    def _led(self, edge: EdgeGateway, service: NodeName, port: int) -> Predicate:
        """What the gateway's routes send to a port of a service."""
        found = edge.found
        if found is None:
            return Always()
        leads = (
            lead
            for listener in self.admitted.every[edge.gateway.name]
            for lead in self.leading.leads(found, listener)
            if any((self.workloads.of_node.get(end.node), end.port) == (service, port) for end in lead.ends)
        )
        return sent((lead.hosts, lead.condition) for lead in leads)

    def _at_gateways(self) -> Iterator[AuthzRule]:
        """A gateway refuses by routes to what nobody provides; what no route matches it lets in, and answers 404."""
        for edge in self.workloads.gateways:
            if edge.found is not None:
                for listener in self.admitted.every[edge.gateway.name]:
                    leads = self.leading.leads(edge.found, listener)
                    refused = disjunction(tuple(lead.condition for lead in leads if not lead.ends))
                    callers, when = listener.callers(), negation(refused)
                    yield self._rule(edge.gateway.name, listener.port, "", callers, when, listener.origin)

    def _passages(self) -> Iterator[AuthzRule]:
        for one in self.gates.passages:
            mark, callers = f"/{one.gate}:{one.door.port}", one.door.callers(self.gates.trusted)
            yield self._rule(one.service, one.port, mark, callers, one.condition, one.door.origin)

    def _rule(
        self, node: NodeName, port: int, mark: str, callers: Predicate, when: Predicate, origin: Origin
    ) -> AuthzRule:
        return AuthzRule(
            id=RuleId(f"{node}:{port}{mark}"),
            effect=Effect.ALLOW,
            sources=self.identities.source_set(callers, callers_text(callers)),
            destinations=(Destination(node, (port,)),),
            operations=(),
            when=when,
            origin=origin,
        )
