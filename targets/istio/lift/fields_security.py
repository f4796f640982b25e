"""What is read of the objects that decide about requests."""

from __future__ import annotations

from meshproof.targets.istio.lift.fields import FieldTable, Status
from meshproof.targets.istio.lift.fields_common import METADATA

_READ, _IRRELEVANT, _UNMODELLED = Status.READ, Status.IRRELEVANT, Status.UNMODELLED

_ATTACHMENT: FieldTable = {
    "spec.selector.matchLabels.*": _READ,
    "spec.targetRef.*": _READ,
    "spec.targetRefs[].*": _READ,
}

AUTHORIZATION_POLICY: FieldTable = {
    **METADATA,
    **_ATTACHMENT,
    "metadata.annotations.'istio.io/dry-run'": _READ,
    "spec.action": _READ,
    "spec.provider.name": _READ,
    "spec.rules[].from[].source.*[]": _READ,  # the schema lists their names
    "spec.rules[].to[].operation.*[]": _READ,
    "spec.rules[].when[].key": _READ,
    "spec.rules[].when[].values[]": _READ,
    "spec.rules[].when[].notValues[]": _READ,
}

PEER_AUTHENTICATION: FieldTable = {
    **METADATA,
    "spec.selector.matchLabels.*": _READ,
    "spec.mtls.mode": _READ,
    "spec.portLevelMtls.*.mode": _READ,
}

REQUEST_AUTHENTICATION: FieldTable = {
    **METADATA,
    **_ATTACHMENT,
    "spec.jwtRules[].issuer": _READ,
    "spec.jwtRules[].audiences[]": _READ,
    "spec.jwtRules[].jwksUri": _READ,
    "spec.jwtRules[].jwks_uri": _READ,
    "spec.jwtRules[].jwks": _READ,
    "spec.jwtRules[].fromHeaders[].name": _READ,
    "spec.jwtRules[].fromHeaders[].prefix": _IRRELEVANT,  # a request says which token it brings, wherever it stands
    "spec.jwtRules[].fromParams[]": _READ,
    "spec.jwtRules[].fromCookies[]": _READ,
    "spec.jwtRules[].forwardOriginalToken": _READ,
    "spec.jwtRules[].outputPayloadToHeader": _READ,  # conditions on that header are not modelled
    "spec.jwtRules[].outputClaimToHeaders[].header": _READ,
    "spec.jwtRules[].outputClaimToHeaders[].claim": _IRRELEVANT,
    "spec.jwtRules[].spaceDelimitedClaims[]": _READ,
    "spec.jwtRules[].timeout": _IRRELEVANT,  # of fetching keys; without keys no token is valid
    "spec.jwtRules[].presence": _IRRELEVANT,  # no code reads it: REQUIRED demands nothing
}

ENVOY_FILTER: FieldTable = {
    **METADATA,
    "spec.workloadSelector.labels.*": _READ,
    "spec.targetRefs[].*": _READ,
    "spec.priority": _IRRELEVANT,
    "spec.configPatches[].**": _UNMODELLED,
}

WASM_PLUGIN: FieldTable = {**METADATA, **_ATTACHMENT, "spec.**": _UNMODELLED}

TELEMETRY: FieldTable = {**METADATA, "spec.**": _IRRELEVANT}  # what is logged, measured and traced

PROXY_CONFIG: FieldTable = {**METADATA, "spec.**": _IRRELEVANT}  # threads, images and variables of the proxies
