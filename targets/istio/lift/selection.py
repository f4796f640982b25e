"""Which policies apply to which workloads (pilot/pkg/model/policyattachment.go)."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import mappings, pairs, text
from meshproof.targets.istio.lift.workloads import Role, Workload

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""The label of the pods that Istio makes for a `Gateway` of the Gateway API."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a `targetRef` names; always in the namespace of the policy."""

    group: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a policy is attached to: targets, or pods with labels (no labels: all pods)."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    targets: tuple[Target, ...]


def attachment_of(policy: KubeObject) -> Attachment:
    """The attachment that the policy says."""
    spec = policy.spec
    single = spec.get("targetRef")
    written = (single,) if isinstance(single, MapNode) else mappings(spec.get("targetRefs"))
    labels = pairs(spec.at("selector", "matchLabels"))
    if policy.kind is Kind.ENVOY_FILTER:
        labels = pairs(spec.at("workloadSelector", "labels"))
    return Attachment(policy.namespace, labels, tuple(map(_target, written)))


def _target(one: MapNode) -> Target:
    return Target(text(one.get("group")) or "", text(one.get("kind")) or "", text(one.get("name")) or "")


def applies(attachment: Attachment, workload: Workload, root_namespace: str) -> bool:
    """Whether a policy with this attachment is in force at the workload's own proxy.

    A policy of the root namespace is for all namespaces. Targets are for gateways of the Gateway API and for waypoints;
    a waypoint heeds nothing else.
    """
    if workload.membership is Membership.OUTSIDE:
        return False
    gateway = workload.label(GATEWAY_NAME)
    if workload.role is Role.WAYPOINT:
        return any(_is_waypoint_target(target, attachment, workload, root_namespace) for target in attachment.targets)
    if attachment.targets:
        is_near = gateway is not None and attachment.namespace == workload.namespace
        return is_near and any(target.kind == "Gateway" and target.name == gateway for target in attachment.targets)
    is_in_reach = attachment.namespace in {workload.namespace, root_namespace}
    return is_in_reach and workload.has_labels(attachment.labels)


def _is_waypoint_target(target: Target, attachment: Attachment, workload: Workload, root_namespace: str) -> bool:
    if target.kind == "GatewayClass":
        return target.name == "istio-waypoint" and attachment.namespace == root_namespace
    is_near = attachment.namespace == workload.namespace
    return target.kind == "Gateway" and is_near and target.name == workload.label(GATEWAY_NAME)
