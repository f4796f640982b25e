"""One port of two policies: what is newly allowed, newly denied and rerouted, in regions that cover it exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TypeAlias

from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import (
    Always,
    ClientIp,
    Method,
    Path,
    Predicate,
    SourceIdentity,
    Test,
    attributes_of,
    conjunction,
)
from meshproof.compiler.smt.atoms import matchers_by_attribute
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula
from meshproof.compiler.smt.joint import (
    Joint,
    OpaqueKey,
    conditions_of,
    identities_in,
    key_of_opaque,
    routed_conditions,
)
from meshproof.compiler.smt.joint_callers import Trust, joint_callers
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.repeated import Repeated
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.verify.rewrites import agreement
from meshproof.compiler.verify.semantic_diff_blame import Blame
from meshproof.compiler.verify.semantic_diff_callers import CallerNames, Callers
from meshproof.compiler.verify.semantic_diff_cover import Box, cover_of, values_in
from meshproof.compiler.verify.semantic_diff_dimensions import Dimension, DimensionKind, dimensions_of
from meshproof.compiler.verify.semantic_diff_replay import replayed_decisions, replayed_routes
from meshproof.compiler.verify.semantic_diff_routes import Outcome, agreements, outcomes_at, routings, unrouted
from meshproof.compiler.verify.semantic_diff_values import (
    Change,
    DiffRegion,
    DiffWitness,
    Edit,
    EditKind,
    Meaning,
    Place,
    Routing,
    Undecided,
)
from meshproof.compiler.verify.semantic_diff_words import (
    Indescribable,
    Worded,
    condition_of,
    operations_of,
    reading_cost,
)

_UNDESCRIBED = "what no shorter description covers"
_MOST_BOXES = 2
OPENED = "whatever was refused before"
CLOSED = "whatever is not allowed any more"

Replay: TypeAlias = Callable[[Joint, Formula, Change, "Comparing", Sequence[Dimension]], DiffWitness]
"""Makes the witness of a region, decided by the interpreter."""


@dataclass(frozen=True, slots=True)
class Comparing:
    """What the comparison of each port depends on besides the port.

    `meshes` may lack rules about other nodes; `origins` tell of all rules where they stand. `most` bounds the boxes of
    one kind at a port. Without `has_defaults` nothing is made of what proxies do where no route is written; with
    `has_senders_apart` every declared caller is told apart from all others. `also` are conditions that tell requests
    apart besides those of both policies. Regions are right only if `repeated` is not `ANY`.
    """

    meshes: tuple[Mesh, Mesh]
    origins: tuple[Mapping[RuleId, Origin], Mapping[RuleId, Origin]]
    day: date
    to_new: Mapping[NodeName, NodeName]
    limits: Limits
    most: int
    has_defaults: bool = True
    has_senders_apart: bool = False
    workloads: tuple[tuple[NodeName, NodeName], ...] | None = None
    opaque_key: OpaqueKey = key_of_opaque
    also: tuple[Predicate, ...] = ()
    repeated: Repeated = Repeated.REFUSED


@dataclass(frozen=True, slots=True)
class Told:
    """Requests of which is known that the new side does otherwise: it takes the `mistaken` for those of another branch
    of the old route, or of none, and sends the `refused` nowhere.
    """  # noqa: D205

    mistaken: Formula = FALSE
    refused: Formula = FALSE


UNTOLD = Told()


@dataclass(frozen=True, slots=True)
class _Group:
    """Boxes with the same callers and conditions, or one that is not described by boxes but by `words`."""

    boxes: tuple[Box, ...]
    formula: Formula
    words: str = _UNDESCRIBED


@dataclass(frozen=True, slots=True)
class _Whole:
    """What to say of callers of whom a side lets through everything; `exceptions` are requests that it does not."""

    words: str
    exceptions: Formula


class PortComparison:
    """Both policies of one port. Methods raise `smt.solver.Undecided`."""

    def __init__(self, old: PortPolicy, new: PortPolicy, place: Place, about: Comparing) -> None:
        self.about = about
        self._place = place
        self._outcomes = (outcomes_at(old, about.to_new), outcomes_at(new, {}))
        self._defaults = (unrouted(old, about.to_new), unrouted(new, {}))
        identities = _identities(old, new, about)
        extra = [*agreements(*self._outcomes), *about.also]
        if about.has_senders_apart:
            extra += (Test(SourceIdentity(), matcher) for matcher in identities)
        routed = identities_in((*routed_conditions(old), *routed_conditions(new)))
        callers = joint_callers(*_verifying(old, new, about.meshes), identities, about.workloads, of_routes=routed)
        self.joint = Joint(
            old,
            new,
            callers,
            extra=extra,
            opaque_key=about.opaque_key,
            repeated=about.repeated,
            limits=about.limits,
        )
        self._dimensions = dimensions_of(self.joint)
        self._names = CallerNames(self.joint, about.meshes)
        self._blame = Blame(self.joint, about.meshes, about.origins)
        self.undecided: list[Undecided] = []
        self.defaults: set[str] = set()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What differs here, whether that makes a difference or not."""
        return self._blame.edits

    def decisions(self) -> Iterator[DiffRegion]:
        """What is newly allowed, then what is newly denied."""
        formulas = self.joint.formulas
        old, new = self.joint.old.allowed(), self.joint.new.allowed()
        opened = _Whole(OPENED, formulas.conjunction((self.joint.new.judged, formulas.negation(new))))
        closed = _Whole(CLOSED, formulas.conjunction((self.joint.old.judged, formulas.negation(old))))
        yield from self.regions(Change.ALLOWED, formulas.conjunction((new, formulas.negation(old))), whole=opened)
        yield from self.regions(Change.DENIED, formulas.conjunction((old, formulas.negation(new))), whole=closed)

    def routes(self, within: Formula = TRUE, told: Told = UNTOLD) -> Iterator[DiffRegion]:
        """What a sender sends elsewhere, or otherwise than before, of the requests `within`.

        Of what neither side allows as it is sent, it is only that which does not arrive as it is sent. What is `told`
        of is left out, if no other is done with it than is told.
        """
        formulas = self.joint.formulas
        allowed = formulas.disjunction((self.joint.old.allowed(), self.joint.new.allowed()))
        can_come = formulas.conjunction((within, self.joint.old.can_come, self.joint.new.can_come))
        found: dict[tuple[Routing, Routing], tuple[list[Formula], dict[Edit, None]]] = {}
        for before, was in self._taken(0):
            for after, now in self._taken(1):
                matters = allowed if before.is_plain and after.is_plain else TRUE
                untold = self._untold(after, told)
                both = formulas.conjunction((can_come, was, now, matters, untold))
                part = formulas.conjunction((both, self._elsewhere(before, after, both)))
                if part != FALSE:
                    parts, edits = found.setdefault(routings(before, after), ([], {}))
                    parts.append(part)
                    subject = after.route or before.route or self._place.text
                    edits[Edit(EditKind.ROUTE, subject, before.origin, after.origin)] = None
        for (before_text, after_text), (parts, edits) in found.items():
            for region in self.regions(Change.REROUTED, formulas.disjunction(parts), replayed_routes):
                yield replace(region, before=before_text, after=after_text, blame=tuple(edits))

    def regions(
        self, change: Change, inside: Formula, replay: Replay | None = None, *, whole: _Whole | None = None
    ) -> Iterator[DiffRegion]:
        """The regions of a set of requests; what depends on what is not modelled becomes undecided.

        `replay` makes a witness in another way than by what both sides decide. `whole` says what the set is for callers
        of whom everything is in it or treated alike, where that is easier to read than many operations.
        """
        certain = self.joint.certain(inside)
        if certain.possibly != certain.certainly and not self.joint.is_empty(
            certain.possibly, self.joint.formulas.negation(certain.certainly)
        ):
            what = self.joint.unmodelled_in(inside)
            self.undecided.append(Undecided(self._place.text, f"it depends on {what}, which is not modelled"))
        groups = [*self._whole(certain.certainly, whole)] if whole is not None else self._groups(certain.certainly)
        self._check(groups, certain.certainly)
        for group in groups:
            yield self._region(change, group, replay)

    def _whole(self, inside: Formula, whole: _Whole) -> Iterator[_Group]:
        """The groups of callers that one side lets do everything, told as such if that is shorter, then the others."""
        if inside == FALSE:
            return
        formulas = self.joint.formulas
        callers = self._dimensions[-1]
        free = callers.every & ~values_in(self.joint, callers, whole.exceptions)
        theirs = formulas.conjunction((inside, callers.literal(formulas, free)))
        groups = self._groups(theirs)
        if sum(len(group.boxes) for group in groups) > _MOST_BOXES:
            groups = [_Group((), theirs, whole.words)]
        yield from groups
        yield from self._groups(formulas.conjunction((inside, callers.literal(formulas, ~free))))

    def _groups(self, inside: Formula) -> list[_Group]:
        cost = partial(reading_cost, self.joint)
        cover = cover_of(self.joint, self._dimensions, inside, self.about.most, cost)
        grouped: dict[tuple[tuple[Dimension, int], ...], list[Box]] = {}
        for box in cover.boxes:
            key = tuple(side for side in box.sides if side[0].attribute not in {Method(), Path()})
            grouped.setdefault(key, []).append(box)
        formulas = self.joint.formulas
        groups = [
            _Group(tuple(boxes), formulas.disjunction(box.formula(self.joint) for box in boxes))
            for boxes in grouped.values()
        ]
        if not self.joint.is_empty(cover.rest):
            groups.append(_Group((), cover.rest))
        return groups

    def _check(self, groups: Sequence[_Group], inside: Formula) -> None:
        """The promise: every region is inside, and nothing is left over."""
        formulas = self.joint.formulas
        outside = formulas.negation(inside)
        left = [inside, *(formulas.negation(group.formula) for group in groups)]
        if not self.joint.is_empty(*left) or not all(self.joint.is_empty(one.formula, outside) for one in groups):
            raise AssertionError("the regions are not the difference")

    def _region(self, change: Change, group: _Group, replay: Replay | None) -> DiffRegion:
        blame, also = self._blame.of(group.formula, change) if replay is None else ((), ())
        deciding = tuple(dict.fromkeys(side[0] for box in group.boxes[:1] for side in box.sides))
        witness = (replay or replayed_decisions)(self.joint, group.formula, change, self.about, deciding)
        region = DiffRegion(change, (), (self._place,), (), (group.words,), blame, witness, also=also, is_rest=True)
        try:
            if group.boxes:
                return self._worded(region, group)
            callers = values_in(self.joint, self._dimensions[-1], group.formula)
            return replace(region, sources=self._names.callers(callers).texts)
        except Indescribable:
            return region

    def _worded(self, region: DiffRegion, group: _Group) -> DiffRegion:
        first = group.boxes[0]
        callers_dimension = self._dimensions[-1]
        callers = self._callers(region.change, first.mask(callers_dimension))
        operations = [self._operations(box) for box in group.boxes]
        plain = [side for side in first.sides if side[0].kind is not DimensionKind.CALLER]
        others = [side for side in plain if side[0].attribute not in {Method(), Path()}]
        conditions = [condition_of(self.joint, dimension, mask) for dimension, mask in others]
        further = conjunction(tuple(one.predicate for one in conditions))
        lines = tuple(line for one in operations for line in one.text.split("\n") if one.text)
        is_everything = not all(one.text for one in operations)
        meaning = replace(_meaning(others), sources=callers.predicate)
        content = (conjunction((one.predicate, further)) for one in operations)
        return replace(
            region,
            sources=callers.texts,
            operations=() if is_everything else tuple(dict.fromkeys(lines)),
            conditions=tuple(one.text for one in conditions if one.text),
            meanings=tuple((self._place, replace(meaning, content=one)) for one in content),
            is_rest=False,
        )

    def _callers(self, change: Change, values: int) -> Callers:
        """The callers; a request that is sent elsewhere is so whoever sends it, as a rule."""
        if change is Change.REROUTED and values == self._dimensions[-1].every:
            return Callers(("anyone",), Always())
        return self._names.callers(values)

    def _operations(self, box: Box) -> Worded:
        sides = {side[0].attribute: side for side in box.sides if side[0].attribute in {Method(), Path()}}
        if not sides:
            return Worded("", conjunction(()))
        return operations_of(self.joint, sides.get(Method()), sides.get(Path()))

    def _taken(self, side: int) -> Iterator[tuple[Outcome, Formula]]:
        """What each branch takes on a side, and what goes on as it is because there is no route for it."""
        view = (self.joint.old, self.joint.new)[side]
        formulas = self.joint.formulas
        is_tcp = formulas.negation(view.is_http)
        for name, formula in self.joint.taken(view).items():
            outcome = self._outcomes[side][name]
            on_connection = outcome.on_connection
            if outcome == on_connection:
                yield outcome, formula
            else:
                yield outcome, formulas.conjunction((formula, view.is_http))
                yield on_connection, formulas.conjunction((formula, is_tcp))
        layers = ((view.policy.route, view.is_http), (view.policy.route_tcp, is_tcp))
        free = formulas.disjunction(layer for route, layer in layers if route is None)
        yield self._defaults[side], free

    def _untold(self, after: Outcome, told: Told) -> Formula:
        """The requests of which it is not told that this may be done with them."""
        formulas = self.joint.formulas
        branches = self._outcomes[0].values()
        is_of_old = any(one.is_like(after) and one.rewrite == after.rewrite for one in branches)
        listed = (
            told.mistaken if is_of_old or after.is_refusal else FALSE,
            told.refused if after.is_refusal else FALSE,
        )
        return formulas.negation(formulas.disjunction(listed))

    def _elsewhere(self, before: Outcome, after: Outcome, both: Formula) -> Formula:
        """Of what both outcomes are of, what goes another way."""
        if not self.about.has_defaults and before.is_default_of(after):
            self.defaults.update((*before.settings, *after.settings))
            return FALSE
        if not before.is_like(after):
            return TRUE
        agreed = agreement(before.rewrite, after.rewrite)
        if agreed is None and self.joint.is_empty(both):
            return FALSE
        if agreed is None:
            reason = "two rewrites of its paths cannot be compared"
            self.undecided.append(Undecided(self._place.text, reason))
            return FALSE
        return self.joint.formulas.negation(encode_predicate(agreed, self.joint.environment))


