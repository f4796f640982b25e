"""A resource of the kind `VirtualNode`: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits
from meshproof.targets.appmesh.model.shared import (
    Duration,
    GrpcTimeout,
    HttpTimeout,
    LoggingFormat,
    PortMapping,
    SubjectAlternativeNames,
    TagRef,
    TcpTimeout,
)


@dataclass(frozen=True, slots=True)
class ListenerTlsFileCertificate:
    """`ListenerTlsFileCertificate` of the App Mesh API."""

    certificate_chain: str = field(metadata=limits(least=1, most=255))
    private_key: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class ListenerTlsSdsCertificate:
    """`ListenerTlsSdsCertificate` of the App Mesh API."""

    secret_name: str


@dataclass(frozen=True, slots=True)
class ClientTlsCertificate:
    """`ClientTlsCertificate` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: ListenerTlsFileCertificate | None = None
    sds: ListenerTlsSdsCertificate | None = None


@dataclass(frozen=True, slots=True)
class TlsValidationContextAcmTrust:
    """`TlsValidationContextAcmTrust` of the App Mesh API."""

    certificate_authority_arns: tuple[str, ...] = field(metadata=limits(least=1, most=3))


@dataclass(frozen=True, slots=True)
class TlsValidationContextFileTrust:
    """`TlsValidationContextFileTrust` of the App Mesh API."""

    certificate_chain: str = field(metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class TlsValidationContextSdsTrust:
    """`TlsValidationContextSdsTrust` of the App Mesh API."""

    secret_name: str


@dataclass(frozen=True, slots=True)
class TlsValidationContextTrust:
    """`TlsValidationContextTrust` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    acm: TlsValidationContextAcmTrust | None = None
    file: TlsValidationContextFileTrust | None = None
    sds: TlsValidationContextSdsTrust | None = None


@dataclass(frozen=True, slots=True)
class TlsValidationContext:
    """`TlsValidationContext` of the App Mesh API."""

    trust: TlsValidationContextTrust
    subject_alternative_names: SubjectAlternativeNames | None = None


@dataclass(frozen=True, slots=True)
class ClientPolicyTls:
    """`ClientPolicyTls` of the App Mesh API."""

    validation: TlsValidationContext
    certificate: ClientTlsCertificate | None = None
    enforce: bool | None = None
    ports: tuple[int, ...] | None = field(default=None, metadata=limits(each=limits(least=1, most=65535)))


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """`ClientPolicy` of the App Mesh API."""

    tls: ClientPolicyTls | None = None


@dataclass(frozen=True, slots=True)
class BackendDefaults:
    """`BackendDefaults` of the App Mesh API."""

    client_policy: ClientPolicy | None = None


@dataclass(frozen=True, slots=True)
class VirtualServiceBackend:
    """`VirtualServiceBackend` of the App Mesh API."""

    virtual_service_name: str
    client_policy: ClientPolicy | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """`Backend` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    virtual_service: VirtualServiceBackend | None = None


@dataclass(frozen=True, slots=True)
class VirtualNodeGrpcConnectionPool:
    """`VirtualNodeGrpcConnectionPool` of the App Mesh API."""

    max_requests: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualNodeHttpConnectionPool:
    """`VirtualNodeHttpConnectionPool` of the App Mesh API."""

    max_connections: int = field(metadata=limits(least=1))
    max_pending_requests: int | None = field(default=None, metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualNodeHttp2ConnectionPool:
    """`VirtualNodeHttp2ConnectionPool` of the App Mesh API."""

    max_requests: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualNodeTcpConnectionPool:
    """`VirtualNodeTcpConnectionPool` of the App Mesh API."""

    max_connections: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class VirtualNodeConnectionPool:
    """`VirtualNodeConnectionPool` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    grpc: VirtualNodeGrpcConnectionPool | None = None
    http: VirtualNodeHttpConnectionPool | None = None
    http2: VirtualNodeHttp2ConnectionPool | None = None
    tcp: VirtualNodeTcpConnectionPool | None = None


@dataclass(frozen=True, slots=True)
class HealthCheckPolicy:
    """`HealthCheckPolicy` of the App Mesh API."""

    healthy_threshold: int = field(metadata=limits(least=2, most=10))
    interval_millis: int = field(metadata=limits(least=5000, most=300000))
    protocol: str = field(metadata=limits(values=("http", "tcp", "http2", "grpc")))
    timeout_millis: int = field(metadata=limits(least=2000, most=60000))
    unhealthy_threshold: int = field(metadata=limits(least=2, most=10))
    path: str | None = None
    port: int | None = field(default=None, metadata=limits(least=1, most=65535))


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """`OutlierDetection` of the App Mesh API."""

    base_ejection_duration: Duration
    interval: Duration
    max_ejection_percent: int = field(metadata=limits(least=0, most=100))
    max_server_errors: int = field(metadata=limits(least=1))


@dataclass(frozen=True, slots=True)
class ListenerTimeout:
    """`ListenerTimeout` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    grpc: GrpcTimeout | None = None
    http: HttpTimeout | None = None
    http2: HttpTimeout | None = None
    tcp: TcpTimeout | None = None


@dataclass(frozen=True, slots=True)
class ListenerTlsAcmCertificate:
    """`ListenerTlsAcmCertificate` of the App Mesh API."""

    certificate_arn: str


@dataclass(frozen=True, slots=True)
class ListenerTlsCertificate:
    """`ListenerTlsCertificate` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    acm: ListenerTlsAcmCertificate | None = None
    file: ListenerTlsFileCertificate | None = None
    sds: ListenerTlsSdsCertificate | None = None


@dataclass(frozen=True, slots=True)
class ListenerTlsValidationContextTrust:
    """`ListenerTlsValidationContextTrust` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: TlsValidationContextFileTrust | None = None
    sds: TlsValidationContextSdsTrust | None = None


@dataclass(frozen=True, slots=True)
class ListenerTlsValidationContext:
    """`ListenerTlsValidationContext` of the App Mesh API."""

    trust: ListenerTlsValidationContextTrust
    subject_alternative_names: SubjectAlternativeNames | None = None


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """`ListenerTls` of the App Mesh API."""

    certificate: ListenerTlsCertificate
    mode: str = field(metadata=limits(values=("STRICT", "PERMISSIVE", "DISABLED")))
    validation: ListenerTlsValidationContext | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """`Listener` of the App Mesh API."""

    port_mapping: PortMapping
    connection_pool: VirtualNodeConnectionPool | None = None
    health_check: HealthCheckPolicy | None = None
    outlier_detection: OutlierDetection | None = None
    timeout: ListenerTimeout | None = None
    tls: ListenerTls | None = None


@dataclass(frozen=True, slots=True)
class FileAccessLog:
    """`FileAccessLog` of the App Mesh API."""

    path: str = field(metadata=limits(least=1, most=255))
    format: LoggingFormat | None = None


@dataclass(frozen=True, slots=True)
class AccessLog:
    """`AccessLog` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    file: FileAccessLog | None = None


@dataclass(frozen=True, slots=True)
class Logging:
    """`Logging` of the App Mesh API."""

    access_log: AccessLog | None = None


@dataclass(frozen=True, slots=True)
class AwsCloudMapInstanceAttribute:
    """`AwsCloudMapInstanceAttribute` of the App Mesh API."""

    key: str = field(metadata=limits(least=1, most=255, pattern="^[a-zA-Z0-9!-~]+$"))
    value: str = field(
        metadata=limits(least=1, most=1024, pattern="^([a-zA-Z0-9!-~][  a-zA-Z0-9!-~]*){0,1}[a-zA-Z0-9!-~]{0,1}$")
    )


@dataclass(frozen=True, slots=True)
class AwsCloudMapServiceDiscovery:
    """`AwsCloudMapServiceDiscovery` of the App Mesh API."""

    namespace_name: str = field(metadata=limits(least=1, most=1024))
    service_name: str = field(metadata=limits(least=1, most=1024))
    attributes: tuple[AwsCloudMapInstanceAttribute, ...] | None = None
    ip_preference: str | None = field(
        default=None, metadata=limits(values=("IPv6_PREFERRED", "IPv4_PREFERRED", "IPv4_ONLY", "IPv6_ONLY"))
    )


@dataclass(frozen=True, slots=True)
class DnsServiceDiscovery:
    """`DnsServiceDiscovery` of the App Mesh API."""

    hostname: str
    ip_preference: str | None = field(
        default=None, metadata=limits(values=("IPv6_PREFERRED", "IPv4_PREFERRED", "IPv4_ONLY", "IPv6_ONLY"))
    )
    response_type: str | None = field(default=None, metadata=limits(values=("LOADBALANCER", "ENDPOINTS")))


@dataclass(frozen=True, slots=True)
class ServiceDiscovery:
    """`ServiceDiscovery` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    aws_cloud_map: AwsCloudMapServiceDiscovery | None = None
    dns: DnsServiceDiscovery | None = None


@dataclass(frozen=True, slots=True)
class VirtualNodeSpec:
    """`VirtualNodeSpec` of the App Mesh API."""

    backend_defaults: BackendDefaults | None = None
    backends: tuple[Backend, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    logging: Logging | None = None
    service_discovery: ServiceDiscovery | None = None


@dataclass(frozen=True, slots=True)
class VirtualNode:
    """`CreateVirtualNodeInput` of the App Mesh API."""

    mesh_name: str = field(metadata=limits(least=1, most=255))
    spec: VirtualNodeSpec
    virtual_node_name: str = field(metadata=limits(least=1, most=255))
    mesh_owner: str | None = field(default=None, metadata=limits(least=12, most=12))
    tags: tuple[TagRef, ...] | None = field(default=None, metadata=limits(least=0, most=50))
