"""Whether what a target emitted, read back, means what the policy says: equal, or stricter by listed losses.

Both meanings are compared for every workload, port and protocol, in both directions. Anything that is let through and
should not be is wrong, and so is anything that is refused or sent elsewhere without a loss that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.formula import TRUE, Formula
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.correspondence import Correspondence, by_place
from meshproof.compiler.verify.semantic_diff import merged, place_of
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_ports import PortPair, Sides
from meshproof.compiler.verify.semantic_diff_rest import doubts
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, Undecided
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
    listed loss.
    """

    looser: tuple[DiffRegion, ...] = ()
    unexplained: tuple[DiffRegion, ...] = ()
    stricter: tuple[Explained, ...] = ()
    undecided: tuple[Undecided, ...] = ()

    @property
    def verdict(self) -> TranslationVerdict:
        """The worst of what was found."""
        if self.looser or self.unexplained:
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
    found = _Found([], [], [], [*doubts(sides), *_missing(sides)])
    for pair in sides.pairs():
        _judge(pair, comparing, known, found)
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
        comparison = PortComparison(pair.old, pair.new, place, replace(comparing, meshes=pair.meshes))
        formulas = comparison.joint.formulas
        source, lifted = comparison.joint.old.allowed(), comparison.joint.new.allowed()
        senders = _senders(comparison, pair)
        opened = formulas.conjunction((senders, lifted, formulas.negation(source)))
        closed = formulas.conjunction((senders, source, formulas.negation(lifted)))
        explained = losses.explained(comparison.joint, closed)
        unexplained = formulas.conjunction((closed, formulas.negation(explained)))
        found.looser.extend(comparison.regions(Change.ALLOWED, opened))
        found.unexplained.extend(comparison.regions(Change.DENIED, unexplained))
        for region in comparison.regions(Change.DENIED, explained):
            found.stricter.append(Explained(region, losses.at(pair.old)))
        found.unexplained.extend(_elsewhere(comparison, pair, losses))
        found.undecided.extend(comparison.undecided)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))


def _senders(comparison: PortComparison, pair: PortPair) -> Formula:
    """Whose requests are compared: at an external, which the senders' proxies judge, those of declared callers alone.

    Nothing that is emitted configures the proxies of others, and `egress closed` speaks of declared services.
    """
    if not isinstance(pair.old.node, External):
        return TRUE
    mesh, view = pair.meshes[0], comparison.joint.old
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    masks = (view.callers.mask(Exact(canonical(mesh, node.identity))) for node in nodes)
    return comparison.joint.formulas.disjunction(map(view.is_caller, masks))


def _elsewhere(comparison: PortComparison, pair: PortPair, losses: Losses) -> Iterator[DiffRegion]:
    """What is sent otherwise than the policy says, without a loss of its route."""
    if not losses.is_about_route(pair.old):
        yield from comparison.routes()


def _missing(sides: Sides) -> Iterator[Undecided]:
    """The nodes of the policy, with something to protect, that nothing emitted is about."""
    for name, node in sorted(sides.nodes[0].items()):
        if node.ports and name not in sides.correspondence.to_new:
            yield Undecided(str(name), "nothing that was emitted is about it")
