"""What becomes of connections otherwise than the policy says, in values; requests are compared elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide
from meshproof.compiler.verify.semantic_diff_values import DiffWitness
from meshproof.compiler.verify.translation_part import WHOLE, Part


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference in what is done with connections.

    `emitted` says what the target does, as a verb with what follows, and `policy` what the policy does instead. What is
    not looser is stricter, or neither. `witness` is a connection that shows it, where one can.
    """

    is_looser: bool
    place: str
    subject: str
    emitted: str
    policy: str
    witness: DiffWitness | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides of a comparison of `part`. `to_new` has the lifted name of each node that has one."""

    source: Mesh
    lifted: Mesh
    transport: LiftedTransport
    day: date
    to_new: Mapping[NodeName, NodeName]
    part: Part = WHOLE

    def shown(self, request: Request) -> DiffWitness:
        """A request of the policy's names, with what either side decides about it."""
        new = self.to_new.get(request.destination, request.destination)
        return self.shown_as(request, replace(request, destination=new))

    def shown_as(self, sent: Request, arriving: Request) -> DiffWitness:
        """The same where the request arrives at the lifted side in another way, by its names there."""
        return DiffWitness(sent, _decided(self.source, sent, self.day), _decided(self.lifted, arriving, self.day))


def _decided(mesh: Mesh, request: Request, day: date) -> Decision | None:
    """The decision, None where there is none: that does not hide what becomes of the connection."""
    try:
        return decide(mesh, request, day)
    except (MalformedRequest, MissingAnswer, NotModelled):
        return None
