"""Policies that are attached to something whose proxies do not heed them, and workloads called past their waypoint."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.dsl.diagnostic import Label
from meshproof.targets.istio.lift.ambient import USE_WAYPOINT, waypoint_of
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import BYPASSED, UNHEEDED
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.notices.dry_run import is_dry_run
from meshproof.targets.istio.lift.notices.naming import named
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import Target, attachment_of
from meshproof.targets.istio.lift.values import text
from meshproof.targets.istio.lift.workloads import Role, Workload

_POLICIES = (Kind.AUTHORIZATION_POLICY, Kind.REQUEST_AUTHENTICATION)


def notice_waypoints(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each policy that nothing heeds, and one for each waypoint that callers may pass by."""
    for policy in (one for kind in _POLICIES for one in context.objects.of(kind) if one not in refused):
        for message, advice in (*_targeted(policy, context), *_selecting_waypoints(policy, context)):
            context.findings.add(
                UNHEEDED,
                f"{policy.kind} `{policy.full_name}` {message}",
                policy.full_name,
                policy.origin,
                advice=advice,
            )
    _notice_bypassed(context, refused)


def _targeted(policy: KubeObject, context: LiftContext) -> Iterator[tuple[str, str]]:
    """A Service as a target is for its waypoint alone: sidecars and the proxies of nodes pass over such a policy."""
    targets = [target for target in attachment_of(policy).targets if target.kind == "Service"]
    for target in targets:
        behind = context.behind(policy.namespace, target.name)
        if behind and all(_is_without(one, target, context) for one in behind):
            names = named(one.name for one in behind)
            what = f"is attached to Service `{target.name}`, which has no waypoint: nothing before {names} heeds it"
            yield what, f"select the pods with `selector`, or label the Service with `{USE_WAYPOINT}`"


def _is_without(workload: Workload, target: Target, context: LiftContext) -> bool:
    found = context.services.get(workload.namespace, target.name)
    is_labelled = found is not None and USE_WAYPOINT in dict(found.source.labels)
    return workload.membership is not Membership.AMBIENT or not (is_labelled or waypoint_of(workload, context.objects))


def _selecting_waypoints(policy: KubeObject, context: LiftContext) -> Iterator[tuple[str, str]]:
    """A waypoint heeds what is attached to it with `targetRefs`, and nothing else."""
    attachment = attachment_of(policy)
    if not attachment.labels:
        return
    selected = context.selected(attachment.labels, policy.namespace)
    if selected and all(one.role is Role.WAYPOINT for one in selected):
        names = named(one.name for one in selected)
        yield f"selects the waypoint {names}, which heeds `targetRefs` alone", "attach it with `targetRefs`"


def _notice_bypassed(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """Who calls a pod by its address does not pass its waypoint; then what selects the pod is all that is asked."""
    guarded = {
        workload.name
        for policy in context.objects.of(Kind.AUTHORIZATION_POLICY)
        if policy not in refused and _is_allowing(policy)
        for workload in in_force_at(policy, context)
    }
    passed: dict[str, list[Workload]] = {}
    for workload in context.workloads:
        if workload.membership is Membership.AMBIENT and workload.name not in guarded:
            waypoint = waypoint_of(workload, context.objects)
            if waypoint is not None:
                passed.setdefault(waypoint, []).append(workload)
    for waypoint, workloads in passed.items():
        first, *others = workloads
        names = named(one.name for one in workloads)
        context.findings.add(
            BYPASSED,
            f"callers of {names} may pass the waypoint `{waypoint}` by: nothing that selects the pods refuses them",
            first.name,
            first.origin,
            label="may be called by its address",
            others=tuple(Label(one.origin.span, "so may this") for one in others),
            advice="add an AuthorizationPolicy with `selector` that allows the waypoint's account alone",
        )


def _is_allowing(policy: KubeObject) -> bool:
    return (text(policy.spec.get("action")) or "ALLOW") == "ALLOW" and not is_dry_run(policy)
