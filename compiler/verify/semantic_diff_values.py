"""What a comparison of two policies gives: regions of requests that are treated otherwise than before."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import Origin, RuleId
from meshproof.compiler.ir.predicate import Always, Predicate
from meshproof.compiler.ir.request import Request


class Change(StrEnum):
    """What has become of the requests of a region."""

    ALLOWED = "newly allowed"
    DENIED = "newly denied"
    REROUTED = "rerouted"


class DiffVerdict(StrEnum):
    """How what the new policy allows lies to what the old one did."""

    EQUAL = "equal"
    TIGHTER = "tighter"
    LOOSER = "looser"
    INCOMPARABLE = "incomparable"
    """Neither, or not known: an incomplete comparison never says more."""


class EditKind(StrEnum):
    """What kind of statement differs."""

    RULE = "rule"
    MTLS = "mtls"
    TOKENS = "accepted tokens"
    OBSERVE = "observe"
    PORT = "port"
    DEFAULT = "default"
    TRUST = "trust"
    PATHS = "paths"
    ROUTE = "route"
    NODE = "declaration"
    NAMESPACE = "namespace"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True)
class Edit:
    """One statement that differs: where it stood, and where it stands (None: it was added, or it is gone)."""

    kind: EditKind
    subject: str
    old: Origin | None
    new: Origin | None

    @property
    def is_added(self) -> bool:
        """Whether only the new policy has it."""
        return self.old is None

    @property
    def is_removed(self) -> bool:
        """Whether only the old policy had it."""
        return self.new is None


@dataclass(frozen=True, slots=True)
class Routing:
    """What a sender does with a request, for people: where it goes, and what is done to it besides.

    Of two that are told beside each other each has only what the other has not.
    """

    destinations: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiffWitness:
    """A request of a region as it is sent, replayed by the interpreter on both sides.

    `old` and `new` are what is decided, None where that side does not declare the destination (`REROUTED`: what is
    decided about it, which need not differ). `deciding` are the fields that the region is narrowed in.
    """

    request: Request
    old: Decision | None
    new: Decision | None
    deciding: tuple[str, ...] = ()

    @property
    def decided_by(self) -> tuple[RuleId, ...]:
        """The rules that decided, of either side."""
        sides = (side.determined_by for side in (self.old, self.new) if side is not None)
        return tuple(dict.fromkeys(rule for rules in sides for rule in rules))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a region takes, as the interpreter reads it.

    `sources` reads the identity alone. `layer` None is requests and connections alike; `has_unreadable_token` None is
    with and without one that neither side accepts; `answers` are those that are demanded.
    """

    sources: Predicate = field(default_factory=Always)
    content: Predicate = field(default_factory=Always)
    layer: Layer | None = None
    has_unreadable_token: bool | None = None
    answers: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A port as people write it, and by its names on both sides; no number is every port of the node."""

    text: str
    old: str | None
    new: str | None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class DiffRegion:
    """Requests all of which are treated otherwise than before, as one says it: who, to whom, what, and if what holds.

    No operations are every request; `is_rest` is a region that is not described further than by what its conditions
    say. `blame` are the fewest edits without which the region would not differ, `also` others without which less of it
    would; `before` and `after` are what is done to rerouted requests. `witness` is None where nothing that is declared
    can receive one.
    """

    change: Change
    sources: tuple[str, ...]
    places: tuple[Place, ...]
    operations: tuple[str, ...]
    conditions: tuple[str, ...]
    blame: tuple[Edit, ...]
    witness: DiffWitness | None
    also: tuple[Edit, ...] = ()
    meanings: tuple[tuple[Place, Meaning], ...] = ()
    before: Routing | None = None
    after: Routing | None = None
    is_rest: bool = False

    def meanings_at(self, place: Place) -> tuple[Meaning, ...]:
        """What the region takes at one of its ports: what any of these takes."""
        return tuple(meaning for known, meaning in self.meanings if known == place)

    @property
    def destinations(self) -> tuple[str, ...]:
        """The ports, as people write them."""
        return tuple(place.text for place in self.places)


@dataclass(frozen=True, slots=True)
class Undecided:
    """What could not be compared, and why, as one clause."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class SemanticDiff:
    """All that differs between two policies as of one day.

    If nothing is `undecided`, the regions of each kind are exactly what differs: the solver has shown that each is
    inside, and that nothing is left over. `silent` are edits that change no decision and no route.
    """

    newly_allowed: tuple[DiffRegion, ...] = ()
    newly_denied: tuple[DiffRegion, ...] = ()
    rerouted: tuple[DiffRegion, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    silent: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything was compared."""
        return not self.undecided

    @property
    def regions(self) -> tuple[DiffRegion, ...]:
        """All regions, newly allowed ones first."""
        return (*self.newly_allowed, *self.newly_denied, *self.rerouted)

    @property
    def verdict(self) -> DiffVerdict:
        """How the new policy lies to the old one; never equal where something is not known or goes another way."""
        if not self.is_complete:
            return DiffVerdict.INCOMPARABLE
        match bool(self.newly_allowed), bool(self.newly_denied):
            case True, False:
                return DiffVerdict.LOOSER
            case False, True:
                return DiffVerdict.TIGHTER
            case False, False if not self.rerouted:
                return DiffVerdict.EQUAL
            case _:
                return DiffVerdict.INCOMPARABLE
