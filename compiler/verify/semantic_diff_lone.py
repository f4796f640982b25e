"""What one policy alone declares: a node that is new, or no longer declared, and what the other says of such a node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.smt.encode_authz import encode_admitted
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.joint_request import joint_request_at
from meshproof.compiler.smt.minimize import best_point
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_ports import LonePort, Sides, Stance
from meshproof.compiler.verify.semantic_diff_replay import decided
from meshproof.compiler.verify.semantic_diff_values import (
    Change,
    DiffRegion,
    DiffWitness,
    Edit,
    EditKind,
    Place,
    Undecided,
)
from meshproof.compiler.verify.witness import ReplayDisagrees

ADDED = "declared now: the policy refuses what it does not allow there"
REMOVED = "no longer declared, so not under the policy: it refuses nothing there any more"
_ANYONE = ("anyone",)


def lone_regions(sides: Sides, comparing: Comparing, undecided: list[Undecided]) -> Iterator[DiffRegion]:
    """What is newly allowed or denied because a node is new or gone."""
    rest: dict[tuple[str, bool], DiffRegion] = {}
    for port in sides.lone_ports():
        place = _place(port)
        try:
            lone = _Lone(port, place, comparing)
            yield from lone.regions()
            key = (str(port.policy.key.node), port.is_new)
            if port.stance is Stance.SILENT and key not in rest and (found := lone.rest()) is not None:
                rest[key] = found
            undecided.extend(lone.comparison.undecided)
        except GaveUp as given_up:
            undecided.append(Undecided(place.text, given_up.reason))
    yield from rest.values()


class _Lone:
    """One port of a node that one policy alone declares, compared with the stance of the other."""

    def __init__(self, port: LonePort, place: Place, comparing: Comparing) -> None:
        self._port = port
        alone = replace(comparing, meshes=(port.mesh, port.mesh), to_new={}, workloads=None)
        self.comparison = PortComparison(port.policy, port.policy, place, alone)
        self._edit = self._edited(EditKind.NODE, str(port.policy.key.node), port.policy.node.origin)
        self._replay = partial(replayed_alone, port, alone)
        view, formulas = self.comparison.joint.new, self.comparison.joint.formulas
        self._allowed = view.allowed()
        self._refused = formulas.negation(self._allowed)
        if isinstance(port.policy.node, External):
            # Who has no identity has no proxy: nobody refuses that it goes outside, whatever is declared.
            self._refused = formulas.conjunction((encode_admitted(view), view.has_handshake, self._refused))

    def regions(self) -> Iterator[DiffRegion]:
        """What the policy allows where the other refuses or is silent, and refuses where the other allows."""
        opened, closed = (Change.ALLOWED, Change.DENIED) if self._port.is_new else (Change.DENIED, Change.ALLOWED)
        if self._port.stance is Stance.ALLOWS:
            found = self.comparison.regions(closed, self._refused, self._replay)
        elif self._port.is_new or self._port.stance is Stance.REFUSES:
            found = self.comparison.regions(opened, self._allowed, self._replay)
        else:
            return
        for region in found:
            decided_by = set(region.witness.decided_by if region.witness is not None else ())
            rules = (rule for rule in self._port.policy.rules if rule.id in decided_by)
            edits = (self._edited(EditKind.RULE, rule.id, rule.origin) for rule in rules)
            yield replace(region, blame=(self._edit, *edits))

    def _edited(self, kind: EditKind, subject: str, origin: Origin) -> Edit:
        return Edit(kind, subject, *((None, origin) if self._port.is_new else (origin, None)))

    def rest(self) -> DiffRegion | None:
        """What the policy refuses at the node, where the other is silent; None if it refuses nothing at the port."""
        joint = self.comparison.joint
        refused = joint.certain(self._refused).certainly
        if joint.is_empty(refused):
            return None
        change = Change.DENIED if self._port.is_new else Change.ALLOWED
        name = str(self._port.policy.key.node)
        place = Place(name, None if self._port.is_new else name, name if self._port.is_new else None)
        words = (ADDED if self._port.is_new else REMOVED,)
        witness = self._replay(joint, refused, change)
        return DiffRegion(change, _ANYONE, (place,), (), words, (self._edit,), witness, is_rest=True)


def replayed_alone(
    port: LonePort,
    about: Comparing,
    joint: Joint,
    region: Formula,
    change: Change,
    *_others: object,
) -> DiffWitness:
    """The plainest request of a region, decided by the side that declares the node. Raises ReplayDisagrees."""
    point = joint.find((region,))
    if point is None:
        raise AssertionError("a region is empty")
    found = joint_request_at(joint, best_point(joint.environment, joint.solver, region, point))
    decision = decided(port.policy, about.meshes[0], found.new, about.day)
    if decision.is_allowed != ((change is Change.ALLOWED) is port.is_new):
        raise ReplayDisagrees(f"the solver finds {found} {change}, the interpreter says {decision}")
    sides = (None, decision) if port.is_new else (decision, None)
    return DiffWitness(found.new, *sides)


def _place(port: LonePort) -> Place:
    policy = port.policy
    name = str(policy.key.node)
    text = "other ports" if policy.declared is None else policy.declared.name
    shown = f"{name} ({text})" if policy.declared is None else f"{name}:{text}"
    return Place(shown, None if port.is_new else name, name if port.is_new else None, policy.key.port)


@dataclass(frozen=True, slots=True)
class _Statement:
    """Something that a policy says about what it does not declare."""

    text: str
    kind: EditKind
    subject: str
    is_refusing: tuple[bool, bool]
    places: tuple[Origin | None, Origin | None]


def stance_regions(sides: Sides) -> Iterator[DiffRegion]:
    """What becomes of requests to what neither policy declares: namespaces that close or open, and the outside."""
    for statement in _statements(sides.old, sides.new):
        was, now = statement.is_refusing
        if was != now:
            change = Change.ALLOWED if was else Change.DENIED
            place = Place(statement.text, None, None)
            edit = Edit(statement.kind, statement.subject, *statement.places)
            yield DiffRegion(change, _ANYONE, (place,), (), (), (edit,), None, is_rest=True)


def _statements(old: Mesh, new: Mesh) -> Iterator[_Statement]:
    namespaces = tuple({one.name: one for one in mesh.namespaces} for mesh in (old, new))
    for name in sorted(namespaces[0].keys() | namespaces[1].keys()):
        was, now = namespaces[0].get(name), namespaces[1].get(name)
        yield _Statement(
            f"undeclared workloads of namespace {name}",
            EditKind.NAMESPACE,
            name,
            (was is not None and was.is_closed, now is not None and now.is_closed),
            (None if was is None else was.origin, None if now is None else now.origin),
        )
    yield _Statement(
        "undeclared places outside of the mesh",
        EditKind.EGRESS,
        "egress",
        (old.egress is Egress.CLOSED, new.egress is Egress.CLOSED),
        (old.origin, new.origin),
    )
