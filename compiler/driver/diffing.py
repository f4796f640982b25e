"""Comparing two policies, wherever each comes from: files and folders, revisions of git, manifests of a mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.collecting import uncollected
from meshproof.compiler.driver.environments import not_chosen
from meshproof.compiler.driver.judge import names_of
from meshproof.compiler.driver.policy import Policy, Reading, read_policy
from meshproof.compiler.driver.revisions import Revision, find_revision, laid_down, path_named
from meshproof.compiler.driver.versions_apart import with_versions_joined
from meshproof.compiler.ir.mtls import MtlsMode, PortScope
from meshproof.compiler.report.honesty import remarks
from meshproof.compiler.report.model_diff import DiffReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.predicate import Opaque
    from meshproof.compiler.verify.semantic_diff import DiffOptions
    from meshproof.compiler.verify.semantic_diff_values import SemanticDiff
    from meshproof.dsl.source import SourceFile


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: what it was called, and the policy that was read. `revision` is None for a path."""

    name: str
    policy: Policy
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two sides are compared. With `by_workload` a declared caller is the same whatever its identity is."""

    day: date
    timeout_ms: int = 10_000
    audit_as_enforced: bool = False
    by_workload: bool = False


def read_sides(old: str, new: str, reading: Reading) -> tuple[Side, Side]:
    """Both sides as they were named: a path that is there, else a revision of git; `git:` in front is a revision.

    Raises RevisionError.
    """
    return _read(old, new, reading), _read(new, old, reading)


def _read(name: str, other: str, reading: Reading) -> Side:
    path = path_named(name)
    if path is not None:
        return Side(name, _in_environment(path, reading))
    revision = find_revision(name, Path.cwd(), other)
    with laid_down(revision, reading.limits) as place:
        return Side(name, _in_environment(place, reading), revision)


def _in_environment(path: Path, reading: Reading) -> Policy:
    """The policy in the environment that was asked for, or in its only one if it declares none."""
    policy = read_policy([path], reading)
    if reading.environment is None:
        return not_chosen(policy) if policy.is_judgeable and policy.environments else policy
    if not policy.is_judgeable:
        plain = read_policy([path], replace(reading, environment=None))
        return plain if plain.is_judgeable and not plain.environments else policy
    return policy


@uncollected()
def compare(old: Side, new: Side, comparison: Comparison) -> DiffReport:
    """What differs between two policies that can be judged, each in one environment."""
    from meshproof.compiler.driver.diff_report import with_found  # noqa: PLC0415  it loads z3
    from meshproof.compiler.verify.semantic_diff import semantic_diff  # noqa: PLC0415  the same

    old, new = _with_versions_joined(old, new)
    meshes = (old.policy.meshes[0], new.policy.meshes[0])
    found = semantic_diff(*meshes, comparison.day, _options(old, new, comparison))
    if old.policy.origin is not new.policy.origin:
        found = replace(found, silent=())  # no statement of the one is a statement of the other
    report = DiffReport(
        old=old.name,
        new=new.name,
        policy=new.policy.name,
        day=comparison.day,
        environment=meshes[1].environment or meshes[0].environment,
        identities=names_of((meshes[1], meshes[0])),
        old_sources=old.policy.sources,
        new_sources=new.policy.sources,
    )
    others = (*_identity_notes(*meshes, comparison), *_gateway_notes(*meshes, found))
    notes = (*_honesty_notes(*meshes), *found.notes, *others)
    return with_found(report, replace(found, notes=notes))


def _honesty_notes(old: Mesh, new: Mesh) -> Iterator[str]:
    """Sides of which nobody enforces what they refuse: what is newly denied there is not kept out."""
    for word, mesh in (("old", old), ("new", new)):
        yield from (f"the {word} side is {one}" for one in remarks(mesh.judgement))


def _gateway_notes(old: Mesh, new: Mesh, found: SemanticDiff) -> Iterator[str]:
    """Gateways of files at which nobody shows an identity, and that let in whom a policy lets in without one."""
    if old.is_lifted is new.is_lifted:
        return
    nameless = {
        statement.scope.service
        for mesh in (old, new)
        for statement in mesh.mtls
        if mesh.is_lifted and statement.mode is MtlsMode.DISABLED and isinstance(statement.scope, PortScope)
    }
    for gateway in new.gateways if new.is_lifted else old.gateways:
        regions = found.newly_allowed if new.is_lifted else found.newly_denied
        if gateway.name in nameless and any(
            gateway.name in {place.old, place.new} for one in regions for place in one.places
        ):
            yield (
                f"`{gateway.name}` asks callers for no certificate: whoever has an identity does not show it there, and"
                " is to the policy who comes as `internet`"
            )


def _with_versions_joined(old: Side, new: Side) -> tuple[Side, Side]:
    """Both sides, with the versions that manifests run apart as the services that the other side declares."""
    if Origin.MESH is old.policy.origin is not new.policy.origin:
        return old, replace(new, policy=with_versions_joined(new.policy, old.policy))
    if Origin.MESH is new.policy.origin is not old.policy.origin:
        return replace(old, policy=with_versions_joined(old.policy, new.policy)), new
    return old, new


def _identity_notes(old: Mesh, new: Mesh, comparison: Comparison) -> Iterator[str]:
    """Callers that are compared by identity and have another one now, which makes them two callers."""
    if comparison.by_workload:
        return
    known = {service.name: service.identity for service in old.services}
    for service in new.services:
        identity = known.get(service.name)
        if identity is not None and identity != service.identity:
            yield (
                f"`{service.name}` is `{service.identity.uri}` now, not `{identity.uri}`: these are two callers, unless"
                " they are compared with `--callers workload`"
            )


def _options(old: Side, new: Side, comparison: Comparison) -> DiffOptions:
    from meshproof.compiler.verify.correspondence import by_place  # noqa: PLC0415  with what solves
    from meshproof.compiler.verify.semantic_diff import CallersBy, DiffOptions  # noqa: PLC0415  it loads z3

    is_lifted = Origin.MESH not in {old.policy.origin, new.policy.origin} or old.policy.origin != new.policy.origin
    meshes = (old.policy.meshes[0], new.policy.meshes[0])
    return DiffOptions(
        timeout_ms=comparison.timeout_ms,
        audit_as_enforced=comparison.audit_as_enforced,
        correspondence=by_place(*meshes) if is_lifted else None,
        callers_by=CallersBy.WORKLOAD if comparison.by_workload else CallersBy.IDENTITY,
        opaque_key=_OpaqueKey((old.policy.sources, new.policy.sources)),
        has_defaults=old.policy.origin is new.policy.origin,
    )


@dataclass(frozen=True, slots=True)
class _OpaqueKey:
    """What is not modelled is the same on both sides if it is the same text in the same statement."""

    sources: tuple[Mapping[str, SourceFile], Mapping[str, SourceFile]]

    def __call__(self, statement: str, opaque: Opaque, side: int) -> str:
        """The name of what is not modelled, on a side."""
        span = opaque.origin.span
        source = self.sources[side].get(span.file)
        text = "" if source is None else source.text[span.start : span.end]
        return f"{statement} {opaque.field} {text}"
