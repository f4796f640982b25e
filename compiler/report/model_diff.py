"""What a comparison of two policies found, as values that its renderers understand."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from meshproof.compiler.ir.decision import Decision
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.source import SourceFile, Span


class Verdict(StrEnum):
    """How the new policy lies to the old one."""

    EQUAL = "equal"
    TIGHTER = "tighter"
    LOOSER = "looser"
    INCOMPARABLE = "incomparable"


class FailOn(StrEnum):
    """What of a difference ends with status 1."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ANY = "any"


class EditChange(StrEnum):
    """What was done to a statement."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class EditReport:
    """A statement that was edited, and where it stood and stands."""

    kind: str
    subject: str
    change: EditChange
    old: Span | None
    new: Span | None


@dataclass(frozen=True, slots=True)
class RegionReport:
    """Requests that are treated otherwise than before.

    `rules` are the fewest edits that are to blame, `also` others that have a part in it. `before` and `after` say what
    is done to rerouted requests.
    """

    text: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    operations: tuple[str, ...]
    conditions: tuple[str, ...]
    rules: tuple[EditReport, ...]
    also: tuple[EditReport, ...] = ()
    witness: Request | None = None
    deciding: tuple[str, ...] = ()
    old: Decision | None = None
    new: Decision | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The rules that decide about the witness, by name."""
        sides = (side.determined_by for side in (self.old, self.new) if side is not None)
        return tuple(dict.fromkeys(str(rule) for rules in sides for rule in rules))


@dataclass(frozen=True, slots=True)
class UndecidedReport:
    """What could not be compared, and why."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class DiffReport:
    """All that differs between two policies as of a day.

    `old` and `new` name the sides as they were given, `environment` the one that was compared. `silent` are edits that
    change nothing about requests. `is_complete` is false if something is not known. `identities` names declared
    identities for people; the texts of both sides are there to find lines in.
    """

    old: str
    new: str
    policy: str
    day: date
    environment: str | None
    verdict: Verdict = Verdict.EQUAL
    newly_allowed: tuple[RegionReport, ...] = ()
    newly_denied: tuple[RegionReport, ...] = ()
    rerouted: tuple[RegionReport, ...] = ()
    undecided: tuple[UndecidedReport, ...] = ()
    silent: tuple[EditReport, ...] = ()
    notes: tuple[str, ...] = ()
    is_complete: bool = True
    identities: Mapping[str, str] = field(default_factory=dict)
    old_sources: Mapping[str, SourceFile] = field(default_factory=dict)
    new_sources: Mapping[str, SourceFile] = field(default_factory=dict)

    def is_failed(self, fail_on: FailOn | None) -> bool:
        """Whether there is a difference of the kind that fails."""
        match fail_on:
            case None:
                return False
            case FailOn.ALLOWED:
                return bool(self.newly_allowed)
            case FailOn.DENIED:
                return bool(self.newly_denied)
            case FailOn.ANY:
                return bool(self.newly_allowed or self.newly_denied or self.rerouted)
