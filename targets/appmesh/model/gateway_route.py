"""A resource of the kind `GatewayRoute`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import (
    HeaderMatchMethod,
    HttpPathMatch,
    HttpQueryParameter,
    MatchRange,
    TagRef,
)


@dataclass(frozen=True, slots=True)
class GatewayRouteHostnameRewrite:
    """`GatewayRouteHostnameRewrite` of the App Mesh API."""

    default_target_hostname: str | None = field(default=None, metadata=limits(values=("ENABLED", "DISABLED")))


@dataclass(frozen=True, slots=True)
class GrpcGatewayRouteRewrite:
    """`GrpcGatewayRouteRewrite` of the App Mesh API."""

    hostname: GatewayRouteHostnameRewrite | None = None


@dataclass(frozen=True, slots=True)
class GatewayRouteVirtualService:
    """`GatewayRouteVirtualService` of the App Mesh API."""

    virtual_service_name: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class GatewayRouteTarget:
    """`GatewayRouteTarget` of the App Mesh API."""

    virtual_service: GatewayRouteVirtualService
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))


@dataclass(frozen=True, slots=True)
class GrpcGatewayRouteAction:
    """`GrpcGatewayRouteAction` of the App Mesh API."""

    target: GatewayRouteTarget
    rewrite: GrpcGatewayRouteRewrite | None = None


@dataclass(frozen=True, slots=True)
class GatewayRouteHostnameMatch:
    """`GatewayRouteHostnameMatch` of the App Mesh API."""

    exact: str | None = field(default=None, metadata=limits(least=1, most=253))
    suffix: str | None = field(default=None, metadata=limits(least=1, most=253))


@dataclass(frozen=True, slots=True)
class GrpcMetadataMatchMethod:
    """`GrpcMetadataMatchMethod` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    exact: str | None = field(default=None, metadata=limits(least=1, most=255))
    prefix: str | None = field(default=None, metadata=limits(least=1, most=255))
    range: MatchRange | None = None
    regex: str | None = field(default=None, metadata=limits(least=1, most=255))
    suffix: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class GrpcGatewayRouteMetadata:
    """`GrpcGatewayRouteMetadata` of the App Mesh API."""

    name: str = field(metadata=limits(least=1, most=50))
    invert: bool | None = None
    match: GrpcMetadataMatchMethod | None = None


@dataclass(frozen=True, slots=True)
class GrpcGatewayRouteMatch:
    """`GrpcGatewayRouteMatch` of the App Mesh API."""

    hostname: GatewayRouteHostnameMatch | None = None
    metadata: tuple[GrpcGatewayRouteMetadata, ...] | None = field(default=None, metadata=limits(least=1, most=10))
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))
    service_name: str | None = None


@dataclass(frozen=True, slots=True)
class GrpcGatewayRoute:
    """`GrpcGatewayRoute` of the App Mesh API."""

    action: GrpcGatewayRouteAction
    match: GrpcGatewayRouteMatch


@dataclass(frozen=True, slots=True)
class HttpGatewayRoutePathRewrite:
    """`HttpGatewayRoutePathRewrite` of the App Mesh API."""

    exact: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class HttpGatewayRoutePrefixRewrite:
    """`HttpGatewayRoutePrefixRewrite` of the App Mesh API."""

    default_prefix: str | None = field(default=None, metadata=limits(values=("ENABLED", "DISABLED")))
    value: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class HttpGatewayRouteRewrite:
    """`HttpGatewayRouteRewrite` of the App Mesh API."""

    hostname: GatewayRouteHostnameRewrite | None = None
    path: HttpGatewayRoutePathRewrite | None = None
    prefix: HttpGatewayRoutePrefixRewrite | None = None


@dataclass(frozen=True, slots=True)
class HttpGatewayRouteAction:
    """`HttpGatewayRouteAction` of the App Mesh API."""

    target: GatewayRouteTarget
    rewrite: HttpGatewayRouteRewrite | None = None


@dataclass(frozen=True, slots=True)
class HttpGatewayRouteHeader:
    """`HttpGatewayRouteHeader` of the App Mesh API."""

    name: str = field(metadata=limits(least=1, most=50))
    invert: bool | None = None
    match: HeaderMatchMethod | None = None


@dataclass(frozen=True, slots=True)
class HttpGatewayRouteMatch:
    """`HttpGatewayRouteMatch` of the App Mesh API."""

    headers: tuple[HttpGatewayRouteHeader, ...] | None = field(default=None, metadata=limits(least=1, most=10))
    hostname: GatewayRouteHostnameMatch | None = None
    method: str | None = field(
        default=None,
        metadata=limits(values=("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")),
    )
    path: HttpPathMatch | None = None
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))
    prefix: str | None = None
    query_parameters: tuple[HttpQueryParameter, ...] | None = field(default=None, metadata=limits(least=1, most=10))


@dataclass(frozen=True, slots=True)
class HttpGatewayRoute:
    """`HttpGatewayRoute` of the App Mesh API."""

    action: HttpGatewayRouteAction
    match: HttpGatewayRouteMatch


@dataclass(frozen=True, slots=True)
class GatewayRouteSpec:
    """`GatewayRouteSpec` of the App Mesh API."""

    grpc_route: GrpcGatewayRoute | None = None
    http2_route: HttpGatewayRoute | None = None
    http_route: HttpGatewayRoute | None = None
    priority: int | None = field(default=None, metadata=limits(least=0, most=1000))


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """`CreateGatewayRouteInput` of the App Mesh API."""

    gateway_route_name: str = field(metadata=limits(least=1, most=255))
    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: GatewayRouteSpec
    virtual_gateway_name: str = field(metadata=limits(least=1, most=255))
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
