"""Gates: virtual gateways inside the mesh that pass the calls of some to a service that takes no one but them.

Their identity is nobody's whom the policy speaks of: whoever else had it would come in past every route.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.ir.predicate import Predicate, disjunction
from meshproof.targets.appmesh.lift.composed.admission import Admission, admissions
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.leading import Lead, Leading
from meshproof.targets.appmesh.lift.composed.reach import Reach
from meshproof.targets.appmesh.lift.composed.workloads import Workloads, client_identity, shown, shown_to_others
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.identities import names_in
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway


@dataclass(frozen=True, slots=True)
class Passage:
    """What comes in at a listener of a gate, meets `condition`, and is taken by `service` on `port`."""

    gate: str
    door: Admission
    service: NodeName
    port: int
    condition: Predicate


@dataclass(frozen=True, slots=True)
class Gates:
    """All passages. `trusted` are those of the `identities` of gates that nobody else has."""

    passages: tuple[Passage, ...]
    identities: frozenset[str]
    trusted: frozenset[str]


def gates_of(
    resources: Resources,
    workloads: Workloads,
    admitted: Admitted,
    leading: Leading,
    of_files: SpiffeId,
    reach: Reach,
) -> Gates:
    """The gates of the files; `of_files` is who they are where their certificates are files of their own."""
    doubts = reach.doubts
    reading = _Reading(workloads, admitted, leading, doubts)
    passages: list[Passage] = []
    identities: dict[str, Found[VirtualGateway]] = {}
    for gate in workloads.gates:
        identity = client_identity(gate, of_files)
        if identity is None:
            doubts.add(gate.name, "shows no identity to the services behind it", gate.origin)
            continue
        identities.setdefault(identity.uri, gate)
        leading.check_hosts(gate)
        for door in reach.of_gate(gate, admissions(gate, workloads.known, doubts)):
            passages += reading.passages(gate, identity, door)
    taken = _taken(resources, workloads)
    for uri in sorted(taken & identities.keys()):
        doubts.add(identities[uri].name, f"has the identity `{uri}`, and others have it too", identities[uri].origin)
    return Gates(tuple(passages), frozenset(identities), frozenset(identities.keys() - taken))


def _taken(resources: Resources, workloads: Workloads) -> set[str]:
    """Every identity of somebody who is no gate."""
    own = {one.identity.uri for one in workloads.declared}
    for node in resources.nodes:
        # A node that is no workload is an address: what it shows as a server is what callers find there.
        own |= {*(shown(node) if node.name in workloads.of_node else shown_to_others(node))}
    return own | {name for one in workloads.gateways if one.found is not None for name in shown(one.found)}


@dataclass(frozen=True, slots=True)
class _Reading:
    workloads: Workloads
    admitted: Admitted
    leading: Leading
    doubts: Doubts

    def passages(self, gate: Found[VirtualGateway], identity: SpiffeId, door: Admission) -> list[Passage]:
        """Where one listener leads to, and is let in."""
        conditions: dict[tuple[NodeName, int], list[Predicate]] = {}
        for lead in self.leading.leads(gate, door, is_gate=True):
            for service, port in self._ends(gate, lead):
                if self._is_taken(gate, identity, service, port):
                    conditions.setdefault((service, port), []).append(lead.condition)
        return [
            Passage(gate.name, door, service, port, disjunction(tuple(found)))
            for (service, port), found in conditions.items()
        ]

    def _ends(self, gate: Found[VirtualGateway], lead: Lead) -> list[tuple[NodeName, int]]:
        found: list[tuple[NodeName, int]] = []
        for end in lead.ends:
            service = self.workloads.of_node.get(end.node)
            if service is None:
                self.doubts.add(gate.name, f"leads to `{end.node}`, which is no workload of the policy", lead.origin)
            elif (service, end.port) not in found:
                found.append((service, end.port))
        return found

    def _is_taken(self, gate: Found[VirtualGateway], identity: SpiffeId, service: NodeName, port: int) -> bool:
        """Whether the service lets the gate in. One that asks nobody needs no passage: all come in as they are."""
        listener = self.admitted.at(service, port)
        if listener is None or listener.mode is MtlsMode.DISABLED or not listener.takes(identity):
            return False
        if listener.spoken == "tcp":
            self.doubts.add(gate.name, f"sends requests to `{service}`, which takes connections", gate.origin)
        self._check_client(gate, service)
        return True

    def _check_client(self, gate: Found[VirtualGateway], service: NodeName) -> None:
        defaults = gate.value.spec.backend_defaults
        tls = None if defaults is None or defaults.client_policy is None else defaults.client_policy.tls
        if tls is None:
            return
        names = names_in(tls.validation)
        identity = next(one.identity.uri for one in self.workloads.known.services if one.name == service)
        if names and identity not in names:
            self.doubts.add(gate.name, f"does not take the certificate of `{service}`", gate.origin)
