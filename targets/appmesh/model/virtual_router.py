"""A resource of the kind `VirtualRouter`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import PortMapping, TagRef


@dataclass(frozen=True, slots=True)
class VirtualRouterListener:
    """`VirtualRouterListener` of the App Mesh API."""

    port_mapping: PortMapping


@dataclass(frozen=True, slots=True)
class VirtualRouterSpec:
    """`VirtualRouterSpec` of the App Mesh API."""

    listeners: tuple[VirtualRouterListener, ...] | None = None


@dataclass(frozen=True, slots=True)
class VirtualRouter:
    """`CreateVirtualRouterInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: VirtualRouterSpec
    virtual_router_name: str = field(metadata=limits(least=1, most=255))
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
