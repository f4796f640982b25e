"""Policies that are tried and decide nothing."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Label
from meshproof.targets.istio.lift.admission import DRY_RUN
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import DRY
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))


def notice_dry_runs(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """One finding for all policies with the annotation."""
    dry = [one for one in context.objects.of(Kind.AUTHORIZATION_POLICY) if one not in refused and is_dry_run(one)]
    if dry:
        first, *others = dry
        what = f"`{first.full_name}` is a dry run, and decides nothing"
        if others:
            what = f"`{first.full_name}` and {len(others)} more are dry runs, and decide nothing"
        labels = tuple(Label(one.origin.span, "and this") for one in others)
        advice = f"take the annotation `{DRY_RUN}` away once the logs show what was expected"
        context.findings.add(
            DRY, f"AuthorizationPolicy {what}", first.full_name, first.origin, advice=advice, others=labels
        )


def is_dry_run(policy: KubeObject) -> bool:
    """Whether the policy is tried alone: what Go reads as true, and nothing else."""
    return dict(policy.annotations).get(DRY_RUN) in _TRUE
