"""What proxies of callers do towards services: whom they take for them, whether they say who calls, whom they reach.

An honest proxy that took another for the service would hand it the requests of its workload; one that has no way to it
refuses what the service would let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.backend.transport import Unsent
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.calling import Call, Calls, calls_of
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.gates import Gates
from meshproof.targets.appmesh.lift.composed.hops import Hop
from meshproof.targets.appmesh.lift.composed.leading import Leading
from meshproof.targets.appmesh.lift.composed.wiring import Ports
from meshproof.targets.appmesh.lift.composed.workloads import Workloads
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import gate_node_name, host_name


@dataclass(frozen=True, slots=True)
class Callers:
    """The services of the policy as callers. `discovery` is the form of the names that they dial.

    At the ports `unread` whoever stands behind the node ends TLS, and judges who comes. `outside` are nodes that stand
    for hosts outside of the mesh: who reaches those is told elsewhere.
    """

    workloads: Workloads
    admitted: Admitted
    gates: Gates
    hops: tuple[Hop, ...]
    unread: Ports
    discovery: str
    outside: frozenset[str] = frozenset()

    def check(self, doubts: Doubts) -> None:
        """A doubt for each backend that is called in another way than as whoever is behind it."""
        for one in self.workloads.services:
            for node in one.nodes:
                for calls in calls_of(node, self.hops):
                    for message in self._faults(one.service, calls):
                        doubts.add(node.name, f"calls `{calls.service}` {message}", calls.origin)

    def check_edges(self, leading: Leading, doubts: Doubts) -> None:
        """A doubt for each service that a gateway of the policy sends requests to, and does not get into."""
        for edge in self.workloads.gateways:
            listeners = self.admitted.every.get(edge.gateway.name, ())
            found = edge.found
            ends = {
                end for one in listeners if found is not None for lead in leading.leads(found, one) for end in lead.ends
            }
            for end in sorted(ends, key=lambda one: (one.node, one.port)):
                call = Call("", end.port, end.node, end.port, None if found is None else _client(found))
                mode, domain = self._mode(call), self.workloads.known.trust_domain
                if mode is None or not call.connects(mode, self._who(call), domain):
                    message = f"sends requests to `{end.node}`, which does not take its connections on {end.port}"
                    doubts.add(str(edge.gateway.name), message, edge.gateway.origin)

    def unsent(self) -> frozenset[Unsent]:
        """Who of the declared services has no way to where it is let in."""
        found: set[Unsent] = set()
        for one in self.workloads.services:
            reached = [set(self._reached(node, one.service)) for node in one.nodes]
            everywhere = set.intersection(*reached) if reached else set()
            uri = one.service.identity.uri
            found.update(Unsent(*place, uri) for place in self._let_in(one.service) if place not in everywhere)
        return frozenset(found)

    # --- whom they take for a service, and as whom they come ---

    def _faults(self, caller: Service, calls: Calls) -> Iterator[str]:
        """Where the caller is let in it is to say who it is; elsewhere nobody hears what it says without TLS."""
        places = frozenset(self._let_in(caller))
        every = [one for one in calls.every if one.node not in self.outside]
        unknown = sorted({one.node for one in every if not self._is_known(one)})
        if unknown:
            yield f"which leads to `{unknown[0]}`, nothing that the policy knows"
        encrypted = [one for one in every if one.is_encrypted]
        plain = [self._mode(one) is MtlsMode.DISABLED for one in every]
        is_silent = any(
            not _says_who(one) if one.is_encrypted else not is_plain and self._is_let_in(one, places)
            for one, is_plain in zip(every, plain, strict=True)
        )
        if is_silent:
            yield "without saying who it is"
        answering = frozenset(name for one in encrypted for name in self._who(one))
        if not _is_narrow(encrypted, answering, self.workloads.known.trust_domain):
            yield "and takes others for it too"
        if any(one.is_encrypted and is_plain for one, is_plain in zip(every, plain, strict=True)):
            yield "with TLS, which is not taken there"
        if not all(one.is_clear for one in every):
            yield "with TLS on ports, and nothing tells whether those that are dialled or those that are reached"

    def _is_known(self, call: Call) -> bool:
        """Whether a workload of the policy or a gate is there."""
        gates = {gate_node_name(one.name) for one in self.workloads.gates}
        return call.node in self.workloads.of_node or call.node in gates

    def _is_let_in(self, call: Call, places: frozenset[tuple[NodeName, int]]) -> bool:
        """Whether the end is one of the places, or a gate."""
        owner = self.workloads.of_node.get(call.node)
        return owner is None or (owner, call.port) in places

    def _mode(self, call: Call) -> MtlsMode | None:
        """How the listener at the end takes connections; None if there is none."""
        owner = self.workloads.of_node.get(call.node)
        if owner is None:
            return next((one.door.mode for one in self.gates.passages if _is_door(call, one.gate, one.door.port)), None)
        found = self.admitted.at(owner, call.port)
        if found is not None and (owner, call.port) in self.unread:
            return MtlsMode.STRICT
        return None if found is None else found.mode

    def _who(self, call: Call) -> frozenset[str]:
        """Who answers there: the service of the node, or at an address that is no workload's a gate."""
        owner = self.workloads.of_node.get(call.node)
        identities = {one.name: one.identity.uri for one in self.workloads.known.services}
        return self.gates.identities if owner is None else frozenset((identities[owner],))

    # --- whom they reach ---

    def _let_in(self, caller: Service) -> Iterator[tuple[NodeName, int]]:
        """Where the caller comes in, straight or through a gate."""
        passages = {(one.service, one.port) for one in self.gates.passages if one.door.takes(caller.identity)}
        for one in self.workloads.services:
            for listener in self.admitted.every[one.service.name]:
                place = (one.service.name, listener.port)
                if listener.takes(caller.identity) or place in passages:
                    yield place

    def _reached(self, node: Found[VirtualNode], caller: Service) -> Iterator[tuple[NodeName, int]]:
        """The ports that calls of services by their names come to."""
        domain = self.workloads.known.trust_domain
        hosts = {
            host_name(self.discovery, one.platform_name, one.namespace): one for one in self.workloads.known.services
        }
        for calls in calls_of(node, self.hops):
            service = hosts.get(calls.service)
            for call in () if service is None else calls.every:
                mode = self._mode(call)
                if mode is None or not call.connects(mode, self._who(call), domain):
                    continue
                assert service is not None
                yield from self._ends(call, service, caller)

    def _ends(self, call: Call, service: Service, caller: Service) -> Iterator[tuple[NodeName, int]]:
        if self.workloads.of_node.get(call.node) == service.name:
            # Whoever calls a service dials a number that it declares.
            if call.dialled in {port.number for port in service.ports if port.workload == call.port}:
                yield service.name, call.port
            return
        for one in self.gates.passages:
            is_led = _is_door(call, one.gate, one.door.port) and one.service == service.name
            if is_led and one.door.takes(caller.identity):
                yield service.name, one.port


def _client(found: Found[VirtualGateway]) -> Any:  # noqa: ANN401  what is of a gateway is as what is of a node
    defaults = found.value.spec.backend_defaults
    policy = None if defaults is None else defaults.client_policy
    return None if policy is None else policy.tls


def _is_door(call: Call, gate: str, port: int) -> bool:
    return (call.node, call.port) == (gate_node_name(gate), port)


def _says_who(call: Call) -> bool:
    return call.tls is not None and call.tls.certificate is not None and call.tls.enforce is not False


def _is_narrow(calls: list[Call], answering: frozenset[str], trust_domain: str) -> bool:
    """Whether nobody is taken but who answers at one of the ends."""
    return all(one.names and one.names <= answering and one.trusts(trust_domain) for one in calls)
