"""A resource of the kind `Route`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import (
    Duration,
    GrpcTimeout,
    HeaderMatchMethod,
    HttpPathMatch,
    HttpQueryParameter,
    HttpTimeout,
    MatchRange,
    TagRef,
    TcpTimeout,
)


@dataclass(frozen=True, slots=True)
class WeightedTarget:
    """`WeightedTarget` of the App Mesh API."""

    virtual_node: str = field(metadata=limits(least=1, most=255))
    weight: int = field(metadata=limits(least=0, most=100))
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))


@dataclass(frozen=True, slots=True)
class GrpcRouteAction:
    """`GrpcRouteAction` of the App Mesh API."""

    weighted_targets: tuple[WeightedTarget, ...] = field(metadata=limits(least=1, most=10))


@dataclass(frozen=True, slots=True)
class GrpcRouteMetadataMatchMethod:
    """`GrpcRouteMetadataMatchMethod` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    exact: str | None = field(default=None, metadata=limits(least=1, most=255))
    prefix: str | None = field(default=None, metadata=limits(least=1, most=255))
    range: MatchRange | None = None
    regex: str | None = field(default=None, metadata=limits(least=1, most=255))
    suffix: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class GrpcRouteMetadata:
    """`GrpcRouteMetadata` of the App Mesh API."""

    name: str = field(metadata=limits(least=1, most=50))
    invert: bool | None = None
    match: GrpcRouteMetadataMatchMethod | None = None


@dataclass(frozen=True, slots=True)
class GrpcRouteMatch:
    """`GrpcRouteMatch` of the App Mesh API."""

    metadata: tuple[GrpcRouteMetadata, ...] | None = field(default=None, metadata=limits(least=1, most=10))
    method_name: str | None = field(default=None, metadata=limits(least=1, most=50))
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))
    service_name: str | None = None


@dataclass(frozen=True, slots=True)
class GrpcRetryPolicy:
    """`GrpcRetryPolicy` of the App Mesh API."""

    max_retries: int = field(metadata=limits(least=0))
    per_retry_timeout: Duration
    grpc_retry_events: tuple[str, ...] | None = field(
        default=None,
        metadata=limits(
            least=1,
            most=5,
            each=limits(values=("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable")),
        ),
    )
    http_retry_events: tuple[str, ...] | None = field(
        default=None, metadata=limits(least=1, most=25, each=limits(least=1, most=25))
    )
    tcp_retry_events: tuple[str, ...] | None = field(
        default=None, metadata=limits(least=1, most=1, each=limits(values=("connection-error",)))
    )


@dataclass(frozen=True, slots=True)
class GrpcRoute:
    """`GrpcRoute` of the App Mesh API."""

    action: GrpcRouteAction
    match: GrpcRouteMatch
    retry_policy: GrpcRetryPolicy | None = None
    timeout: GrpcTimeout | None = None


@dataclass(frozen=True, slots=True)
class HttpRouteAction:
    """`HttpRouteAction` of the App Mesh API."""

    weighted_targets: tuple[WeightedTarget, ...] = field(metadata=limits(least=1, most=10))


@dataclass(frozen=True, slots=True)
class HttpRouteHeader:
    """`HttpRouteHeader` of the App Mesh API."""

    name: str = field(metadata=limits(least=1, most=50))
    invert: bool | None = None
    match: HeaderMatchMethod | None = None


@dataclass(frozen=True, slots=True)
class HttpRouteMatch:
    """`HttpRouteMatch` of the App Mesh API."""

    headers: tuple[HttpRouteHeader, ...] | None = field(default=None, metadata=limits(least=1, most=10))
    method: str | None = field(
        default=None,
        metadata=limits(values=("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")),
    )
    path: HttpPathMatch | None = None
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))
    prefix: str | None = None
    query_parameters: tuple[HttpQueryParameter, ...] | None = field(default=None, metadata=limits(least=1, most=10))
    scheme: str | None = field(default=None, metadata=limits(values=("http", "https")))


@dataclass(frozen=True, slots=True)
class HttpRetryPolicy:
    """`HttpRetryPolicy` of the App Mesh API."""

    max_retries: int = field(metadata=limits(least=0))
    per_retry_timeout: Duration
    http_retry_events: tuple[str, ...] | None = field(
        default=None, metadata=limits(least=1, most=25, each=limits(least=1, most=25))
    )
    tcp_retry_events: tuple[str, ...] | None = field(
        default=None, metadata=limits(least=1, most=1, each=limits(values=("connection-error",)))
    )


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """`HttpRoute` of the App Mesh API."""

    action: HttpRouteAction
    match: HttpRouteMatch
    retry_policy: HttpRetryPolicy | None = None
    timeout: HttpTimeout | None = None


@dataclass(frozen=True, slots=True)
class TcpRouteAction:
    """`TcpRouteAction` of the App Mesh API."""

    weighted_targets: tuple[WeightedTarget, ...] = field(metadata=limits(least=1, most=10))


@dataclass(frozen=True, slots=True)
class TcpRouteMatch:
    """`TcpRouteMatch` of the App Mesh API."""

    port: int | None = field(default=None, metadata=limits(least=1, most=65535))


@dataclass(frozen=True, slots=True)
class TcpRoute:
    """`TcpRoute` of the App Mesh API."""

    action: TcpRouteAction
    match: TcpRouteMatch | None = None
    timeout: TcpTimeout | None = None


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """`RouteSpec` of the App Mesh API."""

    grpc_route: GrpcRoute | None = None
    http2_route: HttpRoute | None = None
    http_route: HttpRoute | None = None
    priority: int | None = field(default=None, metadata=limits(least=0, most=1000))
    tcp_route: TcpRoute | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """`CreateRouteInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    route_name: str = field(metadata=limits(least=1, most=255))
    spec: RouteSpec
    virtual_router_name: str = field(metadata=limits(least=1, most=255))
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
