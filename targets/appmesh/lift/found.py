"""Resources as they were found in files: the value, and where each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from meshproof.compiler.ir.names import Origin
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.spelling import Spelling
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.tree import ListNode, MapNode, Placed

KINDS: dict[str, type[Value]] = {
    one.__name__: one for one in (Mesh, VirtualNode, VirtualService, VirtualRouter, Route, VirtualGateway, GatewayRoute)
}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Owner:
    """An object of App Mesh's controller: what Kubernetes calls it, and the labels of its pods, if they tell all.

    With `has_groups` it calls whatever its backend groups hold besides.
    """

    namespace: str
    name: str
    pods: tuple[tuple[str, str], ...] = ()
    has_groups: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Found(Generic[_T]):
    """A resource and the text that it was read from. `name` tells it from others of its kind, in its mesh.

    `owner` is the object of App Mesh's controller that it was made of, if it was.
    """

    value: _T
    name: str
    tree: MapNode
    spelling: Spelling
    owner: Owner | None = None

    @property
    def origin(self) -> Origin:
        """Where the resource stands."""
        return Origin(self.tree.span)

    def place(self, *path: str | int) -> Origin:
        """Where a part stands, by the names of fields and the numbers of entries; the closest that is written."""
        at: Placed = self.tree
        for step in path:
            inner: Placed | None = None
            if isinstance(step, int):
                inner = at.items[step] if isinstance(at, ListNode) and step < len(at.items) else None
            elif isinstance(at, MapNode):
                inner = at.get(self.spelling.key(step))
            if inner is None:
                break
            at = inner
        return Origin(at.span)


@dataclass(frozen=True, slots=True)
class Resources:
    """All that files hold of one mesh, in the order in which it stands there."""

    meshes: tuple[Found[Mesh], ...] = ()
    nodes: tuple[Found[VirtualNode], ...] = ()
    services: tuple[Found[VirtualService], ...] = ()
    routers: tuple[Found[VirtualRouter], ...] = ()
    routes: tuple[Found[Route], ...] = ()
    gateways: tuple[Found[VirtualGateway], ...] = ()
    gateway_routes: tuple[Found[GatewayRoute], ...] = ()

    @property
    def every(self) -> tuple[Found[Value], ...]:
        """All of them, kind by kind."""
        return tuple(one for field in fields(self) for one in getattr(self, field.name))
