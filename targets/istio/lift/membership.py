"""Whether pods are part of the mesh: a sidecar, the node's proxy (ambient), or nothing at all."""

from __future__ import annotations

from enum import StrEnum

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import ObjectIndex
from meshproof.targets.istio.lift.values import flag, mapping, pairs, text

_SYSTEM = frozenset(("kube-system", "kube-public", "kube-node-lease", "local-path-storage"))
"""Namespaces that Istio's injector never looks at."""


class Membership(StrEnum):
    """How a workload takes part. `ASSUMED`: no file says so, and nothing speaks against a sidecar."""

    SIDECAR = "sidecar"
    ASSUMED = "assumed"
    AMBIENT = "ambient"
    OUTSIDE = "outside"


def membership_of(objects: ObjectIndex, namespace: str, metadata: MapNode, spec: MapNode) -> Membership:
    """Of pods with these metadata and this spec, by the rules of Istio's injector (injection policy of the webhook).

    The label of the pod wins over the annotation, and both over the namespace. Pods in the host's network, and those
    of the system's namespaces, are never in the mesh.
    """
    labels, annotations = dict(pairs(metadata.get("labels"))), dict(pairs(metadata.get("annotations")))
    if flag(spec.get("hostNetwork")) or namespace in _SYSTEM:
        return Membership.OUTSIDE
    if text(mapping(metadata.get("annotations")).get("sidecar.istio.io/status")) is not None:
        return Membership.SIDECAR
    own = labels.get("sidecar.istio.io/inject", annotations.get("sidecar.istio.io/inject"))
    area = _namespace_labels(objects, namespace)
    ambient = labels.get("istio.io/dataplane-mode", (area or {}).get("istio.io/dataplane-mode"))
    if own == "true" or "istio.io/rev" in labels:
        return Membership.SIDECAR
    is_named_by_namespace = area is not None and (area.get("istio-injection") == "enabled" or "istio.io/rev" in area)
    if own == "false":
        return Membership.AMBIENT if ambient == "ambient" else Membership.OUTSIDE
    if is_named_by_namespace:
        return Membership.SIDECAR
    if ambient == "ambient":
        return Membership.AMBIENT
    is_refused = area is not None and area.get("istio-injection") == "disabled"
    return Membership.OUTSIDE if is_refused else Membership.ASSUMED


def _namespace_labels(objects: ObjectIndex, namespace: str) -> dict[str, str] | None:
    """The labels of the namespace; None where no file has it."""
    found = objects.get(Kind.NAMESPACE, "", namespace)
    return None if found is None else dict(found.labels)