def _verifying(old: PortPolicy, new: PortPolicy, meshes: tuple[Mesh, Mesh]) -> tuple[Mesh, Mesh]:
    """The policies as their callers are verified: a port of a gateway that says how it ends TLS asks for no domain, so
    what either side trusts is taken there by both (ADR 0135).
    """  # noqa: D205
    domains = dict.fromkeys(domain for mesh in meshes for domain in Trust.of(mesh).domains)

    def verifying(policy: PortPolicy, mesh: Mesh) -> Mesh:
        if not policy.is_gateway or policy.mtls is None:
            return mesh
        known = Trust.of(mesh).domains
        return replace(mesh, trusts=(*mesh.trusts, *(domain for domain in domains if domain not in known)))

    return verifying(old, meshes[0]), verifying(new, meshes[1])


def _meaning(sides: Sequence[tuple[Dimension, int]]) -> Meaning:
    """What conditions over attributes cannot say."""
    layer: Layer | None = None
    unreadable: bool | None = None
    answers: list[tuple[str, bool]] = []
    for dimension, mask in sides:
        match dimension.kind:
            case DimensionKind.LAYER:
                layer = Layer.HTTP if mask & 0b01 else Layer.TCP
            case DimensionKind.UNREADABLE:
                unreadable = bool(mask & 0b10)
            case DimensionKind.ANSWER:
                answers.append((str(dimension.authorizer), bool(mask & 0b10)))
            case _:
                continue
    return Meaning(layer=layer, has_unreadable_token=unreadable, answers=tuple(answers))


def _identities(old: PortPolicy, new: PortPolicy, about: Comparing) -> tuple[Matcher, ...]:
    """The tests of identities that tell callers apart at a port."""
    conditions = (*conditions_of(old), *conditions_of(new), *about.also)
    sources = (rule.sources.matches for policy in (old, new) for rule in policy.rules)
    found = dict.fromkeys(matchers_by_attribute((*sources, *conditions)).get(SourceIdentity(), ()))
    if any(ClientIp() in attributes_of(one) for one in conditions):
        gateways = (canonical(mesh, gateway.identity) for mesh in about.meshes for gateway in mesh.gateways)
        found.update(dict.fromkeys(map(Exact, gateways)))
    if about.workloads is not None or about.has_senders_apart:
        for mesh in about.meshes:
            nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
            found.update((Exact(canonical(mesh, node.identity)), None) for node in nodes)
    return tuple(found)
