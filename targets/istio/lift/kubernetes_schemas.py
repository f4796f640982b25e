"""The types of what is read of Kubernetes' own objects: it refuses a label that is a number, or a namespace `n`."""

from __future__ import annotations

from functools import cache

from meshproof.targets.istio.lift.kinds import WORKLOADS, Kind
from meshproof.targets.istio.lift.structure import Schema

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_METADATA = _object(
    name=_TEXT,
    namespace=_TEXT,
    labels=_TEXTS,
    annotations=_TEXTS,
    creationTimestamp=_TEXT,
    ownerReferences=_list(_object(kind=_TEXT, name=_TEXT)),
)
_CONTAINERS = _list(_object(args=_list(_TEXT), ports=_list(_object(name=_TEXT, containerPort=_NUMBER, protocol=_TEXT))))
_POD_SPEC = _object(
    serviceAccountName=_TEXT,
    serviceAccount=_TEXT,
    hostNetwork={"type": "boolean"},
    containers=_CONTAINERS,
    initContainers=_CONTAINERS,
)
_TEMPLATE = _object(metadata=_METADATA, spec=_POD_SPEC)
_PORT = _object(
    name=_TEXT,
    port=_NUMBER,
    protocol=_TEXT,
    appProtocol=_TEXT,
    targetPort={"anyOf": [_NUMBER, _TEXT]},
)
_SPECS: dict[Kind, Schema] = {
    Kind.POD: _POD_SPEC,
    Kind.CRON_JOB: _object(jobTemplate=_object(spec=_object(template=_TEMPLATE))),
    Kind.SERVICE: _object(selector=_TEXTS, type=_TEXT, ports=_list(_PORT)),
}


@cache
def kubernetes_schema(kind: Kind) -> Schema:
    """The schema of what is read of an object; everything else may be as it likes."""
    spec = _SPECS.get(kind, _object(template=_TEMPLATE) if kind in WORKLOADS else {"type": "object"})
    return _object(metadata=_METADATA, spec=spec, data={"type": "object"})
