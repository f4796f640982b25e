"""A resource of the kind `VirtualGateway`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import LoggingFormat, SubjectAlternativeNames, TagRef


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsFileCertificate:
    """`VirtualGatewayListenerTlsFileCertificate` of the App Mesh API."""

    certificate_chain: str = field(metadata=limits(least=1, most=255))
    private_key: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsSdsCertificate:
    """`VirtualGatewayListenerTlsSdsCertificate` of the App Mesh API."""

    secret_name: str


@dataclass(frozen=True, slots=True)
class VirtualGatewayClientTlsCertificate:
    """`VirtualGatewayClientTlsCertificate` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: VirtualGatewayListenerTlsFileCertificate | None = None
    sds: VirtualGatewayListenerTlsSdsCertificate | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayTlsValidationContextAcmTrust:
    """`VirtualGatewayTlsValidationContextAcmTrust` of the App Mesh API."""

    certificate_authority_arns: tuple[str, ...] = field(metadata=limits(least=1, most=3))


@dataclass(frozen=True, slots=True)
class VirtualGatewayTlsValidationContextFileTrust:
    """`VirtualGatewayTlsValidationContextFileTrust` of the App Mesh API."""

    certificate_chain: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class VirtualGatewayTlsValidationContextSdsTrust:
    """`VirtualGatewayTlsValidationContextSdsTrust` of the App Mesh API."""

    secret_name: str


@dataclass(frozen=True, slots=True)
class VirtualGatewayTlsValidationContextTrust:
    """`VirtualGatewayTlsValidationContextTrust` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    acm: VirtualGatewayTlsValidationContextAcmTrust | None = None
    file: VirtualGatewayTlsValidationContextFileTrust | None = None
    sds: VirtualGatewayTlsValidationContextSdsTrust | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayTlsValidationContext:
    """`VirtualGatewayTlsValidationContext` of the App Mesh API."""

    trust: VirtualGatewayTlsValidationContextTrust
    subject_alternative_names: SubjectAlternativeNames | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayClientPolicyTls:
    """`VirtualGatewayClientPolicyTls` of the App Mesh API."""

    validation: VirtualGatewayTlsValidationContext
    certificate: VirtualGatewayClientTlsCertificate | None = None
    enforce: bool | None = None
    ports: tuple[int, ...] | None = field(default=None, metadata=limits(each=limits(least=1, most=65535)))


@dataclass(frozen=True, slots=True)
class VirtualGatewayClientPolicy:
    """`VirtualGatewayClientPolicy` of the App Mesh API."""

    tls: VirtualGatewayClientPolicyTls | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayBackendDefaults:
    """`VirtualGatewayBackendDefaults` of the App Mesh API."""

    client_policy: VirtualGatewayClientPolicy | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayGrpcConnectionPool:
    """`VirtualGatewayGrpcConnectionPool` of the App Mesh API."""

    max_requests: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualGatewayHttpConnectionPool:
    """`VirtualGatewayHttpConnectionPool` of the App Mesh API."""

    max_connections: int = field(metadata=limits(least=1))
    max_pending_requests: int | None = field(default=None, metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualGatewayHttp2ConnectionPool:
    """`VirtualGatewayHttp2ConnectionPool` of the App Mesh API."""

    max_requests: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualGatewayConnectionPool:
    """`VirtualGatewayConnectionPool` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    grpc: VirtualGatewayGrpcConnectionPool | None = None
    http: VirtualGatewayHttpConnectionPool | None = None
    http2: VirtualGatewayHttp2ConnectionPool | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayHealthCheckPolicy:
    """`VirtualGatewayHealthCheckPolicy` of the App Mesh API."""

    healthy_threshold: int = field(metadata=limits(least=2, most=10))
    interval_millis: int = field(metadata=limits(least=5000, most=300000))
    protocol: str = field(metadata=limits(values=("http", "http2", "grpc")))
    timeout_millis: int = field(metadata=limits(least=2000, most=60000))
    unhealthy_threshold: int = field(metadata=limits(least=2, most=10))
    path: str | None = None
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))


@dataclass(frozen=True, slots=True)
class VirtualGatewayPortMapping:
    """`VirtualGatewayPortMapping` of the App Mesh API."""

    port: int = field(metadata=limits(least=1, most=65535))
    protocol: str = field(metadata=limits(values=("http", "http2", "grpc")))


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsAcmCertificate:
    """`VirtualGatewayListenerTlsAcmCertificate` of the App Mesh API."""

    certificate_arn: str


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsCertificate:
    """`VirtualGatewayListenerTlsCertificate` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    acm: VirtualGatewayListenerTlsAcmCertificate | None = None
    file: VirtualGatewayListenerTlsFileCertificate | None = None
    sds: VirtualGatewayListenerTlsSdsCertificate | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsValidationContextTrust:
    """`VirtualGatewayListenerTlsValidationContextTrust` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: VirtualGatewayTlsValidationContextFileTrust | None = None
    sds: VirtualGatewayTlsValidationContextSdsTrust | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTlsValidationContext:
    """`VirtualGatewayListenerTlsValidationContext` of the App Mesh API."""

    trust: VirtualGatewayListenerTlsValidationContextTrust
    subject_alternative_names: SubjectAlternativeNames | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayListenerTls:
    """`VirtualGatewayListenerTls` of the App Mesh API."""

    certificate: VirtualGatewayListenerTlsCertificate
    mode: str = field(metadata=limits(values=("STRICT", "PERMISSIVE", "DISABLED")))
    validation: VirtualGatewayListenerTlsValidationContext | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayListener:
    """`VirtualGatewayListener` of the App Mesh API."""

    port_mapping: VirtualGatewayPortMapping
    connection_pool: VirtualGatewayConnectionPool | None = None
    health_check: VirtualGatewayHealthCheckPolicy | None = None
    tls: VirtualGatewayListenerTls | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayFileAccessLog:
    """`VirtualGatewayFileAccessLog` of the App Mesh API."""

    path: str = field(metadata=limits(least=1, most=255))
    format: LoggingFormat | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayAccessLog:
    """`VirtualGatewayAccessLog` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: VirtualGatewayFileAccessLog | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewayLogging:
    """`VirtualGatewayLogging` of the App Mesh API."""

    access_log: VirtualGatewayAccessLog | None = None


@dataclass(frozen=True, slots=True)
class VirtualGatewaySpec:
    """`VirtualGatewaySpec` of the App Mesh API."""

    listeners: tuple[VirtualGatewayListener, ...]
    backend_defaults: VirtualGatewayBackendDefaults | None = None
    logging: VirtualGatewayLogging | None = None


@dataclass(frozen=True, slots=True)
class VirtualGateway:
    """`CreateVirtualGatewayInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: VirtualGatewaySpec
    virtual_gateway_name: str = field(metadata=limits(least=1, most=255))
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
