"""How resources of App Mesh name themselves and each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route, WeightedTarget
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.values import Value

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What tells a resource from all others: its kind, and the names from its mesh down to itself."""

    kind: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.names[-1]


@dataclass(frozen=True, slots=True)
class Reference:
    """One resource names another. `path` leads to the place by the names of fields and the numbers of entries.

    `is_needed`: the other must be there before this one is made. A backend need not be: nodes call each other in rings.
    """

    key: Key
    path: Path
    is_needed: bool = True


def key_of(one: Value) -> Key:
    """The key of a resource."""
    mesh = one.mesh_name
    match one:
        case Mesh():
            return Key("Mesh", (mesh,))
        case VirtualNode():
            return Key("VirtualNode", (mesh, one.virtual_node_name))
        case VirtualService():
            return Key("VirtualService", (mesh, one.virtual_service_name))
        case VirtualRouter():
            return Key("VirtualRouter", (mesh, one.virtual_router_name))
        case Route():
            return Key("Route", (mesh, one.virtual_router_name, one.route_name))
        case VirtualGateway():
            return Key("VirtualGateway", (mesh, one.virtual_gateway_name))
        case GatewayRoute():
            return Key("GatewayRoute", (mesh, one.virtual_gateway_name, one.gateway_route_name))
        case _:
            assert_never(one)


def references(one: Value) -> tuple[Reference, ...]:
    """Every resource that it names, in the order of its fields."""
    if isinstance(one, Mesh):
        return ()
    return (Reference(Key("Mesh", (one.mesh_name,)), ("mesh_name",)), *_within(one))


def needed(one: Value) -> tuple[Key, ...]:
    """What must be there before it is made."""
    return tuple(found.key for found in references(one) if found.is_needed)


def targets(route: Route) -> Iterator[tuple[WeightedTarget, Path]]:
    """Where the requests of a route go."""
    for kind in ("grpc_route", "http2_route", "http_route", "tcp_route"):
        part = getattr(route.spec, kind)
        for index, target in enumerate(part.action.weighted_targets if part is not None else ()):
            yield target, ("spec", kind, "action", "weighted_targets", index)


def _within(one: Value) -> Iterator[Reference]:
    mesh = one.mesh_name
    match one:
        case VirtualNode():
            for index, backend in enumerate(one.spec.backends or ()):
                if backend.virtual_service is not None:
                    key = Key("VirtualService", (mesh, backend.virtual_service.virtual_service_name))
                    path: Path = ("spec", "backends", index, "virtual_service", "virtual_service_name")
                    yield Reference(key, path, is_needed=False)
        case VirtualService():
            yield from _provider(one)
        case Route():
            yield Reference(Key("VirtualRouter", (mesh, one.virtual_router_name)), ("virtual_router_name",))
            for target, path in targets(one):
                yield Reference(Key("VirtualNode", (mesh, target.virtual_node)), (*path, "virtual_node"))
        case GatewayRoute():
            yield Reference(Key("VirtualGateway", (mesh, one.virtual_gateway_name)), ("virtual_gateway_name",))
            for kind in ("grpc_route", "http2_route", "http_route"):
                part = getattr(one.spec, kind)
                if part is not None:
                    name = part.action.target.virtual_service.virtual_service_name
                    path = ("spec", kind, "action", "target", "virtual_service", "virtual_service_name")
                    yield Reference(Key("VirtualService", (mesh, name)), path)
        case Mesh() | VirtualRouter() | VirtualGateway():
            return
        case _:
            assert_never(one)


def _provider(one: VirtualService) -> Iterator[Reference]:
    provider = one.spec.provider
    if provider is None:
        return
    at = ("spec", "provider")
    if provider.virtual_node is not None:
        key = Key("VirtualNode", (one.mesh_name, provider.virtual_node.virtual_node_name))
        yield Reference(key, (*at, "virtual_node", "virtual_node_name"))
    if provider.virtual_router is not None:
        key = Key("VirtualRouter", (one.mesh_name, provider.virtual_router.virtual_router_name))
        yield Reference(key, (*at, "virtual_router", "virtual_router_name"))
