"""What is read of Istio's objects of routing and networking, what does not matter, and why."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.targets.istio.lift.fields import FieldTable, Status
from meshproof.targets.istio.lift.fields_common import METADATA
from meshproof.targets.istio.lift.kinds import Kind

_READ, _IRRELEVANT, _UNMODELLED = Status.READ, Status.IRRELEVANT, Status.UNMODELLED


def _below(prefix: str, table: FieldTable) -> FieldTable:
    return {f"{prefix}.{name}": status for name, status in table.items()}


_STRING: FieldTable = {"exact": _READ, "prefix": _READ, "regex": _READ}
_DESTINATION: FieldTable = {"host": _READ, "subset": _READ, "port.number": _READ}
_HEADERS: FieldTable = {
    "request.set.*": _READ,
    "request.add.*": _READ,
    "request.remove[]": _READ,
    "response.**": _IRRELEVANT,  # what comes back decides nothing
}
_SENDER: FieldTable = {
    "port": _READ,
    "sourceLabels.*": _READ,
    "sourceNamespace": _READ,
    "gateways[]": _READ,
}

_HTTP_MATCH: FieldTable = {
    **_SENDER,
    **{
        f"{field}.{name}": status
        for field in ("uri", "method", "authority", "headers.*", "queryParams.*", "withoutHeaders.*")
        for name, status in _STRING.items()
    },
    "headers.*": _READ,
    "queryParams.*": _READ,
    "withoutHeaders.*": _READ,
    "scheme.**": _UNMODELLED,  # a request does not say its scheme
    "ignoreUriCase": _READ,
    "name": _IRRELEVANT,
    "statPrefix": _IRRELEVANT,
}

_HTTP_ROUTE: FieldTable = {
    "name": _IRRELEVANT,
    **_below("match[]", _HTTP_MATCH),
    **_below("route[].destination", _DESTINATION),
    "route[].weight": _READ,
    **_below("route[].headers", _HEADERS),
    **_below("headers", _HEADERS),
    "timeout": _READ,
    "retries.attempts": _READ,
    "retries.perTryTimeout": _READ,
    "retries.retryOn": _READ,
    "retries.**": _IRRELEVANT,  # how long tries wait, and among which endpoints of a destination
    "rewrite.uri": _READ,
    "rewrite.authority": _READ,
    "rewrite.uriRegexRewrite.match": _READ,
    "rewrite.uriRegexRewrite.rewrite": _READ,
    "redirect.**": _READ,
    "directResponse.status": _READ,
    "directResponse.body.**": _IRRELEVANT,
    "delegate.**": _READ,
    "fault.delay.fixedDelay": _READ,
    "fault.delay.percentage.value": _READ,
    "fault.delay.percent": _READ,
    "fault.abort.httpStatus": _READ,
    "fault.abort.percentage.value": _READ,
    "fault.**": _IRRELEVANT,  # forms that are refused or end in the same trouble
    **_below("mirror", _DESTINATION),
    **_below("mirrors[].destination", _DESTINATION),
    "mirrors[].percentage.value": _READ,
    "mirrorPercentage.value": _READ,
    "mirrorPercent": _READ,
    "mirror_percent": _READ,
    "corsPolicy.allowOrigin[]": _READ,
    "corsPolicy.allowOrigins[].**": _READ,
    "corsPolicy.allowMethods[]": _READ,
    "corsPolicy.allowHeaders[]": _READ,
    "corsPolicy.allowCredentials": _READ,
    "corsPolicy.maxAge": _READ,
    "corsPolicy.**": _IRRELEVANT,  # what browsers are told beyond who may read answers
}

_CONNECTION: FieldTable = {
    **_below("match[]", {**_SENDER, "destinationSubnets[]": _READ, "sniHosts[]": _READ, "sourceSubnet": _READ}),
    **_below("route[].destination", _DESTINATION),
    "route[].weight": _READ,
}

VIRTUAL_SERVICE: FieldTable = {
    **METADATA,
    "spec.hosts[]": _READ,
    "spec.gateways[]": _READ,
    "spec.exportTo[]": _READ,
    **_below("spec.http[]", _HTTP_ROUTE),
    **_below("spec.tls[]", _CONNECTION),
    **_below("spec.tcp[]", _CONNECTION),
}

_TRAFFIC_SECTIONS: FieldTable = {
    "tls.mode": _READ,
    "tls.**": _IRRELEVANT,  # which certificates are shown and believed
    "connectionPool.tcp.maxConnections": _READ,
    "connectionPool.http.http1MaxPendingRequests": _READ,
    "connectionPool.http.http2MaxRequests": _READ,
    "connectionPool.**": _IRRELEVANT,  # time limits of connections and the version of HTTP
    "outlierDetection.consecutive5xxErrors": _READ,
    "outlierDetection.consecutiveErrors": _READ,
    "outlierDetection.consecutiveGatewayErrors": _READ,
    "outlierDetection.baseEjectionTime": _READ,
    "outlierDetection.maxEjectionPercent": _READ,
    "outlierDetection.**": _IRRELEVANT,  # which endpoints of a version are left out for a while
    "loadBalancer.simple": _READ,
    "loadBalancer.consistentHash.httpHeaderName": _READ,
    "loadBalancer.**": _IRRELEVANT,  # which endpoint of a version is taken
}
_TRAFFIC: FieldTable = {
    **_TRAFFIC_SECTIONS,
    "portLevelSettings[].port.number": _READ,
    **_below("portLevelSettings[]", _TRAFFIC_SECTIONS),
    "tunnel.**": _UNMODELLED,  # connections go through another proxy
    "proxyProtocol.**": _IRRELEVANT,
    "retryBudget.**": _IRRELEVANT,
}

DESTINATION_RULE: FieldTable = {
    **METADATA,
    "spec.host": _READ,
    "spec.exportTo[]": _READ,
    "spec.workloadSelector.matchLabels.*": _READ,
    "spec.subsets[].name": _READ,
    "spec.subsets[].labels.*": _READ,
    **_below("spec.subsets[].trafficPolicy", _TRAFFIC),
    **_below("spec.trafficPolicy", _TRAFFIC),
}

SERVICE_ENTRY: FieldTable = {
    **METADATA,
    "spec.hosts[]": _READ,
    "spec.ports[].number": _READ,
    "spec.ports[].name": _READ,
    "spec.ports[].protocol": _READ,
    "spec.ports[].targetPort": _READ,
    "spec.location": _READ,
    "spec.exportTo[]": _READ,
    "spec.workloadSelector.labels.*": _READ,
    "spec.endpoints[].address": _READ,
    "spec.endpoints[].**": _IRRELEVANT,  # among which addresses of one host is chosen
    "spec.addresses[]": _IRRELEVANT,  # a request says what was called, not by which address
    "spec.resolution": _IRRELEVANT,
    "spec.subjectAltNames[]": _IRRELEVANT,  # which certificates of the outside are believed
}

WORKLOAD_ENTRY: FieldTable = {
    **METADATA,
    "spec.labels.*": _READ,
    "spec.serviceAccount": _READ,
    "spec.ports.*": _UNMODELLED,  # other ports than those of the ServiceEntry
    "spec.**": _IRRELEVANT,  # where the machine is
}
WORKLOAD_GROUP: FieldTable = {**METADATA, "spec.**": _IRRELEVANT}  # a pattern for entries that do not exist yet

_SERVER_TLS: FieldTable = {
    "mode": _READ,
    "httpsRedirect": _READ,
    "credentialName": _READ,
    "credentialNames[]": _READ,
    "serverCertificate": _READ,
    "caCertificates": _READ,
    "caCertCredentialName": _READ,
    "subjectAltNames[]": _READ,
    "insecureSkipVerify": _READ,
    "**": _IRRELEVANT,  # versions and ciphers of TLS; whom of the outside it believes gives no identity of the mesh
}

GATEWAY: FieldTable = {
    **METADATA,
    "spec.selector.*": _READ,
    "spec.servers[].name": _IRRELEVANT,
    "spec.servers[].bind": _IRRELEVANT,  # at which address of the proxy it listens
    "spec.servers[].defaultEndpoint": _IRRELEVANT,  # no code reads it
    "spec.servers[].hosts[]": _READ,
    "spec.servers[].port.number": _READ,
    "spec.servers[].port.name": _READ,
    "spec.servers[].port.protocol": _READ,
    "spec.servers[].port.targetPort": _IRRELEVANT,  # no code reads it
    **_below("spec.servers[].tls", _SERVER_TLS),
}

SIDECAR: FieldTable = {
    **METADATA,
    "spec.workloadSelector.labels.*": _READ,
    "spec.egress[].hosts[]": _READ,
    "spec.egress[].port.number": _READ,
    "spec.egress[].port.**": _IRRELEVANT,
    "spec.egress[].bind": _UNMODELLED,
    "spec.egress[].captureMode": _UNMODELLED,
    "spec.outboundTrafficPolicy.mode": _READ,
    "spec.outboundTrafficPolicy.egressProxy.**": _UNMODELLED,
    "spec.ingress[].**": _UNMODELLED,  # other ports than those of the Services
    "spec.inboundConnectionPool.**": _IRRELEVANT,
}

NETWORKING: Mapping[Kind, FieldTable] = {
    Kind.VIRTUAL_SERVICE: VIRTUAL_SERVICE,
    Kind.DESTINATION_RULE: DESTINATION_RULE,
    Kind.SERVICE_ENTRY: SERVICE_ENTRY,
    Kind.WORKLOAD_ENTRY: WORKLOAD_ENTRY,
    Kind.WORKLOAD_GROUP: WORKLOAD_GROUP,
    Kind.GATEWAY: GATEWAY,
    Kind.SIDECAR: SIDECAR,
}
"""Tables of Istio's kinds."""
