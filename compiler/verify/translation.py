"""Whether what a target emitted, read back, means what the policy says: equal, or stricter by listed losses.

Both meanings are compared for every workload, port and protocol, in both directions. Anything that is let through and
should not be is wrong, and so is anything that is refused or sent elsewhere without a loss that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import assert_never

from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.correspondence import Correspondence, by_place
from meshproof.compiler.verify.semantic_diff import merged, place_of
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_lone import replayed_alone, stance_regions
from meshproof.compiler.verify.semantic_diff_ports import LonePort, PortPair, Sides, Stance
from meshproof.compiler.verify.semantic_diff_rest import doubts
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, Place, Undecided
from meshproof.compiler.verify.translation_gaps import Gap
from meshproof.compiler.verify.translation_losses import Explained, Losses


class TranslationVerdict(StrEnum):
    """What became of the meaning."""

    EQUAL = "equal"
    STRICTER = "stricter"
    """More is refused, all of it by listed losses."""
    WRONG = "wrong"
    """Something is let through, refused or sent elsewhere that no loss explains."""
    UNKNOWN = "unknown"
    """Nothing wrong was found, and not everything could be compared: that passes no gate."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The judgement over a compile.

    `looser` is what is allowed that the policy refuses; `unexplained` is what is refused or sent elsewhere without a
    listed loss. `connections` are what is done otherwise with connections, without listed losses.
    """

    looser: tuple[DiffRegion, ...] = ()
    unexplained: tuple[DiffRegion, ...] = ()
    stricter: tuple[Explained, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    connections: tuple[Gap, ...] = ()

    @property
    def verdict(self) -> TranslationVerdict:
        """The worst of what was found."""
        if self.looser or self.unexplained or self.connections:
            return TranslationVerdict.WRONG
        if self.undecided:
            return TranslationVerdict.UNKNOWN
        return TranslationVerdict.STRICTER if self.stricter else TranslationVerdict.EQUAL

    @property
    def is_sound(self) -> bool:
        """Whether what was emitted may be written."""
        return self.verdict in {TranslationVerdict.EQUAL, TranslationVerdict.STRICTER}


@dataclass(frozen=True, slots=True)
class TranslationOptions:
    """How a translation is judged. `correspondence` says which node is which, by place if it is None."""

    timeout_ms: int = 10_000
    correspondence: Correspondence | None = None
    most_boxes: int = 40


DEFAULT_OPTIONS = TranslationOptions()


def translation(
    source: Mesh, lifted: Mesh, losses: Sequence[Loss], day: date, options: TranslationOptions = DEFAULT_OPTIONS
) -> Translation:
    """Compare what a policy says with what was emitted for it, read back.

    Losses that are not `STRICTER` explain nothing: they are errors of their own. A node of the policy that the emitted
    files say nothing about cannot be compared, so it is not sound.
    """
    lifted = replace(lifted, trusts=source.trusts)  # certificates say which foreign domains are verified, not files
    correspondence = options.correspondence or by_place(source, lifted)
    sides = Sides(source, lifted, day, correspondence, audits=False)
    comparing = Comparing(
        meshes=(source, lifted),
        origins=sides.origins,
        day=day,
        to_new=correspondence.to_new,
        limits=Limits(options.timeout_ms),
        most=options.most_boxes,
    )
    known = Losses(tuple(loss for loss in losses if loss.direction is Direction.STRICTER))
    found = _Found([], [], [], [*doubts(sides)])
    for pair in sides.pairs():
        _judge(pair, comparing, known, found)
    for port in sides.lone_ports():
        _judge_lone(port, comparing, known, found)
    found.looser.extend(one for one in stance_regions(sides) if one.change is Change.ALLOWED)
    return Translation(
        looser=merged(found.looser),
        unexplained=merged(found.unexplained),
        stricter=tuple(found.stricter),
        undecided=tuple(dict.fromkeys(found.undecided)),
    )


@dataclass(slots=True)
class _Found:
    looser: list[DiffRegion]
    unexplained: list[DiffRegion]
    stricter: list[Explained]
    undecided: list[Undecided]


def _judge(pair: PortPair, comparing: Comparing, losses: Losses, found: _Found) -> None:
    place = place_of(pair.old, pair.new)
    try:
        is_outside = isinstance(pair.old.node, External)
        about = replace(comparing, meshes=pair.meshes, has_senders_apart=is_outside)
        comparison = PortComparison(pair.old, pair.new, place, about)
        formulas = comparison.joint.formulas
        source, lifted = comparison.joint.old.allowed(), comparison.joint.new.allowed()
        within = compared(comparison.joint, pair.meshes[0])
        opened = formulas.conjunction((within, lifted, formulas.negation(source)))
        closed = formulas.conjunction((within, source, formulas.negation(lifted)))
        explained = losses.explained(comparison.joint, closed)
        unexplained = formulas.conjunction((closed, formulas.negation(explained)))
        found.looser.extend(comparison.regions(Change.ALLOWED, opened))
        found.unexplained.extend(comparison.regions(Change.DENIED, unexplained))
        for region in comparison.regions(Change.DENIED, explained):
            found.stricter.append(Explained(region, losses.at(pair.old)))
        if not losses.is_about_route(pair.old) and not _is_relayed(pair):
            found.unexplained.extend(comparison.routes(within))
        found.undecided.extend(comparison.undecided)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))


def compared(joint: Joint, source: Mesh) -> Formula:
    """The requests that can come to what was emitted, so that both sides must treat them alike.

    No handshake of a stranger is verified, whatever `observe` says: the proxy ends it. At a gateway nobody shows an
    identity (ADR 0035). An external is judged by the senders' proxies, and only those of declared services are
    configured: `egress closed` speaks of no others.
    """
    view, formulas = joint.old, joint.formulas
    match view.policy.node:
        case Gateway():
            return view.is_caller(view.callers.anonymous)
        case External():
            uris = [Exact(canonical(source, service.identity)) for service in source.services]
            return formulas.disjunction(view.is_caller(view.callers.mask(uri)) for uri in uris)
        case Service():
            return view.has_handshake
        case _:
            assert_never(view.policy.node)


def _is_relayed(pair: PortPair) -> bool:
    """Whether requests go through a gateway on their way out: that is how the policy says it, and not a route."""
    return isinstance(pair.old.node, External) and pair.old.node.via is not None


def _judge_lone(port: LonePort, comparing: Comparing, losses: Losses, found: _Found) -> None:
    """A node that one side alone declares: what the emitted files say nothing about is as it is without them."""
    place = Place(
        f"{port.policy.key.node}:{port.policy.key.port}", str(port.policy.key.node), None, port.policy.key.port
    )
    if port.is_new:
        return  # what the policy does not declare is not under it, and a closed namespace is compared as such
    if port.stance is Stance.SILENT:
        if port.policy.key.is_declared:
            found.undecided.append(Undecided(str(port.policy.key.node), "nothing that was emitted is about it"))
        return
    try:
        about = replace(comparing, meshes=(port.mesh, port.mesh), to_new={}, has_senders_apart=True)
        comparison = PortComparison(port.policy, port.policy, place, about)
        formulas = comparison.joint.formulas
        within = compared(comparison.joint, port.mesh)
        allowed = formulas.conjunction((within, comparison.joint.old.allowed()))
        refused = formulas.conjunction((within, formulas.negation(allowed)))
        replay = partial(replayed_alone, port, about)
        if port.stance is Stance.ALLOWS:
            found.looser.extend(comparison.regions(Change.ALLOWED, refused, replay))
        elif not losses.at(port.policy):
            found.unexplained.extend(comparison.regions(Change.DENIED, allowed, replay))
        found.undecided.extend(comparison.undecided)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))
