"""Whether what a target emitted, read back, means what the policy says: equal, or stricter by listed losses.

Both meanings are compared for every workload, port and protocol, in both directions. Anything that is let through and
should not be is wrong, and so is anything that is refused or sent elsewhere without a loss that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import assert_never

from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Predicate, negation
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.policy import Policies, PortKey, PortPolicy
from meshproof.compiler.smt.repeated import Repeated
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.correspondence import Correspondence, by_place
from meshproof.compiler.verify.semantic_diff import merged, place_of
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_lone import replayed_alone, stance_regions
from meshproof.compiler.verify.semantic_diff_ports import LonePort, PortPair, Sides, Stance
from meshproof.compiler.verify.semantic_diff_rest import doubts
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, EditKind, Place, Undecided
from meshproof.compiler.verify.translation_answered import (
    Relay,
    answered,
    called_by_name,
    relays,
    takes_some,
    without_subsets,
)
from meshproof.compiler.verify.translation_gaps import Gap
from meshproof.compiler.verify.translation_losses import Explained, Losses
from meshproof.compiler.verify.translation_part import WHOLE, Part
from meshproof.compiler.verify.translation_settings import settled


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
    listed loss. `connections` are what is done otherwise with connections, without listed losses. `sent` is the same
    judgement over what honest proxies of callers let through besides; None where nobody tells what those do.
    """

    looser: tuple[DiffRegion, ...] = ()
    unexplained: tuple[DiffRegion, ...] = ()
    stricter: tuple[Explained, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    connections: tuple[Gap, ...] = ()
    sent: Translation | None = None

    @property
    def verdict(self) -> TranslationVerdict:
        """The worst of what was found, under either judgement."""
        return worst((self.of_servers, *(() if self.sent is None else (self.sent.verdict,))))

    @property
    def of_servers(self) -> TranslationVerdict:
        """The worst of what was found, whatever callers' proxies are."""
        if self.looser or self.unexplained or self.connections:
            return TranslationVerdict.WRONG
        if self.undecided:
            return TranslationVerdict.UNKNOWN
        return TranslationVerdict.STRICTER if self.stricter else TranslationVerdict.EQUAL

    @property
    def is_sound(self) -> bool:
        """Whether what was emitted may be written."""
        return self.verdict in {TranslationVerdict.EQUAL, TranslationVerdict.STRICTER}


_WORST_FIRST = (
    TranslationVerdict.WRONG,
    TranslationVerdict.UNKNOWN,
    TranslationVerdict.STRICTER,
    TranslationVerdict.EQUAL,
)


def worst(verdicts: Iterable[TranslationVerdict]) -> TranslationVerdict:
    """The one that counts of several that are all there; of none everything is as it should be."""
    found = frozenset(verdicts)
    return next((one for one in _WORST_FIRST if one in found), TranslationVerdict.EQUAL)


@dataclass(frozen=True, slots=True)
class TranslationOptions:
    """How a translation is judged. `correspondence` says which node is which, by place if it is None.

    `part` is what is compared of the policy.
    """

    timeout_ms: int = 10_000
    correspondence: Correspondence | None = None
    most_boxes: int = 40
    part: Part = WHOLE


DEFAULT_OPTIONS = TranslationOptions()


def translation(
    source: Mesh, lifted: Mesh, losses: Sequence[Loss], day: date, options: TranslationOptions = DEFAULT_OPTIONS
) -> Translation:
    """Compare what a policy says with what was emitted for it, read back.

    Losses that are neither `STRICTER` nor of settings explain nothing: they are errors of their own. A node of the
    policy that the emitted files say nothing about cannot be compared, so it is not sound.
    """
    source, dealt_with = settled(source, losses)
    lifted = replace(lifted, trusts=source.trusts)  # certificates say which foreign domains are verified, not files
    correspondence = options.correspondence or by_place(source, lifted)
    found_relays = relays(source, lifted, correspondence.to_new)
    source, lifted = answered(source, found_relays), without_subsets(lifted, found_relays)
    sides = Sides(source, lifted, day, correspondence, audits=False)
    comparing = Comparing(
        meshes=(source, lifted),
        origins=sides.origins,
        day=day,
        to_new=correspondence.to_new,
        limits=Limits(options.timeout_ms),
        most=options.most_boxes,
        repeated=Repeated.ONCE,
    )
    stricter = (loss for loss in losses if loss.direction is Direction.STRICTER)
    known = Losses(tuple(loss for loss in stricter if loss not in dealt_with))
    found = _Found([], [], [], [*doubts(sides)])
    part = options.part
    for pair in sides.pairs():
        if part.has(pair.old.key.node, pair.old.key.port):
            _judge(pair, comparing, known, found, found_relays)
    for port in sides.lone_ports():
        if port.is_new or part.has(port.policy.key.node, port.policy.key.port):
            _judge_lone(port, comparing, known, found)
    if not part.is_inside:
        for relay in found_relays:
            _judge_relay(relay, comparing, known, found)
        stances = (one for one in stance_regions(sides) if one.change is Change.ALLOWED)
        found.looser.extend(one for one in stances if _is_held(one, source))
    return Translation(
        looser=merged(found.looser),
        unexplained=merged(found.unexplained),
        stricter=tuple(found.stricter),
        undecided=tuple(dict.fromkeys(found.undecided)),
    )


def _is_held(region: DiffRegion, source: Mesh) -> bool:
    """Whether there is anything that could hold it: without a declared sender no proxy lets anything out."""
    return bool(source.services) or all(edit.kind is not EditKind.EGRESS for edit in region.blame)


@dataclass(slots=True)
class _Found:
    looser: list[DiffRegion]
    unexplained: list[DiffRegion]
    stricter: list[Explained]
    undecided: list[Undecided]


def _judge(pair: PortPair, comparing: Comparing, losses: Losses, found: _Found, known: tuple[Relay, ...]) -> None:
    place = place_of(pair.old, pair.new)
    asked = narrowed(pair.old, known)
    is_outside, is_relayed = isinstance(pair.old.node, External), _is_relayed(pair.old.node)
    told_apart = (*asked, *losses.regions(pair.old))
    about = replace(comparing, meshes=pair.meshes, has_senders_apart=is_outside, also=told_apart)
    try:
        comparison = PortComparison(pair.old, pair.new, place, about)
        joint = comparison.joint
        within = compared(joint, pair.meshes[0], asked)
        if not is_relayed:
            found.looser.extend(comparison.regions(Change.ALLOWED, _opened(joint, within)))
        _judge_stricter(comparison, within, losses, place, found)
        found.unexplained.extend(comparison.routes(within, losses.rerouted(joint)))
        found.undecided.extend(comparison.undecided)
        if joint.environment.repeated:
            every = PortComparison(pair.old, pair.new, place, replace(about, repeated=Repeated.ANY)).joint
            within = compared(every, pair.meshes[0], asked)
            opened = FALSE if is_relayed else _opened(every, within)
            _judge_repeated(every, within, opened, losses, place, found)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))


