"""Policies that select nothing: they are applied without a complaint, and do nothing."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from meshproof.dsl.diagnostic import Label, Severity
from meshproof.targets.istio.lift.findings import UNKNOWN_WORKLOAD, LiftFindings
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.mesh_settings import MeshSettings
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.selection import attachment_of
from meshproof.targets.istio.lift.workloads import Workload

POLICIES = (Kind.AUTHORIZATION_POLICY, Kind.PEER_AUTHENTICATION, Kind.REQUEST_AUTHENTICATION)
_MOST = 4
_CLOSE = 0.8


def report_dangling(
    workloads: tuple[Workload, ...], objects: ObjectIndex, settings: MeshSettings, findings: LiftFindings
) -> None:
    """A finding for the policies of a namespace that select no workload that a file makes, where files make others.

    One whose labels are almost those of a workload is most likely misspelt, and is a finding of its own. Where the
    files make no workloads, nothing can be said.
    """
    made = tuple(one for one in workloads if not one.is_inferred)
    lost: dict[str, list[KubeObject]] = {}
    for policy in (one for kind in POLICIES for one in objects.of(kind)):
        labels = attachment_of(policy).labels
        namespace = None if policy.namespace == settings.root_namespace else policy.namespace
        nearby = [one for one in (workloads if namespace is None else made) if namespace in {None, one.namespace}]
        if not labels or not nearby or any(one.has_labels(labels) for one in nearby):
            continue
        close = _meant(labels, nearby)
        if close is None:
            lost.setdefault(policy.namespace, []).append(policy)
        else:
            _report_misspelt(policy, close, findings)
    for policies in lost.values():
        _report_lost(policies, findings)


def _meant(labels: Iterable[tuple[str, str]], nearby: Iterable[Workload]) -> tuple[str, str] | None:
    """The label of a workload that is almost one of these, while all others are there; None if there is none."""
    for workload in nearby:
        missing = [pair for pair in labels if pair not in workload.labels]
        if len(missing) == 1:
            key, value = missing[0]
            there = {f"{own}={text}": (own, text) for own, text in workload.labels if own == key or text == value}
            near = get_close_matches(f"{key}={value}", there, n=1, cutoff=_CLOSE)
            if near:
                return there[near[0]]
    return None


def _report_misspelt(policy: KubeObject, close: tuple[str, str], findings: LiftFindings) -> None:
    message = f"{policy.kind} `{policy.full_name}` selects nothing: no workload has `{_written(policy)}`"
    advice = f"write `{close[0]}: {close[1]}`, which a workload has; a policy that selects nothing does nothing"
    findings.add(UNKNOWN_WORKLOAD, message, policy.full_name, policy.origin, advice=advice)


def _report_lost(policies: list[KubeObject], findings: LiftFindings) -> None:
    first, *others = policies
    written = [f"`{text}`" for text in dict.fromkeys(map(_written, policies))]
    more = f" and {len(written) - _MOST} more" if len(written) > _MOST else ""
    count = f"{len(policies)} policies" if others else f"{first.kind} `{first.full_name}`"
    message = (
        f"{count} of namespace `{first.namespace}` select{'' if others else 's'} pods that no file makes: "
        f"{', '.join(written[:_MOST])}{more}"
    )
    findings.add(
        UNKNOWN_WORKLOAD,
        message,
        first.full_name,
        first.origin,
        label="selects nothing that is here",
        others=tuple(Label(one.origin.span, "nor does this") for one in others),
        advice="add the files that make these pods, so that the labels can be compared",
        severity=Severity.INFO,
    )


def _written(policy: KubeObject) -> str:
    return ", ".join(f"{key}={value}" for key, value in attachment_of(policy).labels)
