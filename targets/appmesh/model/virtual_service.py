"""A resource of the kind `VirtualService`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import TagRef


@dataclass(frozen=True, slots=True)
class VirtualNodeServiceProvider:
    """`VirtualNodeServiceProvider` of the App Mesh API."""

    virtual_node_name: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class VirtualRouterServiceProvider:
    """`VirtualRouterServiceProvider` of the App Mesh API."""

    virtual_router_name: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class VirtualServiceProvider:
    """`VirtualServiceProvider` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    virtual_node: VirtualNodeServiceProvider | None = None
    virtual_router: VirtualRouterServiceProvider | None = None


@dataclass(frozen=True, slots=True)
class VirtualServiceSpec:
    """`VirtualServiceSpec` of the App Mesh API."""

    provider: VirtualServiceProvider | None = None


@dataclass(frozen=True, slots=True)
class VirtualService:
    """`CreateVirtualServiceInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: VirtualServiceSpec
    virtual_service_name: str
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
