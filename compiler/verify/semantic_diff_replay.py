"""Requests that show a difference, once the interpreter has decided them on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide
from meshproof.compiler.smt.formula import Formula, Point
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.joint_request import JointRequest, joint_request_at
from meshproof.compiler.smt.minimize import best_point
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.semantic_diff_dimensions import Dimension, DimensionKind
from meshproof.compiler.verify.semantic_diff_routes import replayed_routing
from meshproof.compiler.verify.semantic_diff_values import Change, DiffWitness
from meshproof.compiler.verify.witness import ReplayDisagrees

NO_REQUEST = Decision(is_allowed=False, reason=Reason.TRANSPORT)
"""What becomes of a connection that is no request, at a port of requests: its proxy cannot read it."""


class About(Protocol):
    """What a replay needs to know."""

    @property
    def meshes(self) -> tuple[Mesh, Mesh]:
        """Both policies."""
        ...

    @property
    def day(self) -> date:
        """As of when."""
        ...

    @property
    def to_new(self) -> Mapping[NodeName, NodeName]:
        """The new names of old nodes."""
        ...


def replayed_decisions(
    joint: Joint, region: Formula, change: Change, about: About, deciding: Sequence[Dimension]
) -> DiffWitness:
    """The plainest request of a region, decided on both sides. Raises ReplayDisagrees if that is not the change."""
    found = _plainest(joint, region)
    old = decided(joint.old_policy, about.meshes[0], found.old, about.day)
    new = decided(joint.new_policy, about.meshes[1], found.new, about.day)
    is_newly_allowed = new.is_allowed and not old.is_allowed
    is_newly_denied = old.is_allowed and not new.is_allowed
    if not (is_newly_allowed if change is Change.ALLOWED else is_newly_denied):
        raise ReplayDisagrees(f"the solver finds {found} {change}, the interpreter says {old} and {new}")
    return DiffWitness(found.sent, old, new, _fields(deciding))


def replayed_routes(
    joint: Joint, region: Formula, change: Change, about: About, deciding: Sequence[Dimension]
) -> DiffWitness:
    """The plainest request of a region, sent by both sides.

    Raises ReplayDisagrees if they send it alike, Undecided where a side's way hangs on what is not modelled.
    """
    found = _plainest(joint, region)
    try:
        before = replayed_routing(about.meshes[0], found.old, about.day, about.to_new)
        after = replayed_routing(about.meshes[1], found.new, about.day, {})
    except NotModelled as problem:  # each of what it may be is another way, and which it is nobody knows
        raise Undecided(str(problem)) from problem
    if before == after:
        raise ReplayDisagrees(f"the solver finds {found} {change}, the interpreter sends both as {before}")
    old = _decided_or_none(joint.old_policy, about.meshes[0], found.old, about.day)
    new = _decided_or_none(joint.new_policy, about.meshes[1], found.new, about.day)
    return DiffWitness(found.sent, old, new, _fields(deciding))


def decided(policy: PortPolicy, mesh: Mesh, request: Request, day: date) -> Decision:
    """The decision of a side. Raises ReplayDisagrees where the interpreter takes no such request."""
    if policy.layer is Layer.HTTP and request.protocol is RequestProtocol.TCP:
        return NO_REQUEST
    try:
        return decide(mesh, request, day)
    except (MalformedRequest, MissingAnswer, NotModelled) as problem:
        raise ReplayDisagrees(f"the interpreter does not decide {request}: {problem}") from problem


def _decided_or_none(policy: PortPolicy, mesh: Mesh, request: Request, day: date) -> Decision | None:
    try:
        return decided(policy, mesh, request, day)
    except ReplayDisagrees:
        return None


def _plainest(joint: Joint, region: Formula) -> JointRequest:
    point: Point | None = joint.find((region,))
    if point is None:
        raise AssertionError("a region is empty")
    try:
        point = best_point(joint.environment, joint.solver, region, point)
    except Undecided:
        return joint_request_at(joint, point)
    return joint_request_at(joint, point)


def _fields(dimensions: Sequence[Dimension]) -> tuple[str, ...]:
    """The fields in which a region is narrowed, as the language writes them."""
    found: list[str] = []
    for one in dimensions:
        match one.kind:
            case DimensionKind.CALLER:
                found.append("source")
            case DimensionKind.ISSUER | DimensionKind.UNREADABLE:
                found.append("token")
            case DimensionKind.ANSWER:
                found.append(f"answer of {one.authorizer}")
            case DimensionKind.LAYER:
                found.append("protocol")
            case _ if one.attribute is not None:
                found.append(attribute_name(one.attribute))
            case _:
                continue
    return tuple(dict.fromkeys(found))
