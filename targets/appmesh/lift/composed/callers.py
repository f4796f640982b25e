"""What proxies of callers do towards services: whom they take for them, and whether they say who calls.

An honest proxy that took another for the service would hand it the requests of its workload.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.targets.appmesh.lift.composed.admitted import Admitted
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.workloads import Workloads
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.identities import names_in
from meshproof.targets.appmesh.model.virtual_node import VirtualNode


def check_callers(
    resources: Resources, workloads: Workloads, admitted: Admitted, gates: frozenset[str], doubts: Doubts
) -> None:
    """A doubt for each backend that is called in another way than as whoever is behind it; `gates` are identities."""
    checking = _Checking(resources, workloads, admitted, gates, doubts)
    for one in workloads.services:
        for node in one.nodes:
            checking.node(node)


class _Checking:
    def __init__(
        self, resources: Resources, workloads: Workloads, admitted: Admitted, gates: frozenset[str], doubts: Doubts
    ) -> None:
        self._resources = resources
        self._of_node = workloads.of_node
        self._identities = {one.name: one.identity.uri for one in workloads.known.services}
        self._admitted = admitted
        self._gates = gates
        self._doubts = doubts
        self._providers = {one.name: one.value.spec.provider for one in resources.services}

    def node(self, node: Found[VirtualNode]) -> None:
        """The backends of one node."""
        spec = node.value.spec
        default = None if spec.backend_defaults is None else spec.backend_defaults.client_policy
        for index, backend in enumerate(spec.backends or ()):
            called = backend.virtual_service
            if called is None:
                continue
            policy = default if called.client_policy is None else called.client_policy
            reached = set(self._reached(called.virtual_service_name))
            plain = {name for name in reached if self._is_plain(name)}
            tls = None if policy is None else policy.tls
            said = f"calls `{called.virtual_service_name}`"
            origin = node.place("spec", "backends", index)
            if tls is None:
                if reached - plain:
                    self._doubts.add(node.name, f"{said} without saying who it is", origin)
                continue
            answering = {name for one in reached for name in self._who(one)}
            if tls.certificate is None or tls.enforce is False or tls.ports is not None:
                self._doubts.add(node.name, f"{said} without saying who it is", origin)
            names = set(names_in(tls.validation))
            if reached and (not names or not names <= answering):
                self._doubts.add(node.name, f"{said} and takes others for it too", origin)
            if plain:
                self._doubts.add(node.name, f"{said} with TLS, which is not taken there", origin)

    def _is_plain(self, node: str) -> bool:
        """Whether nobody has an identity there, on any port."""
        owner = self._of_node.get(node)
        listeners = () if owner is None else self._admitted.every[owner]
        return bool(listeners) and all(one.mode is MtlsMode.DISABLED for one in listeners)

    def _who(self, node: str) -> frozenset[str]:
        """Who answers for a node: its service, or at an address that is no workload's a gate."""
        owner = self._of_node.get(node)
        return self._gates if owner is None else frozenset((self._identities[owner],))

    def _reached(self, service: str) -> Iterator[str]:
        """Every virtual node that a virtual service may lead to."""
        provider = self._providers.get(service)
        if provider is None:
            return
        if provider.virtual_node is not None:
            yield provider.virtual_node.virtual_node_name
        elif provider.virtual_router is not None:
            for route in self._resources.routes:
                if route.value.virtual_router_name == provider.virtual_router.virtual_router_name:
                    yield from (one.virtual_node for one in _targets(route.value.spec))


def _targets(spec: Any) -> Iterator[Any]:  # noqa: ANN401
    for part in (spec.http_route, spec.http2_route, spec.grpc_route, spec.tcp_route):
        if part is not None:
            yield from part.action.weighted_targets
