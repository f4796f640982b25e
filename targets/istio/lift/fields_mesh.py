"""What is read of the mesh configuration (MeshConfig), which stands as text in the ConfigMap `istio`."""

from __future__ import annotations

from meshproof.targets.istio.lift.fields import FieldTable, Status

_READ, _IRRELEVANT, _UNMODELLED = Status.READ, Status.IRRELEVANT, Status.UNMODELLED

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
