"""What runs in a mesh against what a policy says.

A policy of the language is compared as what it compiles to, read back: that this means the same, but for losses that
are listed, is what every compile proves. So a target's losses are no drift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.backend import registry
from meshproof.compiler.backend.target import CompileOptions, LiftedObject, LiftingTarget, has_errors
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.diffing import Comparison, Side, compare
from meshproof.compiler.driver.inputs import gather, has_objects, no_manifest
from meshproof.compiler.driver.policy import Policy, lift, policy_of_lifted
from meshproof.compiler.driver.versions_apart import with_versions_joined
from meshproof.compiler.report.model_drift import DriftReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from meshproof.compiler.driver.policy import Reading
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

LIVE = "live"


@dataclass(frozen=True, slots=True)
class Expected:
    """What should run: the policy, and the objects that make it so. With errors there are none, and they say why.

    `known` tells which workloads there are. Manifests that show none tell nothing of them. `is_compiled`: the objects
    are what a policy compiles to.
    """

    side: Side
    objects: tuple[LiftedObject, ...]
    known: Mesh | None
    diagnostics: tuple[Diagnostic, ...] = ()
    is_compiled: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """What runs: the policy that live objects make, and the objects. `known` is as that of `Expected`."""

    side: Side
    objects: tuple[LiftedObject, ...]
    known: Mesh | None


def expected_of(side: Side, options: CompileOptions) -> Expected:
    """What manifests mean, or what the policy compiles to, with the objects."""
    target = registry.load(Origin.ISTIO.value)
    assert isinstance(target, LiftingTarget)
    mesh = side.policy.meshes[0]
    if side.policy.origin is not Origin.MESH:
        read = lift(side.policy.manifests, side.policy.settings, origin=side.policy.origin)
        return Expected(side, read.objects, mesh if read.has_workloads else None)
    lowered = target.lower(mesh, options)
    if has_errors(lowered.diagnostics):
        return Expected(side, (), mesh, lowered.diagnostics)
    artifacts = tuple(one for one in target.emit(lowered) if one.path.endswith(".yaml"))
    lifted = target.lift(artifacts, options, mesh)
    return Expected(Side(side.name, policy_of_lifted(lifted)), lifted.objects, mesh, is_compiled=True)


def read_live(place: Path | None, stdin: str | None, reading: Reading, known: Mesh | None) -> Live:
    """The live objects of a folder or file, or of a list on stdin.

    If they show no workloads, those of `known` are taken for the ones that run. With none there either, both sides
    are read in the same way, from what their policies select: workloads of one side alone would be a difference.
    """
    places = [] if place is None else [place]
    inputs = gather(places, stdin, reading.limits.max_file_bytes, Origin.ISTIO)
    if not has_objects(inputs.manifests):
        problems = inputs.diagnostics or (no_manifest(places),)
        return Live(Side(LIVE, Policy((), (), {}, problems, Origin.ISTIO)), (), None)
    lifted = lift(inputs.manifests, reading.settings)
    shown = lifted.mesh if lifted.has_workloads else None
    if shown is None and known is not None:
        lifted = lift(inputs.manifests, reading.settings, known)
    return Live(Side(LIVE, policy_of_lifted(lifted, inputs.diagnostics)), lifted.objects, shown)


def drift(expected: Expected, live: Live, comparison: Comparison) -> DriftReport:
    """What differs between the two, both of which can be judged."""
    wanted, running = _by_name(expected.objects), _by_name(live.objects)
    difference = compare(*_alike(_where_it_runs(expected, live), live.side), comparison)
    if expected.is_compiled and live.known is not None:
        difference = replace(difference, silent=())  # what is known of workloads is written otherwise in each statement
    return DriftReport(
        difference=difference,
        missing=tuple(wanted[key] for key in sorted(wanted.keys() - running.keys())),
        foreign=tuple(running[key] for key in sorted(running.keys() - wanted.keys())),
        tried=tuple(
            running[key] for key in sorted(running) if running[key].is_tried and not _is_tried(wanted.get(key))
        ),
    )


def _where_it_runs(expected: Expected, live: Live) -> Side:
    """What should run, at the workloads that run if what should run shows none."""
    if expected.known is not None or live.known is None:
        return expected.side
    policy = expected.side.policy
    return Side(expected.side.name, policy_of_lifted(lift(policy.manifests, policy.settings, live.known)))


def _alike(wanted: Side, running: Side) -> tuple[Side, Side]:
    """Both sides with the same workloads for the same services, and callers seen alike where gateways see nobody."""
    from meshproof.compiler.express import seen_alike  # noqa: PLC0415  it loads what writes policies
    from meshproof.compiler.verify.correspondence import by_place  # noqa: PLC0415  with what solves

    live = with_versions_joined(running.policy, wanted.policy)
    (old,), (new,) = wanted.policy.meshes, live.meshes
    seen = seen_alike(new, old, by_place(old, new).to_old)
    return replace(wanted, policy=replace(wanted.policy, meshes=(seen,))), replace(running, policy=live)


def _is_tried(one: LiftedObject | None) -> bool:
    return one is not None and one.is_tried


def _by_name(objects: Iterable[LiftedObject]) -> dict[tuple[str, str, str], LiftedObject]:
    return {(one.kind, one.namespace, one.name): one for one in objects}
