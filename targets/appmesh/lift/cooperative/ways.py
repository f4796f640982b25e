"""Where the proxy of a node, or a gateway, sends what its workload asks for: to the listeners of which nodes, and when.

Source: App Mesh API reference (`Backend`, `VirtualServiceProvider`, `WeightedTarget`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.predicate import Always, Opaque, Predicate, conjunction
from meshproof.targets.appmesh.lift.composed.order import Taken, in_turn, part_of
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode


@dataclass(frozen=True, slots=True)
class Way:
    """To the listener of `node` on `port`, for requests that meet the condition; `dialled` is the port asked for.

    `tls` is the client policy's part about TLS, None if there is none.
    """

    node: str
    port: int
    dialled: int
    condition: Predicate
    tls: Any


class Ways:
    """Finds them. Files hold the whole mesh: what none of them has is not there."""

    def __init__(self, resources: Resources) -> None:
        self._numbers = {
            one.name: tuple(listener.port_mapping.port for listener in one.value.spec.listeners or ())
            for one in resources.nodes
        }
        self._providers = {one.name: one.value.spec.provider for one in resources.services}
        self._routers = {one.name: one for one in resources.routers}
        self._routes = resources.routes
        self._gateway_routes = resources.gateway_routes

    def of_node(self, node: Found[VirtualNode]) -> Iterator[Way]:
        """What its backends lead to."""
        spec = node.value.spec
        default = _tls(spec.backend_defaults)
        for backend in spec.backends or ():
            called = backend.virtual_service
            if called is not None:
                tls = default if called.client_policy is None else called.client_policy.tls
                yield from self._to(called.virtual_service_name, None, tls)

    def of_gateway(self, gateway: Found[VirtualGateway]) -> Iterator[Way]:
        """What its routes lead to. What they ask for is told where it decides: at the gateway."""
        tls = _tls(gateway.value.spec.backend_defaults)
        for route in self._gateway_routes:
            if route.value.virtual_gateway_name == gateway.name:
                target = part_of(route)[1].action.target
                yield from self._to(target.virtual_service.virtual_service_name, target.port, tls)

    def _to(self, service: str, port: int | None, tls: Any) -> Iterator[Way]:  # noqa: ANN401
        provider = self._providers.get(service)
        if provider is None:
            return
        if provider.virtual_node is not None:
            name = provider.virtual_node.virtual_node_name
            for number in self._numbers.get(name, ()):
                if port in {None, number}:
                    yield Way(name, number, number, Always(), tls)
        elif provider.virtual_router is not None:
            router = self._routers.get(provider.virtual_router.virtual_router_name)
            for listener in () if router is None else router.value.spec.listeners or ():
                if router is not None and port in {None, listener.port_mapping.port}:
                    yield from self._routed(router.name, listener.port_mapping, tls)

    def _routed(self, router: str, mapping: Any, tls: Any) -> Iterator[Way]:  # noqa: ANN401
        own = tuple(one for one in self._routes if one.value.virtual_router_name == router)
        taken = in_turn(own, lambda _, part: _port(part) in {None, mapping.port}, is_grpc_told=True)
        for one in taken:
            targets = [target for target in one.part.action.weighted_targets if target.weight]
            doubt = self._doubt(one, mapping.protocol, has_shares=bool(targets))
            for target in targets or one.part.action.weighted_targets:
                for number, is_sure in self._reached(target, mapping.port):
                    sure = (
                        doubt if is_sure else Opaque(f"which listener of `{target.virtual_node}` is meant", one.origin)
                    )
                    yield Way(target.virtual_node, number, mapping.port, conjunction((one.condition, sure)), tls)

    def _doubt(self, taken: Taken, protocol: str, *, has_shares: bool) -> Predicate:
        """Always, or what nothing tells of a route that is not as it should be."""
        if taken.kind != protocol:
            message = f"what the route `{taken.found.name}` of {taken.kind} does at a port of {protocol}"
            return Opaque(message, taken.origin)
        return Always() if has_shares else Opaque(f"where the route `{taken.found.name}` leads", taken.origin)

    def _reached(self, target: Any, called: int) -> Iterator[tuple[int, bool]]:  # noqa: ANN401
        """The listeners that may be reached, and whether that is sure."""
        numbers = self._numbers.get(target.virtual_node, ())
        if target.port is not None:
            yield from ((number, True) for number in numbers if number == target.port)
        elif called in numbers:
            yield called, True
        else:
            yield from ((number, len(numbers) == 1) for number in numbers)


def _tls(defaults: Any) -> Any:  # noqa: ANN401  of a node or a gateway
    policy = None if defaults is None else defaults.client_policy
    return None if policy is None else policy.tls


def _port(part: Any) -> int | None:  # noqa: ANN401
    port: int | None = None if part.match is None else part.match.port
    return port
