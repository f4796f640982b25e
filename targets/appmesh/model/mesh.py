"""A resource of the kind `Mesh`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import TagRef


@dataclass(frozen=True, slots=True)
class EgressFilter:
    """`EgressFilter` of the App Mesh API."""

    type: str = field(metadata=limits(values=("ALLOW_ALL", "DROP_ALL")))


@dataclass(frozen=True, slots=True)
class MeshServiceDiscovery:
    """`MeshServiceDiscovery` of the App Mesh API."""

    ip_preference: str | None = field(
        default=None, metadata=limits(values=("IPv6_PREFERRED", "IPv4_PREFERRED", "IPv4_ONLY", "IPv6_ONLY"))
    )


@dataclass(frozen=True, slots=True)
class MeshSpec:
    """`MeshSpec` of the App Mesh API."""

    egress_filter: EgressFilter | None = None
    service_discovery: MeshServiceDiscovery | None = None


@dataclass(frozen=True, slots=True)
class Mesh:
    """`CreateMeshInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: MeshSpec | None = None
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
