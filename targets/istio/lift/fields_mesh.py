"""What is read of the mesh configuration (MeshConfig), which stands as text in the ConfigMap `istio`."""

from __future__ import annotations

from meshproof.targets.istio.lift.fields import FieldTable, Status
from meshproof.targets.istio.lift.fields_common import METADATA

_READ, _IRRELEVANT, _UNMODELLED = Status.READ, Status.IRRELEVANT, Status.UNMODELLED

INSTALLATION: FieldTable = {
    **METADATA,
    "spec.meshConfig.**": _READ,  # what is read of it is accounted for where it is in force
    "spec.values.meshConfig.**": _READ,
    "spec.values.pilot.env.PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS": _READ,
    "spec.values.pilot.env.**": _UNMODELLED,  # what istiod is told besides
    "spec.components.pilot.k8s.env[].**": _UNMODELLED,
    "spec.values.global.istioNamespace": _UNMODELLED,
    "spec.values.global.meshID": _IRRELEVANT,
    "spec.**": _IRRELEVANT,  # what is installed, and how it runs
}
"""Of the objects of which installers make a mesh."""

_AUTHORIZER: FieldTable = {
    "service": _READ,
    "port": _READ,
    "timeout": _READ,
    "failOpen": _READ,
    "**": _IRRELEVANT,  # what an authorizer is told, and how a refusal looks
}

MESH_CONFIG: FieldTable = {
    "trustDomain": _READ,
    "trustDomainAliases[]": _READ,
    "rootNamespace": _READ,
    "pathNormalization.normalization": _READ,
    "caCertificates[].trustDomains[]": _READ,
    "caCertificates[].**": _IRRELEVANT,
    "extensionProviders[].name": _READ,
    **{
        f"extensionProviders[].{kind}.{name}": status
        for kind in ("envoyExtAuthzHttp", "envoyExtAuthzGrpc")
        for name, status in _AUTHORIZER.items()
    },
    "extensionProviders[].**": _IRRELEVANT,  # of logs, traces and metrics
    "outboundTrafficPolicy.mode": _READ,
    "enableAutoMtls": _READ,
    "defaultConfig.gatewayTopology.numTrustedProxies": _READ,
    "defaultConfig.gatewayTopology.**": _UNMODELLED,
    "defaultConfig.**": _IRRELEVANT,  # how the proxies' processes are run
    **dict.fromkeys(
        (
            "accessLogEncoding",
            "accessLogFile",
            "accessLogFormat",
            "connectTimeout",
            "defaultProviders.**",
            "disableEnvoyListenerLog",
            "dnsRefreshRate",
            "enableEnvoyAccessLogService",
            "enablePrometheusMerge",
            "enableTracing",
            "h2UpgradePolicy",
            "inboundClusterStatName",
            "inboundTrafficPolicy.mode",
            "ingressClass",
            "ingressControllerMode",
            "ingressSelector",
            "ingressService",
            "localityLbSetting.**",
            "meshMTLS.**",
            "outboundClusterStatName",
            "protocolDetectionTimeout",
            "proxyHttpPort",
            "proxyInboundListenPort",
            "proxyListenPort",
            "serviceSettings[].**",
            "tcpKeepalive.**",
            "tlsDefaults.**",
            "verifyCertificateAtClient",
        ),
        _IRRELEVANT,
    ),
    "**": _UNMODELLED,
}
"""Whatever is not listed may matter."""