def _judge_relay(relay: Relay, comparing: Comparing, losses: Losses, found: _Found) -> None:
    """An external that is called through a gateway, as that judges it."""
    name, number = relay.external.name, relay.port.workload
    place = Place(f"{name}:{relay.port.name}", str(name), str(relay.emitted), relay.at)
    asked = (relay.is_called,)
    try:
        old = Policies(comparing.meshes[0], comparing.day).policy(PortKey(name, number))
        new = Policies(comparing.meshes[1], comparing.day).policy(PortKey(relay.emitted, relay.at))
        about = replace(comparing, has_senders_apart=True, also=(*asked, *losses.regions(old)))
        comparison = PortComparison(old, new, place, about)
        within = _through(relay, comparison.joint, compared(comparison.joint, comparing.meshes[0], asked))
        here = _Found([], [], [], [])
        here.looser.extend(comparison.regions(Change.ALLOWED, _opened(comparison.joint, within)))
        _judge_stricter(comparison, within, losses, place, here)
        found.looser.extend(_called(region, relay) for region in here.looser)
        found.unexplained.extend(_called(region, relay) for region in here.unexplained)
        found.stricter.extend(replace(one, region=_called(one.region, relay)) for one in here.stricter)
        found.undecided.extend(comparison.undecided)
        if comparison.joint.environment.repeated:
            every = PortComparison(old, new, place, replace(about, repeated=Repeated.ANY)).joint
            within = _through(relay, every, compared(every, comparing.meshes[0], asked))
            _judge_repeated(every, within, _opened(every, within), losses, place, found)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))


