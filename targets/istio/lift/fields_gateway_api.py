"""What is read of the Gateway API's objects, what does not matter, and why."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.targets.istio.lift.fields import FieldTable, Status
from meshproof.targets.istio.lift.fields_common import METADATA
from meshproof.targets.istio.lift.kinds import Kind

_READ, _IRRELEVANT, _UNMODELLED = Status.READ, Status.IRRELEVANT, Status.UNMODELLED


def _below(prefix: str, table: FieldTable) -> FieldTable:
    return {f"{prefix}.{name}": status for name, status in table.items()}


_PARENTS: FieldTable = {
    "spec.parentRefs[].group": _READ,
    "spec.parentRefs[].kind": _READ,
    "spec.parentRefs[].namespace": _READ,
    "spec.parentRefs[].name": _READ,
    "spec.parentRefs[].sectionName": _READ,
    "spec.parentRefs[].port": _READ,
    "spec.hostnames[]": _READ,
}
_BACKEND: FieldTable = {
    "group": _READ,
    "kind": _READ,
    "namespace": _READ,
    "name": _READ,
    "port": _READ,
    "weight": _READ,
    "filters[].**": _READ,
}
_NAMED: FieldTable = {"type": _READ, "name": _READ, "value": _READ}
_RULES: FieldTable = {
    "name": _IRRELEVANT,
    **_below("matches[].headers[]", _NAMED),
    "filters[].responseHeaderModifier.**": _IRRELEVANT,  # what comes back decides nothing
    "filters[].**": _READ,
    **_below("backendRefs[]", _BACKEND),
    "sessionPersistence.**": _IRRELEVANT,  # which endpoint of a destination is taken
}

HTTP_ROUTE: FieldTable = {
    **METADATA,
    **_PARENTS,
    **_below("spec.rules[]", _RULES),
    "spec.rules[].matches[].path.type": _READ,
    "spec.rules[].matches[].path.value": _READ,
    "spec.rules[].matches[].method": _READ,
    **_below("spec.rules[].matches[].queryParams[]", _NAMED),
    "spec.rules[].timeouts.request": _READ,
    "spec.rules[].timeouts.backendRequest": _READ,
    "spec.rules[].retry.attempts": _READ,
    "spec.rules[].retry.codes[]": _READ,
    "spec.rules[].retry.backoff": _IRRELEVANT,  # how long tries wait
}

GRPC_ROUTE: FieldTable = {
    **METADATA,
    **_PARENTS,
    **_below("spec.rules[]", _RULES),
    "spec.rules[].matches[].method.type": _READ,
    "spec.rules[].matches[].method.service": _READ,
    "spec.rules[].matches[].method.method": _READ,
}

_PLAIN_ROUTE: FieldTable = {
    **METADATA,
    **_PARENTS,
    "spec.rules[].name": _IRRELEVANT,
    **_below("spec.rules[].backendRefs[]", _BACKEND),
}

KUBE_GATEWAY: FieldTable = {
    **METADATA,
    "spec.gatewayClassName": _READ,
    "spec.addresses[].type": _READ,
    "spec.addresses[].value": _READ,
    "spec.infrastructure.labels.*": _READ,
    "spec.infrastructure.**": _IRRELEVANT,
    "spec.listeners[].name": _READ,
    "spec.listeners[].hostname": _READ,
    "spec.listeners[].port": _READ,
    "spec.listeners[].protocol": _READ,
    "spec.listeners[].tls.mode": _READ,
    "spec.listeners[].tls.certificateRefs[].**": _READ,
    "spec.listeners[].tls.frontendValidation.caCertificateRefs[].**": _READ,
    "spec.listeners[].tls.options.gateway.istio.io/tls-terminate-mode": _READ,
    "spec.listeners[].tls.options.**": _UNMODELLED,  # modes of TLS that are Istio's own
    "spec.listeners[].allowedRoutes.**": _READ,
    "spec.backendTLS.**": _IRRELEVANT,
}

GATEWAY_API: Mapping[Kind, FieldTable] = {
    Kind.KUBE_GATEWAY: KUBE_GATEWAY,
    Kind.GATEWAY_CLASS: {**METADATA, "spec.controllerName": _READ, "spec.**": _IRRELEVANT},
    Kind.HTTP_ROUTE: HTTP_ROUTE,
    Kind.GRPC_ROUTE: GRPC_ROUTE,
    Kind.TLS_ROUTE: _PLAIN_ROUTE,
    Kind.TCP_ROUTE: _PLAIN_ROUTE,
    Kind.REFERENCE_GRANT: {**METADATA, "spec.from[].**": _READ, "spec.to[].**": _READ},
}
"""Tables of the Gateway API's kinds."""
