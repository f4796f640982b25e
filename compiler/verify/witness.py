"""Requests that show something. A witness exists only once the interpreter has replayed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide, mirrored
from meshproof.compiler.smt.region import Region
from meshproof.compiler.verify.replay import truth_in


class ReplayDisagrees(AssertionError):  # noqa: N818  it says what happened
    """The interpreter and the solver read one policy differently: a bug in one of them, never a finding."""


class HopKind(StrEnum):
    """How one node reaches the next: by a call, by a mirrored copy, or because nothing keeps anyone from it."""

    CALL = "call"
    MIRROR = "mirror"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a witness, from one node to another, by name.

    A call has a request and what is decided about it; `deciding` are the fields without whose values it would not show
    what it shows. A mirror has the request that is copied. What nobody declared answers everyone: such a hop has none.
    """

    kind: HopKind
    source: str
    destination: str
    request: Request | None = None
    decision: Decision | None = None
    deciding: tuple[str, ...] = ()
    is_minimal: bool = True


_SEAL = object()


@dataclass(frozen=True, slots=True)
class Witness:
    """A request, or a chain of them, that shows what is claimed of it; made by `replayed` and `replayed_chain` alone.

    `blamed` are the rules that decided, by name; `note` says what a request cannot.
    """

    hops: tuple[Hop, ...]
    blamed: tuple[RuleId, ...]
    note: str
    _seal: object

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise TypeError("a witness is made by replaying it")

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests, in the order in which they are sent."""
        return tuple(hop.request for hop in self.hops if hop.request is not None)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What is decided about each."""
        return tuple(hop.decision for hop in self.hops if hop.decision is not None)

    @property
    def request(self) -> Request:
        """The only request, or the last; a witness that is a note alone has none (IndexError)."""
        return self.requests[-1]

    @property
    def deciding(self) -> tuple[str, ...]:
        """The fields that matter, of all hops."""
        return tuple(dict.fromkeys(field for hop in self.hops for field in hop.deciding))

    @property
    def is_minimal(self) -> bool:
        """Whether each request was searched for the plainest one."""
        return all(hop.is_minimal for hop in self.hops)


def replayed(mesh: Mesh, day: date, hop: Hop, region: Region) -> Witness | None:
    """The witness that the request of a call is in a region, with what is decided about it.

    None if that cannot be told because it depends on what is not modelled. Raises ReplayDisagrees if it is not in it.
    """
    if hop.request is None:
        raise TypeError("a call has a request")
    found = truth_in(region, mesh, hop.request, day)
    if found is False:
        raise ReplayDisagrees(f"the solver puts {hop.request} into {region}, the interpreter does not")
    decision = _decision(mesh, day, hop.request)
    if found is None or decision is None:
        return None
    done = Hop(hop.kind, hop.source, hop.destination, hop.request, decision, hop.deciding, hop.is_minimal)
    return Witness((done,), decision.determined_by, "", _SEAL)


def replayed_chain(mesh: Mesh, day: date, hops: Iterable[Hop], note: str = "") -> Witness:
    """The witness of a chain: every call must be allowed, every mirror must be sent.

    Raises ReplayDisagrees if one is not.
    """
    done = tuple(_replayed_hop(mesh, day, hop) for hop in hops)
    blamed = (rule for hop in done if hop.decision is not None for rule in hop.decision.determined_by)
    return Witness(done, tuple(dict.fromkeys(blamed)), note, _SEAL)


def noted(note: str) -> Witness:
    """A witness without a request: the note says why there is none."""
    return Witness((), (), note, _SEAL)


def with_note(witness: Witness, note: str) -> Witness:
    """The same witness with a note."""
    return Witness(witness.hops, witness.blamed, note, _SEAL)


def _replayed_hop(mesh: Mesh, day: date, hop: Hop) -> Hop:
    if hop.kind is HopKind.UNDECLARED or hop.request is None:
        return hop
    if hop.kind is HopKind.MIRROR:
        copy = mirrored(mesh, hop.request, day)
        if copy is None or str(copy.destination) != hop.destination:
            raise ReplayDisagrees(f"no copy of {hop.request} goes to `{hop.destination}`")
        return hop
    decision = _decision(mesh, day, hop.request)
    if decision is None or not decision.is_allowed:
        raise ReplayDisagrees(f"the solver allows {hop.request}, the interpreter says {decision}")
    return Hop(hop.kind, hop.source, hop.destination, hop.request, decision, hop.deciding, hop.is_minimal)


def _decision(mesh: Mesh, day: date, request: Request) -> Decision | None:
    try:
        return decide(mesh, request, day)
    except NotModelled:
        return None
    except (MalformedRequest, MissingAnswer) as problem:
        raise ReplayDisagrees(f"the interpreter takes no request like {request}: {problem}") from problem
