"""The kinds of objects that are read. Every other kind is skipped and counted."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind, by the name that people use. Two groups have a `Gateway`: Kubernetes' own is `KubeGateway` here."""

    SERVICE = "Service"
    SERVICE_ACCOUNT = "ServiceAccount"
    NAMESPACE = "Namespace"
    CONFIG_MAP = "ConfigMap"
    POD = "Pod"
    REPLICATION_CONTROLLER = "ReplicationController"
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    REPLICA_SET = "ReplicaSet"
    JOB = "Job"
    CRON_JOB = "CronJob"
    ROLLOUT = "Rollout"
    AUTHORIZATION_POLICY = "AuthorizationPolicy"
    PEER_AUTHENTICATION = "PeerAuthentication"
    REQUEST_AUTHENTICATION = "RequestAuthentication"
    VIRTUAL_SERVICE = "VirtualService"
    DESTINATION_RULE = "DestinationRule"
    SERVICE_ENTRY = "ServiceEntry"
    WORKLOAD_ENTRY = "WorkloadEntry"
    WORKLOAD_GROUP = "WorkloadGroup"
    GATEWAY = "Gateway"
    SIDECAR = "Sidecar"
    PROXY_CONFIG = "ProxyConfig"
    ENVOY_FILTER = "EnvoyFilter"
    WASM_PLUGIN = "WasmPlugin"
    TELEMETRY = "Telemetry"
    ISTIO_OPERATOR = "IstioOperator"
    ISTIO = "Istio"
    KUBE_GATEWAY = "KubeGateway"
    GATEWAY_CLASS = "GatewayClass"
    HTTP_ROUTE = "HTTPRoute"
    GRPC_ROUTE = "GRPCRoute"
    TCP_ROUTE = "TCPRoute"
    TLS_ROUTE = "TLSRoute"
    REFERENCE_GRANT = "ReferenceGrant"


_GROUPS: dict[str, tuple[Kind, ...]] = {
    "": (
        Kind.SERVICE,
        Kind.SERVICE_ACCOUNT,
        Kind.NAMESPACE,
        Kind.CONFIG_MAP,
        Kind.POD,
        Kind.REPLICATION_CONTROLLER,
    ),
    "apps": (Kind.DEPLOYMENT, Kind.STATEFUL_SET, Kind.DAEMON_SET, Kind.REPLICA_SET),
    "extensions": (Kind.DEPLOYMENT, Kind.DAEMON_SET, Kind.REPLICA_SET),
    "batch": (Kind.JOB, Kind.CRON_JOB),
    "argoproj.io": (Kind.ROLLOUT,),
    "security.istio.io": (Kind.AUTHORIZATION_POLICY, Kind.PEER_AUTHENTICATION, Kind.REQUEST_AUTHENTICATION),
    "networking.istio.io": (
        Kind.VIRTUAL_SERVICE,
        Kind.DESTINATION_RULE,
        Kind.SERVICE_ENTRY,
        Kind.WORKLOAD_ENTRY,
        Kind.WORKLOAD_GROUP,
        Kind.GATEWAY,
        Kind.SIDECAR,
        Kind.PROXY_CONFIG,
        Kind.ENVOY_FILTER,
    ),
    "extensions.istio.io": (Kind.WASM_PLUGIN,),
    "telemetry.istio.io": (Kind.TELEMETRY,),
    "install.istio.io": (Kind.ISTIO_OPERATOR,),
    "sailoperator.io": (Kind.ISTIO,),
    "gateway.networking.k8s.io": (
        Kind.GATEWAY_CLASS,
        Kind.HTTP_ROUTE,
        Kind.GRPC_ROUTE,
        Kind.TCP_ROUTE,
        Kind.TLS_ROUTE,
        Kind.REFERENCE_GRANT,
    ),
}

KINDS: dict[tuple[str, str], Kind] = {
    **{(group, kind.value): kind for group, kinds in _GROUPS.items() for kind in kinds},
    ("gateway.networking.k8s.io", "Gateway"): Kind.KUBE_GATEWAY,
}
"""The kind of each API group and name that is read."""

CLUSTER_WIDE = frozenset((Kind.NAMESPACE, Kind.GATEWAY_CLASS, Kind.ISTIO))
"""Kinds without a namespace."""

WORKLOADS = frozenset(
    (
        Kind.POD,
        Kind.REPLICATION_CONTROLLER,
        Kind.DEPLOYMENT,
        Kind.STATEFUL_SET,
        Kind.DAEMON_SET,
        Kind.REPLICA_SET,
        Kind.JOB,
        Kind.CRON_JOB,
        Kind.ROLLOUT,
    )
)
"""Kinds that make pods."""
