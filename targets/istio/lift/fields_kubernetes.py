"""What is read of Kubernetes' own objects: which pods there are, in whose name, and what their ports speak."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.targets.istio.lift.fields import FieldTable, Status
from meshproof.targets.istio.lift.fields_common import METADATA
from meshproof.targets.istio.lift.kinds import WORKLOADS, Kind

_READ, _IRRELEVANT = Status.READ, Status.IRRELEVANT

_POD_METADATA: FieldTable = {
    "labels.*": _READ,
    "annotations.'inject.istio.io/templates'": _READ,
    "annotations.'sidecar.istio.io/inject'": _READ,
    "annotations.'sidecar.istio.io/status'": _READ,
    "annotations.'traffic.sidecar.istio.io/includeInboundPorts'": _READ,
    "annotations.'traffic.sidecar.istio.io/excludeInboundPorts'": _READ,
    "annotations.'proxy.istio.io/config'": _READ,
    "**": _IRRELEVANT,
}
_POD_SPEC: FieldTable = {
    "serviceAccountName": _READ,
    "serviceAccount": _READ,
    "hostNetwork": _READ,
    "containers[].args[]": _READ,
    "containers[].ports[].name": _READ,
    "containers[].ports[].containerPort": _READ,
    "initContainers[].ports[].name": _READ,
    "initContainers[].ports[].containerPort": _READ,
    "**": _IRRELEVANT,  # images, volumes, resources, scheduling
}

_BEFORE_TEMPLATE: dict[Kind, str] = {
    Kind.POD: "",
    Kind.CRON_JOB: "spec.jobTemplate.spec.template.",
}


def _pods_of(kind: Kind) -> FieldTable:
    prefix = _BEFORE_TEMPLATE.get(kind, "spec.template.")
    return {
        **METADATA,
        "spec.**": _IRRELEVANT,  # replicas, strategies, selectors that only count the pods
        **{f"{prefix}metadata.{name}": status for name, status in _POD_METADATA.items()},
        **{f"{prefix}spec.{name}": status for name, status in _POD_SPEC.items()},
    }


SERVICE: FieldTable = {
    **METADATA,
    "metadata.annotations.'networking.istio.io/exportTo'": _READ,
    "spec.selector.*": _READ,
    "spec.type": _READ,
    "spec.ports[].name": _READ,
    "spec.ports[].port": _READ,
    "spec.ports[].targetPort": _READ,
    "spec.ports[].protocol": _READ,
    "spec.ports[].appProtocol": _READ,
    "spec.**": _IRRELEVANT,  # addresses, node ports, traffic policies: ways to the same pods
}

KUBERNETES: Mapping[Kind, FieldTable] = {
    **{kind: _pods_of(kind) for kind in WORKLOADS},
    Kind.SERVICE: SERVICE,
    Kind.SERVICE_ACCOUNT: {**METADATA, "**": _IRRELEVANT},  # an identity is there by its name
    Kind.NAMESPACE: {**METADATA, "spec.**": _IRRELEVANT},
    Kind.CONFIG_MAP: {
        **METADATA,
        "data.mesh": _READ,
        "data.**": _IRRELEVANT,
        "binaryData.**": _IRRELEVANT,
        "immutable": _IRRELEVANT,
    },
}
