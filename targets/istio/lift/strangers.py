"""Objects of files that were emitted for a policy which are for pods that the policy does not declare.

Those are not under the policy, so nothing that is emitted may change what they do, but that a closed namespace refuses
everything there.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import attachment_of
from meshproof.targets.istio.lift.values import items, pairs, text

_SELECTING = (Kind.AUTHORIZATION_POLICY, Kind.PEER_AUTHENTICATION, Kind.REQUEST_AUTHENTICATION)


def for_strangers(context: LiftContext) -> Iterator[str]:
    """Each of them, as it is told."""
    for kind in _SELECTING:
        for one in context.objects.of(kind):
            labels = attachment_of(one).labels
            is_for_nobody = bool(labels) and not context.selected(labels, one.namespace)
            if is_for_nobody or (not labels and not _is_closing(one)):
                yield f"{kind} {one.full_name}, for pods that are not declared,"
    for one in context.objects.of(Kind.SIDECAR):
        labels = pairs(one.spec.at("workloadSelector", "labels"))
        if not labels or not context.selected(labels, one.namespace):
            yield f"{one.kind} {one.full_name}, for pods that are not declared,"
    for one in context.objects.of(Kind.GATEWAY):
        labels = pairs(one.spec.get("selector"))
        if not any(workload.has_labels(labels) for workload in context.gateways):
            yield f"{one.kind} {one.full_name}, for pods that are not declared,"


def _is_closing(one: KubeObject) -> bool:
    """Whether all that it does is to let nobody in, or nobody without an identity: that is compared by namespaces."""
    if one.kind is Kind.PEER_AUTHENTICATION:
        return True
    is_allowing = (text(one.spec.get("action")) or "ALLOW") == "ALLOW"
    return one.kind is Kind.AUTHORIZATION_POLICY and is_allowing and not items(one.spec.get("rules"))
