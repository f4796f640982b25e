"""Whether the resources fit to each other and to the policy: what they name is there, and found where it is expected.

Requests that go elsewhere than their sender means are refused at best, and at worst answered by another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.names import SpiffeId
from meshproof.targets.appmesh.lift.composed.admission import Admission, admissions, is_of_mesh
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.leading import Leading
from meshproof.targets.appmesh.lift.composed.sending import listener_limit
from meshproof.targets.appmesh.lift.composed.workloads import Workloads, client_identity, shown
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.identities import names_in
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import gate_node_name, host_name
from meshproof.targets.appmesh.options import Options
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.together import Concern, misfits


@dataclass(frozen=True, slots=True)
class Fitting:
    """The resources of a policy.

    `gate` is who gates are where files have their certificates, and `space` the namespace that they run in.
    """

    resources: Resources
    workloads: Workloads
    options: Options
    gate: SpiffeId
    space: str
    doubts: Doubts

    def check(self, leading: Leading) -> None:
        """A doubt for whatever does not fit."""
        self._references()
        self._places()
        for one in self.workloads.gates:
            identity = client_identity(one, self.gate)
            if identity is not None:
                self._gate_shown(one, identity)
                self._gate_node(one)
            self._clients(one, self._led(one, leading))
        declared = frozenset(one.identity.uri for one in self.workloads.known.services)
        for edge in self.workloads.gateways:
            if edge.found is not None and self._led(edge.found, leading):
                self._clients(edge.found, declared)  # it may call more than its routes lead to

    def _references(self) -> None:
        """What a gateway leads to is told there; of the mesh itself nothing is asked: without a file it is as it is."""
        found = {key_of(one.value): one for one in self.resources.every}
        for misfit in misfits(tuple(one.value for one in self.resources.every)):
            is_of_mesh = misfit.missed is not None and misfit.missed.kind == "Mesh"
            if misfit.concern is Concern.REFERENCE and misfit.key.kind != "GatewayRoute" and not is_of_mesh:
                one = found[misfit.key]
                self.doubts.add(one.name, f"does not fit to the others: {misfit.message}", one.place(*misfit.path))

    def _places(self) -> None:
        """Nodes are at the addresses that options give to workloads: whoever is at another gets their requests."""
        options = self.options
        for one in self.workloads.services:
            name, space = one.service.platform_name, one.service.namespace
            for node in one.nodes:
                version = self.workloads.versions.get(node.name)
                form = options.discovery if version is None else options.version_discovery
                self._place(node, host_name(form, name, space, version or ""))

    def _place(self, node: Found[VirtualNode], expected: str) -> None:
        discovery = node.value.spec.service_discovery
        if discovery is not None and (discovery.dns is None or _plain(discovery.dns.hostname) != _plain(expected)):
            self.doubts.add(node.name, f"is not found at `{expected}`, where the workload is", node.origin)

    # --- gates, and the addresses at which callers find them ---

    def _gate_shown(self, gate: Found[VirtualGateway], identity: SpiffeId) -> None:
        for name in shown(gate):
            if name != identity.uri:
                self.doubts.add(gate.name, f"shows the certificate `{name}` besides its own", gate.origin)

    def _gate_node(self, gate: Found[VirtualGateway]) -> None:
        """A proxy that runs as the address of a gate takes in whom its listeners say: nobody else than the gate's."""
        node = next((one for one in self.resources.nodes if one.name == gate_node_name(gate.name)), None)
        if node is None:
            return
        self._place(node, host_name(self.options.discovery, gate.name, self.space))
        if self._doors(node) != self._doors(gate) or node.value.spec.backends or any(_differs(node, gate)):
            self.doubts.add(node.name, "is the address of a gate, and listens otherwise", node.origin)

    def _doors(self, found: Found[Any]) -> set[tuple[object, ...]]:
        listeners: tuple[Admission, ...] = admissions(found, self.workloads.known, self.doubts)
        return {one.meaning for one in listeners}

    # --- whom gateways take for the services behind them ---

    def _led(self, gateway: Found[VirtualGateway], leading: Leading) -> frozenset[str]:
        """Who is behind a gateway."""
        identities = {one.name: one.identity.uri for one in self.workloads.known.services}
        ends = (
            self.workloads.of_node.get(end.node)
            for listener in admissions(gateway, self.workloads.known, Doubts())
            for lead in leading.leads(gateway, listener)
            for end in lead.ends
        )
        return frozenset(identities[name] for name in ends if name is not None)

    def _clients(self, gateway: Found[VirtualGateway], behind: frozenset[str]) -> None:
        defaults = gateway.value.spec.backend_defaults
        policy = None if defaults is None else defaults.client_policy
        if not behind or policy is None or policy.tls is None:
            return
        tls = policy.tls
        names = frozenset(names_in(tls.validation))
        if not names or not names <= behind:
            self.doubts.add(gateway.name, "takes others for the services behind it", gateway.origin)
        trust = tls.validation.trust
        if trust.file is None and not is_of_mesh(trust, self.workloads.known.trust_domain):
            self.doubts.add(gateway.name, "does not trust the authority of the services behind it", gateway.origin)
        if tls.enforce is False or tls.ports is not None:
            self.doubts.add(gateway.name, "does not speak TLS to every service behind it", gateway.origin)


def _differs(node: Found[VirtualNode], gate: Found[VirtualGateway]) -> Iterator[bool]:
    """Whether a certificate is shown at the address that the gate does not show, or requests are ended there."""
    yield not {*shown(node)} <= {*shown(gate)}
    yield from (listener_limit(one) is not None for one in node.value.spec.listeners or ())


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")
