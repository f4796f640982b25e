"""What a change opens, closes and sends elsewhere: two policies compared request by request, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.sameness import is_same
from meshproof.compiler.smt.joint import OpaqueKey, key_of_opaque
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.correspondence import Correspondence, by_name
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_declared import declared_doubts, declared_notes, host_regions
from meshproof.compiler.verify.semantic_diff_lone import lone_regions, stance_regions
from meshproof.compiler.verify.semantic_diff_ports import PortPair, Sides
from meshproof.compiler.verify.semantic_diff_rest import doubts, notes_of, silent_edits
from meshproof.compiler.verify.semantic_diff_unseen import unseen_routes
from meshproof.compiler.verify.semantic_diff_values import (
    Change,
    DiffRegion,
    Edit,
    EditKind,
    Place,
    SemanticDiff,
    Undecided,
)


class CallersBy(StrEnum):
    """What makes a caller the same on both sides."""

    IDENTITY = "identity"
    WORKLOAD = "workload"
    """Declared callers are compared as workloads, also where their identity has changed."""


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """How two policies are compared.

    `correspondence` says which node is which, by name if it is None. `timeout_ms` is for one question to the solver.
    `most_boxes` bounds how many pieces the difference at one port is cut into before the rest is lumped together.
    Without `has_defaults` nothing is made of what proxies do by default where nobody wrote a route: a note says so.
    """

    timeout_ms: int = 10_000
    audit_as_enforced: bool = False
    correspondence: Correspondence | None = None
    callers_by: CallersBy = CallersBy.IDENTITY
    opaque_key: OpaqueKey = key_of_opaque
    most_boxes: int = 40
    has_defaults: bool = True


DEFAULT_OPTIONS = DiffOptions()


def _without_audience_rules(mesh: Mesh) -> Mesh:
    return replace(mesh, issuers=tuple(replace(one, is_strict_about_audience=False) for one in mesh.issuers))


def semantic_diff(old: Mesh, new: Mesh, day: date, options: DiffOptions = DEFAULT_OPTIONS) -> SemanticDiff:
    """Everything that differs between two policies as of a day.

    Policies that say the same are told without the solver, and so are ports at which nothing that decides has changed.
    """
    if old.is_lifted is not new.is_lifted:  # the language has a valid token be for who reads it (ADR 0052, 0136)
        old, new = map(_without_audience_rules, (old, new))
    if options.correspondence is None and is_same_policy(old, new):
        return SemanticDiff()
    correspondence = options.correspondence or by_name(old, new)
    sides = Sides(old, new, day, correspondence, audits=options.audit_as_enforced)
    comparing = Comparing(
        meshes=(sides.old, sides.new),
        origins=sides.origins,
        day=day,
        to_new=correspondence.to_new,
        workloads=correspondence.pairs if options.callers_by is CallersBy.WORKLOAD else None,
        opaque_key=options.opaque_key,
        limits=Limits(options.timeout_ms),
        most=options.most_boxes,
        has_defaults=options.has_defaults,
    )
    findings = _Findings([], [*doubts(sides), *declared_doubts(sides)], set())
    for pair in sides.pairs():
        _compare(pair, comparing, findings)
    findings.regions.extend(lone_regions(sides, comparing, findings.undecided))
    findings.regions.extend(stance_regions(sides))
    findings.regions.extend(host_regions(sides))
    regions = merged(findings.regions)
    silent = tuple(silent_edits(sides, _blamed(regions)))
    findings.undecided.extend(unseen_routes((sides.old, sides.new), silent))
    return SemanticDiff(
        newly_allowed=tuple(one for one in regions if one.change is Change.ALLOWED),
        newly_denied=tuple(one for one in regions if one.change is Change.DENIED),
        rerouted=tuple(one for one in regions if one.change is Change.REROUTED),
        undecided=tuple(dict.fromkeys(findings.undecided)),
        silent=silent,
        notes=(*notes_of(sides), *declared_notes(sides), *_default_notes(findings.defaults)),
    )


def is_same_policy(old: Mesh, new: Mesh) -> bool:
    """Whether both say the same about every request, told by their statements alone; names of policies do not count,
    nor do claims, tests, waivers and zones, which decide nothing.
    """  # noqa: D205
    return is_same(_deciding(old), _deciding(new))


def _deciding(mesh: Mesh) -> Mesh:
    return replace(
        mesh, name="", language=0, environment=None, namespace=None, zones=(), proofs=(), tests=(), waivers=()
    )


@dataclass(slots=True)
class _Findings:
    """What was found so far."""

    regions: list[DiffRegion]
    undecided: list[Undecided]
    defaults: set[str]


def _compare(pair: PortPair, comparing: Comparing, findings: _Findings) -> None:
    place = place_of(pair.old, pair.new)
    try:
        comparison = PortComparison(pair.old, pair.new, place, replace(comparing, meshes=pair.meshes))
        findings.regions.extend(comparison.decisions())
        findings.regions.extend(comparison.routes())
        findings.undecided.extend(comparison.undecided)
        findings.defaults.update(comparison.defaults)
    except GaveUp as given_up:
        findings.undecided.append(Undecided(place.text, given_up.reason))


def _default_notes(defaults: Iterable[str]) -> Iterator[str]:
    for setting in sorted(defaults):
        yield f"where nobody wrote a route, proxies of one side do this by default, which was not compared: {setting}"


def place_of(old: PortPolicy, new: PortPolicy) -> Place:
    """A port by the name that people know it by, the new one if there is one."""
    shown = new if new.declared is not None or old.declared is None else old
    if shown.declared is not None:
        return Place(f"{new.key.node}:{shown.declared.name}", old.key.node, new.key.node, new.key.port)
    is_spare = not shown.key.is_declared and shown.key.port >= 49152  # noqa: PLR2004  the first port that nobody assigns
    text = f"{new.key.node} (other ports)" if is_spare else f"{new.key.node}:{new.key.port}"
    return Place(text, old.key.node, new.key.node, new.key.port)


def merged(regions: Iterable[DiffRegion]) -> tuple[DiffRegion, ...]:
    """Regions that differ in their ports alone as one, the most open ones first."""
    grouped: dict[object, DiffRegion] = {}
    for region in regions:
        blame = frozenset((edit.kind, edit.old, edit.new) for edit in region.blame if edit.kind is not EditKind.NODE)
        shape = (region.change, region.sources, region.operations, region.conditions, region.before, region.after)
        known = grouped.get((*shape, blame))
        if known is None:
            grouped[*shape, blame] = region
        else:
            grouped[*shape, blame] = replace(
                known,
                places=(*known.places, *region.places),
                blame=_distinct((*known.blame, *region.blame)),
                also=_distinct((*known.also, *region.also)),
                meanings=(*known.meanings, *region.meanings),
            )
    return tuple(sorted(grouped.values(), key=_order))


def _distinct(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits, each statement once: it may be named by each of the nodes that it is about."""
    found: dict[object, Edit] = {}
    for edit in edits:
        found.setdefault((edit.kind, edit.old, edit.new), edit)
    return tuple(found.values())


def _order(region: DiffRegion) -> tuple[bool, tuple[str, ...], bool, tuple[str, ...], tuple[str, ...]]:
    is_open = any(
        source.split()[0] in {"anyone", "internet", "plaintext", "authenticated"} for source in region.sources
    )
    return not is_open, region.destinations, region.is_rest, region.sources, region.operations


def _blamed(regions: Iterable[DiffRegion]) -> frozenset[Edit]:
    return frozenset(edit for region in regions for edit in (*region.blame, *region.also))
