"""Namespaces whose workloads refuse everything unless a policy names them."""

from __future__ import annotations

from meshproof.compiler.ir.entities import Namespace
from meshproof.compiler.ir.names import Origin
from meshproof.targets.istio.lift.admission import DRY_RUN, Verdict
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import attachment_of
from meshproof.targets.istio.lift.values import items, text


def lift_namespaces(context: LiftContext, verdicts: dict[KubeObject, Verdict]) -> tuple[Namespace, ...]:
    """Every namespace of an object or workload, by name; closed is what a policy for all of its pods closes."""
    places: dict[str, Origin] = {}
    for one in context.objects.objects:
        name = one.name if one.kind is Kind.NAMESPACE else one.namespace
        if name:
            places.setdefault(name, one.origin)
    for workload in context.workloads:
        places.setdefault(workload.namespace, workload.origin)
    root = context.settings.root_namespace
    general = [one for one in context.objects.of(Kind.AUTHORIZATION_POLICY) if _is_general(one)]
    found: list[Namespace] = []
    for name in sorted(places):
        policies = [one for one in general if one.namespace in {name, root}]
        found.append(Namespace(name, places[name], is_closed=_is_closed(policies, verdicts)))
    return tuple(found)


def _is_general(policy: KubeObject) -> bool:
    """Whether the policy allows, in earnest, at all pods of its namespace."""
    attachment = attachment_of(policy)
    is_dry = dict(policy.annotations).get(DRY_RUN) is not None
    action = text(policy.spec.get("action")) or "ALLOW"
    return action == "ALLOW" and not is_dry and not attachment.labels and not attachment.targets


def _is_closed(policies: list[KubeObject], verdicts: dict[KubeObject, Verdict]) -> bool:
    return bool(policies) and not any(items(one.spec.get("rules")) or one in verdicts for one in policies)
