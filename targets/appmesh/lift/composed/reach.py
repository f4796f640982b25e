"""Which listeners anybody reaches through the network, and what there is besides them that the network lets in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from meshproof.compiler.ir.entities import Gateway, Namespace, Service
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, NamespaceScope
from meshproof.compiler.ir.names import Origin, SpiffeId
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.grouped import Grouped, grouped
from meshproof.targets.appmesh.lift.composed.groups import groups_of
from meshproof.targets.appmesh.lift.composed.network import Policies, policies_of
from meshproof.targets.appmesh.lift.composed.workloads import Workloads
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.lift.selected import Selected
from meshproof.targets.appmesh.naming import gate_labels
from meshproof.targets.appmesh.options import Network
from meshproof.targets.appmesh.residue.workloads import Kind, Labels


@dataclass(frozen=True, slots=True)
class _Pods:
    name: str
    namespace: str
    labels: Labels
    origin: Origin


@dataclass(frozen=True, slots=True)
class Reach:
    """The network of Kubernetes; `is_relied_on` where it alone closes the ports that no proxy listens at.

    `grouped` are security groups, where they do.
    """

    policies: Policies
    is_relied_on: bool
    gate_namespace: str
    grouped: Grouped | None
    doubts: Doubts

    def of_workloads(self, workloads: Workloads, admitted: Admitted) -> Admitted:
        """The listeners of services and gateways that are reached; the others take nobody."""
        self._check_selected(workloads)
        nodes = {one.name: one for one in workloads.declared}
        return Admitted({name: self._reached(nodes[name], every) for name, every in admitted.every.items()})

    def of_gate(self, gate: Found[Any], doors: tuple[Admission, ...]) -> tuple[Admission, ...]:
        """The doors of a gate, in the same way."""
        return self._reached(_Pods(gate.name, self.gate_namespace, gate_labels(gate.name), gate.origin), doors)

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """Those that are closed."""
        return tuple(Namespace(name, origin, is_closed=True) for name, origin in sorted(self.policies.closed.items()))

    @property
    def statements(self) -> tuple[MtlsPolicy, ...]:
        """In closed namespaces nobody passes without an identity, and nobody with one."""
        return tuple(MtlsPolicy(NamespaceScope(one.name), MtlsMode.STRICT, one.origin) for one in self.namespaces)

    def _reached(self, pods: Service | Gateway | _Pods, listeners: tuple[Admission, ...]) -> tuple[Admission, ...]:
        found = self._not_isolated(pods, listeners)
        if self.grouped is None:
            return found
        kind = Kind.SERVICE if isinstance(pods, Service) else Kind.GATEWAY if isinstance(pods, Gateway) else Kind.GATE
        return self.grouped.reached(kind, str(pods.name), found, pods.origin)

    def _not_isolated(self, pods: Service | Gateway | _Pods, listeners: tuple[Admission, ...]) -> tuple[Admission, ...]:
        ports = self.policies.ports(pods.namespace, pods.labels)
        if ports is None:
            if self.is_relied_on:
                self.doubts.add(str(pods.name), "is isolated by no NetworkPolicy: every port is open", pods.origin)
            return listeners
        for port in sorted(ports - {one.port for one in listeners}):
            message = f"takes connections at {port}, where its proxy does not listen"
            self.doubts.add(str(pods.name), message, pods.origin)
        return tuple(one if one.port in ports else _shut(one) for one in listeners)

    def _check_selected(self, workloads: Workloads) -> None:
        """A policy for pods of which the policy knows nothing changes what those do."""
        known = {(one.namespace, one.labels) for one in workloads.declared}
        known |= {(self.gate_namespace, gate_labels(one.name)) for one in workloads.gates}
        for one in self.policies.every:
            if one.labels and (one.namespace, one.labels) not in known:
                self.doubts.add(one.name, "selects pods that are no workload of the policy", one.origin)
            elif not one.labels and one.ports:
                self.doubts.add(one.name, "opens ports of every pod", one.origin)


def reach_of(found: Selected, workloads: Workloads, gate: SpiffeId, gate_namespace: str, doubts: Doubts) -> Reach:
    """The network as the files close it, by what is to close it."""
    closing = found.options.closing
    groups = None
    if closing is Network.SECURITY_GROUPS:
        groups = grouped(groups_of(found.groups, doubts), workloads, gate, doubts)
    is_relied_on = closing is Network.KUBERNETES
    return Reach(policies_of(found.network, doubts), is_relied_on, gate_namespace, groups, doubts)


def _shut(listener: Admission) -> Admission:
    return replace(listener, mode=MtlsMode.STRICT, names=frozenset())