def _through(relay: Relay, joint: Joint, within: Formula) -> Formula:
    """What the gateway sees of it: the caller's own TLS is a connection, whatever else is spoken at the port."""
    is_http, formulas = joint.new.is_http, joint.formulas
    return formulas.conjunction((within, formulas.negation(is_http) if relay.port.layer is Layer.TCP else is_http))


def _called(region: DiffRegion, relay: Relay) -> DiffRegion:
    """The region with its request as the sender calls it."""
    witness = region.witness
    if witness is None:
        return region
    request = replace(witness.request, destination=relay.external.name, port=relay.port.workload)
    return replace(region, witness=replace(witness, request=request))


def _opened(joint: Joint, within: Formula) -> Formula:
    """What would be let through and the policy refuses."""
    refused = joint.formulas.negation(joint.old.allowed())
    return joint.formulas.conjunction((within, _is_taken(joint), joint.new.allowed(), refused))


def _closed(joint: Joint, within: Formula) -> Formula:
    """What would be refused and the policy allows."""
    return joint.formulas.conjunction((within, joint.old.allowed(), joint.formulas.negation(joint.new.allowed())))


def _unexplained(joint: Joint, within: Formula, losses: Losses) -> Formula:
    """What of it no loss speaks of."""
    closed = _closed(joint, within)
    return joint.formulas.conjunction((closed, joint.formulas.negation(losses.explained(joint, closed))))


def _judge_stricter(comparison: PortComparison, within: Formula, losses: Losses, place: Place, found: _Found) -> None:
    joint = comparison.joint
    found.unexplained.extend(comparison.regions(Change.DENIED, _unexplained(joint, within, losses)))
    explained = losses.explained(joint, _closed(joint, within))
    known = len(comparison.undecided)
    for region in comparison.regions(Change.DENIED, explained):
        found.stricter.append(Explained(region, losses.at(joint.old_policy)))
    if len(comparison.undecided) > known and _is_surely_allowed(joint, explained):
        # Let through it is what the policy says, refused what a loss says: which of them is no matter (ADR 0334).
        del comparison.undecided[known:]
        words = ("requests that may be refused, as a loss says",)
        region = DiffRegion(Change.DENIED, ("anyone",), (place,), (), words, (), None, is_rest=True)
        found.stricter.append(Explained(region, losses.at(joint.old_policy)))


def _is_surely_allowed(joint: Joint, inside: Formula) -> bool:
    """Whether the policy allows, whatever is not modelled, all that may be inside."""
    allowed = joint.certain(joint.old.allowed()).certainly
    return joint.is_empty(joint.certain(inside).possibly, joint.formulas.negation(allowed))


def _judge_repeated(
    joint: Joint, within: Formula, opened: Formula, losses: Losses, place: Place, found: _Found
) -> None:
    """Requests that repeat a header whose lines are joined: of those the joint has more than there are."""
    names = ", ".join(f"`{name}`" for name in sorted(joint.environment.repeated))
    if not joint.is_empty(opened) or not joint.is_empty(_unexplained(joint, within, losses)):
        found.undecided.append(Undecided(place.text, f"the lines of a repeated {names} are compared as one text"))
    elif not joint.is_empty(_closed(joint, within)):
        words = (f"requests that repeat {names}",)
        region = DiffRegion(Change.DENIED, ("anyone",), (place,), (), words, (), None, is_rest=True)
        found.stricter.append(Explained(region, losses.at(joint.old_policy)))


def _is_taken(joint: Joint) -> Formula:
    """Where what was emitted does anything with a request: a gateway closes connections that are for no server."""
    policy, formulas = joint.new_policy, joint.formulas
    if not policy.is_gateway:
        return TRUE
    taken = joint.taken(joint.new)
    branches = () if policy.route_tcp is None else policy.route_tcp.branches
    return formulas.disjunction((joint.new.is_http, *(taken[branch.id] for branch in branches)))


def narrowed(policy: PortPolicy, known: tuple[Relay, ...]) -> tuple[Predicate, ...]:
    """What of the requests to a port of the policy are such, as conditions.

    At a gateway not those to the externals that are called through it, which show an identity or get no connection; at
    an external those that are for it.
    """
    node, declared = policy.node, policy.declared
    match node:
        case Gateway():
            of_port = (relay for relay in known if (relay.gateway.name, relay.at) == (node.name, policy.key.port))
            others = (relay for relay in of_port if not takes_some(node.hosts, relay.external.hosts))
            return tuple(negation(relay.is_offered) for relay in others)
        case External() if declared is not None:
            return (called_by_name(node, declared),)
        case _:
            return ()


def compared(joint: Joint, source: Mesh, asked: tuple[Predicate, ...]) -> Formula:
    """The requests that can come to what was emitted, so that both sides must treat them alike.

    No handshake of a stranger is verified, whatever `observe` says: the proxy ends it. At a gateway nobody shows an
    identity (ADR 0035). An external is judged by the senders' proxies, and only those of declared services are
    configured: `egress closed` speaks of no others. All of `asked` must hold.
    """
    view, formulas = joint.old, joint.formulas
    within = [encode_predicate(one, joint.environment) for one in asked]
    match view.policy.node:
        case Gateway():
            within.append(view.is_caller(view.callers.anonymous))
        case External():
            uris = [Exact(canonical(source, service.identity)) for service in source.services]
            within.append(formulas.disjunction(view.is_caller(view.callers.mask(uri)) for uri in uris))
        case Service():
            within.append(view.has_handshake)
        case _:
            assert_never(view.policy.node)
    return formulas.conjunction(within)


def _is_relayed(node: Node) -> bool:
    """Whether requests go through a gateway on their way out, which judges them."""
    return isinstance(node, External) and node.via is not None


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
        asked = losses.regions(port.policy)
        about = replace(comparing, meshes=(port.mesh, port.mesh), to_new={}, has_senders_apart=True, also=asked)
        comparison = PortComparison(port.policy, port.policy, place, about)
        formulas = comparison.joint.formulas
        within = compared(comparison.joint, port.mesh, ())
        allowed = formulas.conjunction((within, comparison.joint.old.allowed()))
        refused = formulas.conjunction((within, formulas.negation(allowed)))
        replay = partial(replayed_alone, port, about)
        if port.stance is Stance.ALLOWS:
            found.looser.extend(comparison.regions(Change.ALLOWED, refused, replay))
        else:
            listed, explained = losses.at(port.policy), losses.explained(comparison.joint, allowed)
            regions = comparison.regions(Change.DENIED, explained, replay)
            found.stricter.extend(Explained(region, listed) for region in regions)
            others = formulas.conjunction((allowed, formulas.negation(explained)))
            found.unexplained.extend(comparison.regions(Change.DENIED, others, replay))
        found.undecided.extend(comparison.undecided)
    except GaveUp as given_up:
        found.undecided.append(Undecided(place.text, given_up.reason))
